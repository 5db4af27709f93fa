// An OpenID provider of someone else: oidc-provider with the forms that it brings. Two issuers: one puts the claims of scopes into
// the ID token, the other, as the default is, answers them at its userinfo endpoint alone. A line of JSON gives both new keys.
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { Provider } from "oidc-provider";
import { conversation } from "./conversation.mjs";

console.info = console.warn = console.error; // it notes what it takes for granted, and standard output is for the test
const { settings, ask } = await conversation();
const { host, ports, certificate, key, relying_party, client_id, client_secret, people } = settings;
const newKey = () => ({
  ...generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" }),
  kid: randomUUID(),
  use: "sig",
  alg: "ES256",
});

function issuer(port, conformIdTokenClaims) {
  let answer;
  const rotate = () => {
    const keys = [newKey()];
    const provider = new Provider(`https://${host}:${port}`, {
      jwks: { keys },
      clients: [
        {
          client_id,
          client_secret,
          redirect_uris: [`${relying_party}/auth/oidc/callback`],
          token_endpoint_auth_method: "client_secret_post",
          id_token_signed_response_alg: "ES256",
          backchannel_logout_uri: `${relying_party}/auth/oidc/back-channel-logout`,
          backchannel_logout_session_required: true,
        },
      ],
      claims: { openid: ["sub"], profile: ["name", "preferred_username"], email: ["email"], groups: ["groups"] },
      conformIdTokenClaims,
      cookies: { keys: [client_secret] },
      features: { backchannelLogout: { enabled: true } },
      findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, preferred_username: sub, ...people[sub] }) }),
      // It calls no server of this machine unless it is told to.
      fetch: (url, { dispatcher, ...options }) => fetch(url, options),
    });
    provider.on("server_error", (_, error) => console.error(error));
    provider.on("backchannel.error", (_, error) => console.error(error));
    answer = provider.callback();
    return keys[0].kid;
  };
  rotate();
  const served = { cert: readFileSync(certificate), key: readFileSync(key) };
  const listening = createServer(served, (...given) => answer(...given)).listen(port, host);
  return { rotate, listening: new Promise((resolve) => listening.once("listening", resolve)) };
}

const issuers = [issuer(ports[0], false), issuer(ports[1], true)];
await Promise.all(issuers.map((each) => each.listening));
for (let told = { ready: true }; ; ) {
  await ask(told);
  told = { kids: issuers.map((each) => each.rotate()) };
}
