// An OpenID provider that nobody here wrote, on loopback: whoever signs in is who they say they are.
// usage: node provider.mjs SETTINGS.json     {"port", "client_id", "client_secret", "redirect_uri", "kid"}
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { generateKeyPairSync } from 'node:crypto';

const modules = createRequire(`${process.env.LINKGATE_TEST_OIDC_MODULES}/x.js`);
const { default: Provider } = await import(pathToFileURL(modules.resolve('oidc-provider')).href);

const settings = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = { ...privateKey.export({ format: 'jwk' }), kid: settings.kid, use: 'sig', alg: 'RS256' };

const provider = new Provider(`http://localhost:${settings.port}`, {
  clients: [
    {
      client_id: settings.client_id,
      client_secret: settings.client_secret,
      redirect_uris: [settings.redirect_uri],
      grant_types: ['authorization_code'],
      response_types: ['code'],
    },
  ],
  jwks: { keys: [key] },
  cookies: { keys: ['only-a-test'] },
  claims: { openid: ['sub'], profile: ['name', 'preferred_username'] },
  pkce: { required: () => true },
  findAccount: (_context, id) => ({
    accountId: id,
    claims: () => ({ sub: `id-of-${id}`, preferred_username: id, name: `${id} of the provider` }),
  }),
});
provider.listen(settings.port, '127.0.0.1', () => console.log('listening'));
