// oauth4webapi as an application uses it, with every check that it has: `iss` of the answer, and the access token by RFC 9068.
import * as oauth from "oauth4webapi";
import { conversation } from "./conversation.mjs";

const { settings, ask, tell } = await conversation();
const issuer = new URL(settings.issuer);
const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer));
const application = { client_id: settings.client_id };
const authentication = settings.client_secret ? oauth.ClientSecretPost(settings.client_secret) : oauth.None();
const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const nonce = oauth.generateRandomNonce();
const address = new URL(server.authorization_endpoint);
address.search = new URLSearchParams({
  client_id: settings.client_id,
  response_type: "code",
  redirect_uri: settings.redirect_uri,
  scope: settings.scope,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
  nonce,
});
const { callback } = await ask({ open: address.href });
const parameters = oauth.validateAuthResponse(server, application, new URL(callback), state);
const response = await oauth.authorizationCodeGrantRequest(
  server,
  application,
  authentication,
  parameters,
  settings.redirect_uri,
  verifier,
);
const tokens = await oauth.processAuthorizationCodeResponse(server, application, response, {
  expectedNonce: nonce,
  requireIdToken: true,
});
const claims = oauth.getValidatedIdTokenClaims(tokens);
const call = new Request("https://application.example/", { headers: { authorization: `Bearer ${tokens.access_token}` } });
const accessed = await oauth.validateJwtAccessToken(server, call, settings.audience ?? settings.client_id);
const person = await oauth.processUserInfoResponse(
  server,
  application,
  claims.sub,
  await oauth.userInfoRequest(server, application, tokens.access_token),
);
const result = { claims, person, accessed };
const introspect = async (token) =>
  oauth.processIntrospectionResponse(
    server,
    application,
    await oauth.introspectionRequest(server, application, authentication, token),
  );
if (settings.client_secret) {
  result.introspected = await introspect(tokens.access_token);
  const granted = await oauth.clientCredentialsGrantRequest(server, application, authentication, new URLSearchParams());
  result.own = await introspect((await oauth.processClientCredentialsResponse(server, application, granted)).access_token);
}
await oauth.processRevocationResponse(await oauth.revocationRequest(server, application, authentication, tokens.access_token));
if (settings.client_secret) result.revoked = await introspect(tokens.access_token);
tell(result);
