// openid-client as an application uses it: discovery, code with PKCE, userinfo, refresh, then what it may do with its own tokens.
import * as client from "openid-client";
import { conversation } from "./conversation.mjs";

const { settings, ask, tell } = await conversation();
const configuration = await client.discovery(new URL(settings.issuer), settings.client_id, settings.client_secret);
const verifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const nonce = client.randomNonce();
const address = client.buildAuthorizationUrl(configuration, {
  redirect_uri: settings.redirect_uri,
  scope: settings.scope,
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
  nonce,
});
const { callback } = await ask({ open: address.href });
const tokens = await client.authorizationCodeGrant(configuration, new URL(callback), {
  pkceCodeVerifier: verifier,
  expectedState: state,
  expectedNonce: nonce,
  idTokenExpected: true,
});
const claims = tokens.claims();
const person = await client.fetchUserInfo(configuration, tokens.access_token, claims.sub);
const refreshed = await client.refreshTokenGrant(configuration, tokens.refresh_token);
const result = { claims, person, refreshed: refreshed.claims() };
if (settings.client_secret) {
  result.introspected = await client.tokenIntrospection(configuration, refreshed.access_token);
  result.own = await client.tokenIntrospection(configuration, (await client.clientCredentialsGrant(configuration)).access_token);
}
await client.tokenRevocation(configuration, refreshed.refresh_token);
if (settings.client_secret) result.revoked = await client.tokenIntrospection(configuration, refreshed.access_token);
tell(result);
