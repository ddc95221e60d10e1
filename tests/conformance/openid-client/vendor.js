// A vendor's day with `openid-client`: it is told the issuer and how it proves itself, and finds the rest by itself.
// Prints one JSON object of what it saw at each step.
import { webcrypto } from 'node:crypto';

globalThis.crypto ??= webcrypto; // Node.js 18 has it, but not by its name
globalThis.CryptoKey ??= webcrypto.CryptoKey;
const client = await import('openid-client');

const { ISSUER, RESOURCE, CLIENT, SECRET, JWK, FOREIGN } = process.env;

async function proof() {
  if (SECRET) return client.ClientSecretBasic(SECRET);
  const { kid, ...jwk } = JSON.parse(JWK);
  const key = await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
  return client.PrivateKeyJwt(kid ? { key, kid } : key);
}

async function refused(asking) {
  try {
    await asking;
    return null;
  } catch (error) {
    return error.error ?? error.cause?.error ?? String(error);
  }
}

const config = await client.discovery(new URL(ISSUER), CLIENT, undefined, await proof(), {
  algorithm: 'oauth2',
  execute: [client.allowInsecureRequests], // loopback
});
const ask = { resource: RESOURCE, purpose: 'instruction' };
const graph = async (token) => {
  const headers = new Headers({ 'content-type': 'application/json' });
  const body = JSON.stringify({ query: '{ grant { client purpose } }' });
  try {
    const url = new URL('/graphql', ISSUER);
    const answer = await client.fetchProtectedResource(config, token, url, 'POST', body, headers);
    return { status: answer.status, body: await answer.json() };
  } catch (error) {
    return { status: error.cause?.status ?? error.status, challenge: error.cause?.[0]?.parameters?.error };
  }
};

const saw = { issuer: config.serverMetadata().issuer };
const token = await client.clientCredentialsGrant(config, ask);
saw.token = { type: token.token_type, expires: token.expires_in, scope: token.scope, purpose: token.purpose };
saw.answer = await graph(token.access_token);
saw.looked = await client.tokenIntrospection(config, token.access_token);
saw.foreign = await client.tokenIntrospection(config, FOREIGN);
saw.escalated = await refused(client.clientCredentialsGrant(config, { ...ask, scope: 'student/ssn.read' }));
saw.elsewhere = await refused(client.clientCredentialsGrant(config, { ...ask, resource: `${RESOURCE}x` }));
await client.tokenRevocation(config, token.access_token, { token_type_hint: 'access_token' });
await client.tokenRevocation(config, token.access_token);
saw.afterwards = await client.tokenIntrospection(config, token.access_token);
saw.refused = await graph(token.access_token);
console.log(JSON.stringify(saw));
