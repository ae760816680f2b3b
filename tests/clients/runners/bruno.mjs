// Bruno's collections, run by its own command-line runner.
//
// usage: bruno.mjs SETTINGS.json     (tests/clients/README.md)

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { privateKey, settings, steps } from './steps.mjs';

const modules = process.env.LINKGATE_TEST_RUNNERS;
const { jsonToBruV2 } = createRequire(`${modules}/`)('@usebruno/lang');

function bru({ name, method, url, form, token, secret, callback, verifier, nonce, timestamp }, at) {
  const oauth1 = {
    accessToken: token,
    accessTokenSecret: secret,
    callbackUrl: callback,
    consumerKey: settings.consumer_key,
    consumerSecret: settings.shared_secret,
    nonce,
    placement: 'header',
    privateKey,
    privateKeyType: 'text',
    signatureMethod: settings.method,
    timestamp,
    verifier,
    version: '1.0',
  };
  const body = form ? 'formUrlEncoded' : 'none';
  return jsonToBruV2({
    meta: { name: `${at} ${name}`, type: 'http', seq: at + 1 },
    http: { method: method.toLowerCase(), url, body, auth: 'oauth1' },
    body: form && { formUrlEncoded: form.map(([key, value]) => ({ name: key, value, enabled: true })) },
    auth: { oauth1 },
  });
}

function run(requests, folder) {
  writeFileSync(join(folder, 'bruno.json'), JSON.stringify({ version: '1', name: 'linkgate', type: 'collection' }));
  requests.forEach((request, at) => writeFileSync(join(folder, `${at}.bru`), bru(request, at)));
  const report = join(folder, 'report.json');
  const program = join(modules, '.bin', 'bru');
  const ran = spawnSync(program, ['run', '--noproxy', '--reporter-json', report], { cwd: folder, encoding: 'utf8' });
  if (ran.error) throw ran.error;
  const [{ results }] = JSON.parse(readFileSync(report, 'utf8'));
  return results.map(({ response }) => {
    const { status, data } = response;
    return { status, body: typeof data === 'string' ? data : JSON.stringify(data) };
  });
}

await steps('bruno', run);
