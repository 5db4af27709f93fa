// openid-client by the FAPI 2.0 Security Profile: a key instead of a secret, a pushed request, and tokens bound by DPoP.
import * as client from "openid-client";
import { conversation } from "./conversation.mjs";

const { settings, ask, tell } = await conversation();
const { kid, ...jwk } = settings.key;
const key = await crypto.subtle.importKey("jwk", jwk, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
const authentication = client.PrivateKeyJwt({ key, kid });
const configuration = await client.discovery(new URL(settings.issuer), settings.client_id, undefined, authentication);
const DPoP = client.getDPoPHandle(configuration, await client.randomDPoPKeyPair("ES256"));
const verifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const parameters = {
  redirect_uri: settings.redirect_uri,
  scope: settings.scope,
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
};
const address = settings.signed
  ? await client.buildAuthorizationUrlWithJAR(configuration, parameters, { key, kid })
  : await client.buildAuthorizationUrlWithPAR(configuration, parameters, { DPoP });
const { callback } = await ask({ open: address.href });
const checks = { pkceCodeVerifier: verifier, expectedState: state, idTokenExpected: true };
const tokens = await client.authorizationCodeGrant(configuration, new URL(callback), checks, undefined, { DPoP });
const claims = tokens.claims();
const person = await client.fetchUserInfo(configuration, tokens.access_token, claims.sub, { DPoP });
const refreshed = await client.refreshTokenGrant(configuration, tokens.refresh_token, undefined, { DPoP });
const introspected = await client.tokenIntrospection(configuration, refreshed.access_token);
const own = await client.clientCredentialsGrant(configuration, undefined, { DPoP });
tell({ parameters: [...address.searchParams.keys()].sort(), type: tokens.token_type, person, introspected, own: own.token_type });
