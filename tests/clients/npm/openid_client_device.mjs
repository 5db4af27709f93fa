// openid-client on a device without a browser: it shows a code, and asks until the person has decided elsewhere.
import * as client from "openid-client";
import { conversation } from "./conversation.mjs";

const { settings, ask, tell } = await conversation();
const configuration = await client.discovery(new URL(settings.issuer), settings.client_id, settings.client_secret);
const codes = await client.initiateDeviceAuthorization(configuration, { scope: settings.scope });
await ask({ codes });
const tokens = await client.pollDeviceAuthorizationGrant(configuration, codes);
tell({ claims: tokens.claims() });
