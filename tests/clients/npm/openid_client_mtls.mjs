// openid-client with a client certificate, as its own documentation says: by the FAPI 2.0 Security Profile with a pushed request and
// tokens bound to the certificate, and for itself. It registers itself where it is given a token that lets it in.
import * as client from "openid-client";
import { readFile } from "node:fs/promises";
import { Agent, fetch } from "undici";
import { conversation } from "./conversation.mjs";

const { settings, ask, tell } = await conversation();
const [ca, cert, key] = await Promise.all([settings.root, settings.certificate, settings.key].map((file) => readFile(file)));
const dispatcher = new Agent({ connect: { ca, cert, key } });
const mutual = { [client.customFetch]: (address, options) => fetch(address, { ...options, dispatcher }) };
const issuer = new URL(settings.issuer);
const bound = { use_mtls_endpoint_aliases: true, tls_client_certificate_bound_access_tokens: true };

async function registered() {
  const metadata = {
    ...bound,
    redirect_uris: [],
    response_types: [],
    grant_types: ["client_credentials"],
    token_endpoint_auth_method: "tls_client_auth",
    tls_client_auth_san_dns: settings.name,
  };
  const options = { ...mutual, initialAccessToken: settings.registration_token };
  return client.dynamicClientRegistration(issuer, metadata, client.TlsClientAuth(), options);
}

const configuration = settings.registration_token
  ? await registered()
  : await client.discovery(issuer, settings.client_id, bound, client.TlsClientAuth(), mutual);
const own = await client.clientCredentialsGrant(configuration);
const result = { own: await client.tokenIntrospection(configuration, own.access_token), expires_in: own.expires_in };
if (settings.redirect_uri) {
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const address = await client.buildAuthorizationUrlWithPAR(configuration, {
    redirect_uri: settings.redirect_uri,
    scope: settings.scope,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
  });
  const { callback } = await ask({ open: address.href });
  const checks = { pkceCodeVerifier: verifier, expectedState: state, idTokenExpected: true };
  const tokens = await client.authorizationCodeGrant(configuration, new URL(callback), checks);
  result.parameters = [...address.searchParams.keys()].sort();
  result.person = await client.fetchUserInfo(configuration, tokens.access_token, tokens.claims().sub);
  const stolen = await fetch(configuration.serverMetadata().mtls_endpoint_aliases.userinfo_endpoint, {
    dispatcher: new Agent({ connect: { ca } }),
    headers: { authorization: `Bearer ${tokens.access_token}` },
  });
  result.without = stolen.status;
  const refreshed = await client.refreshTokenGrant(configuration, tokens.refresh_token);
  result.introspected = await client.tokenIntrospection(configuration, refreshed.access_token);
  await client.tokenRevocation(configuration, refreshed.access_token);
  result.revoked = await client.tokenIntrospection(configuration, refreshed.access_token);
}
await dispatcher.close();
tell(result);
