// Drives the endpoints by openid-client: reads what it needs as JSON, writes what it was told as JSON.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { webcrypto } from 'node:crypto';
import { pathToFileURL } from 'node:url';

// Node 18 has it, but not under the name that the library looks for.
globalThis.crypto ??= webcrypto;
const installed = createRequire(`${process.argv[2]}/`).resolve('openid-client');
const oauth = await import(pathToFileURL(installed));

const asked = JSON.parse(readFileSync(0, 'utf8'));
const told = { issued: [], introspected: [] };

const client = (id, authentication, algorithm) =>
  oauth.discovery(new URL(asked.issuer), id, undefined, authentication, {
    algorithm,
    execute: [oauth.allowInsecureRequests],
  });
// Where an answer has a challenge, the library tells of that and leaves the body to whoever wants it.
const errorOf = (promise) =>
  promise.then(() => null, async (error) => error.error ?? (await error.response.json()).error);

for (const [way, algorithm] of [[oauth.ClientSecretBasic, 'oauth2'], [oauth.ClientSecretPost, 'oidc']]) {
  const machine = await client(asked.client_id, way(asked.client_secret), algorithm);
  const token = await oauth.clientCredentialsGrant(machine, {});
  told.issued.push(token.token_type);
  told.introspected.push((await oauth.tokenIntrospection(machine, token.access_token)).sub);
}

const machine = await client(asked.client_id, oauth.ClientSecretBasic(asked.client_secret), 'oidc');
const person = await client('keystead', oauth.None(), 'oauth2');
const refreshed = await oauth.refreshTokenGrant(person, asked.refresh_token);
told.before = (await oauth.tokenIntrospection(machine, refreshed.access_token)).active;
await oauth.tokenRevocation(person, refreshed.refresh_token);
told.after = await oauth.tokenIntrospection(machine, refreshed.access_token);
const impostor = await client(asked.client_id, oauth.ClientSecretBasic('wrong'), 'oauth2');
told.wrong_secret = await errorOf(oauth.clientCredentialsGrant(impostor, {}));
told.revoked_token = await errorOf(oauth.refreshTokenGrant(person, refreshed.refresh_token));
process.stdout.write(JSON.stringify(told));
