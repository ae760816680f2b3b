// The whole dance with npm's `oauth`, the library below passport-oauth.
//
// usage: dance.mjs SETTINGS.json     (tests/clients/README.md describes the settings and the output)
// The library comes from LINKGATE_TEST_NODE_MODULES. It knows one placement: the header.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'node:url';

import { approve } from './approval.mjs';

const { OAuth } = createRequire(`${process.env.LINKGATE_TEST_NODE_MODULES}/`)('oauth');

const CLIENT = 'node';
const settings = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const cases = JSON.parse(readFileSync(settings.cases, 'utf8'));

function report(step, more) {
  console.log(JSON.stringify({ client: CLIENT, step, ...more }));
}

function required(fact, step, more = {}) {
  report(step, { ok: Boolean(fact), ...more });
  if (!fact) process.exit(1);
}

const oauth = new OAuth(
  `${settings.base}/oauth/request-token`,
  `${settings.base}/oauth/access-token`,
  settings.consumer_key,
  settings.private_key_file ? readFileSync(settings.private_key_file, 'utf8') : settings.shared_secret,
  '1.0',
  settings.callback,
  settings.method,
);

// The library answers (error, ...values); an error carries the status and the body.
function answerOf(start) {
  return new Promise((resolve, reject) => {
    start((error, ...values) => (error ? reject(new Error(JSON.stringify(error))) : resolve(values)));
  });
}

async function connect() {
  const [token, secret, more] = await answerOf((done) => oauth.getOAuthRequestToken(done));
  required(more.oauth_callback_confirmed === 'true', 'request token');
  const page = `${settings.base}/oauth/authorize?oauth_token=${token}`;
  const back = new URL(await approve(page, settings.callback, settings.user, settings.password));
  required(back.searchParams.get('oauth_token') === token && back.searchParams.get('oauth_verifier'), 'approval');
  required(back.href.startsWith(settings.callback), 'callback kept its own query');
  const verifier = back.searchParams.get('oauth_verifier');
  const [access, accessSecret] = await answerOf((done) => oauth.getOAuthAccessToken(token, secret, verifier, done));
  required(access && accessSecret, 'access token');
  return [access, accessSecret];
}

// The form as the library takes it: repeated names as a list.
function formOf(pairs) {
  const form = {};
  for (const [name, value] of pairs) {
    if (name in form) form[name] = [form[name], value].flat();
    else form[name] = value;
  }
  return form;
}

async function call(one, token, user) {
  const url = settings.base + one.target;
  const [text, answer] = await answerOf((done) =>
    one.method === 'GET' ? oauth.get(url, ...token, done) : oauth.post(url, ...token, formOf(one.form), done),
  ).catch((error) => required(false, one.name, { answer: error.message }));
  const seen = JSON.parse(text);
  const meant = {
    method: one.method,
    target: parse(url).path,
    user: [user],
    query: one.query,
    form: grouped(one.form ?? []),
    authorization: [],
  };
  const got = {
    method: seen.method,
    target: seen.target,
    user: seen.headers['remote-user'] ?? [],
    query: seen.query,
    form: grouped(seen.form),
    authorization: seen.headers.authorization ?? [],
  };
  const same = answer.statusCode === 200 && isDeepStrictEqual(got, meant);
  required(same, one.name, same ? {} : { got, meant });
}

// The library sends pairs of one name side by side, so their order among other names says nothing.
function grouped(pairs) {
  const names = [...new Set(pairs.map(([name]) => name))];
  return names.flatMap((name) => pairs.filter(([other]) => other === name));
}

async function replay(token, user) {
  const target = '/api/echo?last=1';
  const headers = { Authorization: oauth.authHeader(settings.base + target, ...token, 'GET') };
  const first = await fetch(settings.base + target, { headers });
  required(first.status === 200 && (await first.json()).headers['remote-user'][0] === user, 'the call to replay');
  const second = await fetch(settings.base + target, { headers });
  const problem = new URLSearchParams(await second.text()).get('oauth_problem');
  const challenge = second.headers.get('www-authenticate') ?? '';
  const refused = second.status === 401 && problem === 'nonce_used' && challenge.includes('oauth_problem="nonce_used"');
  required(refused, 'replay', { status: second.status, problem });
  report('replayable', { ok: true, method: 'GET', target, headers, body: null });
}

const token = await connect();
for (const one of cases) {
  const reason = one.unfit?.[CLIENT] ?? one.unfit?.[`${CLIENT}/${settings.placement}`];
  if (reason) report(one.name, { ok: true, skipped: reason });
  else await call(one, token, settings.user);
}
if (settings.two_legged_user) {
  const twoLegged = { name: 'two-legged call', method: 'GET', target: '/api/echo?a=1', query: [['a', '1']] };
  await call(twoLegged, [null, null], settings.two_legged_user);
}
await replay(token, settings.user);
