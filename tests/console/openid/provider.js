// A district's provider: three people, and a client; another is given identities that are over. It says on standard output where it listens.

import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const people = {
  ramos: { sub: 'ramos', email: 'A.Ramos@larkspur.example', email_verified: true, groups: [] },
  chen: { sub: 'chen', email: 'chen@larkspur.example', email_verified: false, groups: ['Everybody', 'Data stewards'] },
  guest: { sub: 'guest', email: 'a.ramos@larkspur.example', email_verified: false, groups: 'Everybody' },
};

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: ['homeroom', 'late'].map((client_id) => ({
      client_id,
      client_secret: process.argv[2],
      redirect_uris: [process.argv[3]],
      grant_types: ['authorization_code'],
      response_types: ['code'],
    })),
    ttl: { IdToken: (_ctx, _token, client) => (client.clientId === 'late' ? -3600 : 3600) },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['groups'] },
    // Who somebody is may stand in the token itself, or be told to whoever asks with it.
    conformIdTokenClaims: process.argv[4] !== 'token',
    pkce: { required: () => true },
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => people[id] ?? { sub: id } }),
  });
  server.on('request', provider.callback());
  console.log(issuer);
});
