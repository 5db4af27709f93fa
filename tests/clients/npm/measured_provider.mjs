import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { Provider } from 'oidc-provider';

// An OpenID provider with one client of its own, to be measured: opaque tokens, or RS256 for a resource.
const [port, certificate, key] = process.argv.slice(2);
const secret = process.env.BENCH_SECRET;
const issuer = `https://localhost:${port}`;
const resource = `${issuer}/api`;
const signing = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
const client = (client_id) => ({
  client_id,
  client_secret: secret,
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
  token_endpoint_auth_method: 'client_secret_post',
});
// For machines: a client with a key, one with a certificate, one that pushes requests, registration, and DPoP.
const { BENCH_KEY: clientKey, BENCH_MUTUAL: mutual, BENCH_ROOTS: roots } = process.env;
const machines = clientKey
  ? [
      { ...client('bench-key'), client_secret: undefined, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [JSON.parse(clientKey)] } },
      {
        ...client('bench-mtls'),
        client_secret: undefined,
        token_endpoint_auth_method: 'tls_client_auth',
        tls_client_auth_san_dns: 'renew.bench.example.org',
      },
      {
        ...client('bench-push'),
        grant_types: ['authorization_code'],
        redirect_uris: ['https://app.bench.example.org/'],
        response_types: ['code'],
      },
    ]
  : [];
const forMachines = {
  registration: { enabled: true, initialAccessToken: secret },
  dPoP: { enabled: true },
  mTLS: {
    enabled: true,
    tlsClientAuth: true,
    getCertificate: (ctx) => ctx.socket.getPeerX509Certificate(),
    certificateAuthorized: (ctx) => ctx.socket.authorized,
    certificateSubjectMatches: (ctx, property, expected) =>
      property === 'tls_client_auth_san_dns' && ctx.socket.getPeerX509Certificate().checkHost(expected) === expected,
  },
};
const provider = new Provider(issuer, {
  jwks: { keys: [{ ...signing, use: 'sig', alg: 'RS256' }] },
  clients: [client('bench'), ...machines],
  scopes: ['openid', 'read'],
  ...(mutual ? { clientAuthMethods: ['client_secret_post', 'private_key_jwt', 'tls_client_auth'] } : {}),
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    ...(mutual ? forMachines : {}),
    introspection: { enabled: true, allowedPolicy: () => true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      getResourceServerInfo: () => ({ scope: 'read', accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } }),
    },
  },
});
const served = { cert: readFileSync(certificate), key: readFileSync(key) };
createServer(served, provider.callback()).listen(Number(port), '127.0.0.1');
if (mutual) {
  const asking = { ...served, ca: readFileSync(roots), requestCert: true, rejectUnauthorized: false };
  createServer(asking, provider.callback()).listen(Number(mutual), '127.0.0.1');
}
