// The whole flow with a command-line runner of collections, which sends lists of requests that it signs itself.
//
// `run(requests, folder)` returns their responses, each with status, body and headers. A request has name, method, url, form and what
// OAuth parameters it is signed with: token, secret, callback, verifier, nonce and timestamp.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import { approve } from '../node/approval.mjs';

export const settings = JSON.parse(readFileSync(process.argv[2], 'utf8'));
export const privateKey = settings.private_key_file && readFileSync(settings.private_key_file, 'utf8');

// A runner sends pairs of one name side by side.
function grouped(pairs) {
  const names = [...new Set(pairs.map(([name]) => name))];
  return names.flatMap((name) => pairs.filter(([other]) => other === name));
}

export async function steps(client, run) {
  const report = (step, more) => console.log(JSON.stringify({ client, step, ...more }));
  const required = (fact, step, more = {}) => {
    report(step, { ok: Boolean(fact), ...more });
    if (!fact) process.exit(1);
  };
  const send = async (requests) => {
    const folder = mkdtempSync(join(tmpdir(), 'linkgate-runner-'));
    const responses = await run(requests, folder);
    rmSync(folder, { recursive: true });
    return responses;
  };
  const credentials = async (path, parameters) => {
    const [response] = await send([{ name: path, method: 'POST', url: settings.base + path, ...parameters }]);
    required(response.status === 200, path, response);
    return new URLSearchParams(response.body);
  };

  const asked = await credentials('/oauth/request-token', { callback: settings.callback });
  required(asked.get('oauth_callback_confirmed') === 'true', 'request token');
  const page = `${settings.base}/oauth/authorize?oauth_token=${asked.get('oauth_token')}`;
  const back = new URL(await approve(page, settings.callback, settings.user, settings.password));
  const granted = await credentials('/oauth/access-token', {
    token: asked.get('oauth_token'),
    secret: asked.get('oauth_token_secret'),
    verifier: back.searchParams.get('oauth_verifier'),
  });
  const token = { token: granted.get('oauth_token'), secret: granted.get('oauth_token_secret') };

  const cases = JSON.parse(readFileSync(settings.cases, 'utf8'));
  const unfit = (one) => one.unfit?.[client];
  for (const one of cases.filter(unfit)) report(one.name, { ok: true, skipped: unfit(one) });
  const fit = cases.filter((one) => !unfit(one)).map((one) => ({ ...one, user: settings.user, token }));
  if (settings.two_legged_user) {
    const target = { method: 'GET', target: '/api/echo?a=1', query: [['a', '1']] };
    fit.push({ name: 'two-legged call', ...target, user: settings.two_legged_user, token: {} });
  }
  const calls = fit.map(({ name, method, target, form, token }) => ({ name, method, form, url: settings.base + target, ...token }));
  const responses = await send(calls);
  for (const [at, one] of fit.entries()) {
    const { status, body } = responses[at];
    const seen = status === 200 ? JSON.parse(body) : { headers: {} };
    // Not the spelling of the target: a runner encodes it anew.
    const meant = { status: 200, user: [one.user], query: one.query, form: grouped(one.form ?? []) };
    const { query, form, headers } = seen;
    const got = { status, user: headers['remote-user'] ?? [], query, form: grouped(form ?? []) };
    const same = isDeepStrictEqual(got, meant);
    required(same, one.name, same ? {} : { got, meant, body });
  }

  const once = { nonce: `once-${Date.now()}`, timestamp: String(Math.floor(Date.now() / 1000)) };
  const call = { name: 'once', method: 'GET', url: `${settings.base}/api/echo?last=1`, ...token, ...once };
  const [first, second] = await send([call, call]);
  required(first.status === 200, 'the call to replay', first);
  const problem = new URLSearchParams(second.body).get('oauth_problem');
  required(second.status === 401 && problem === 'nonce_used', 'replay', second);
  report('replayable', { ok: true });
}
