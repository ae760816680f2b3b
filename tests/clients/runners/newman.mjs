// Postman's collections, run by its own command-line runner, newman.
//
// usage: newman.mjs SETTINGS.json     (tests/clients/README.md)

import { createRequire } from 'node:module';

import { privateKey, settings, steps } from './steps.mjs';

const newman = createRequire(`${process.env.LINKGATE_TEST_RUNNERS}/`)('newman');

function item({ name, method, url, form, token, secret, callback, verifier, nonce, timestamp }) {
  const parameters = {
    addParamsToHeader: true,
    callback,
    consumerKey: settings.consumer_key,
    consumerSecret: settings.shared_secret,
    nonce,
    privateKey,
    signatureMethod: settings.method,
    timestamp,
    token,
    tokenSecret: secret,
    verifier,
    version: '1.0',
  };
  const oauth1 = Object.entries(parameters).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value }]));
  const urlencoded = form?.map(([key, value]) => ({ key, value }));
  const body = form && { mode: 'urlencoded', urlencoded };
  return { name, request: { method, url, body, auth: { type: 'oauth1', oauth1 } } };
}

function run(requests) {
  const collection = { info: { name: 'linkgate' }, item: requests.map(item) };
  return new Promise((resolve, reject) => {
    newman.run({ collection, insecure: true }, (error, summary) => {
      if (error) return reject(error);
      return resolve(
        summary.run.executions.map(({ response, requestError }) => {
          if (!response) throw requestError;
          return { status: response.code, body: response.text() };
        }),
      );
    });
  });
}

await steps('newman', run);
