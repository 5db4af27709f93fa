// Everything but passkeys works without this script. It shows times in the reader's zone, presses what the reader would press next,
// and lets the browser use a passkey.
"use strict";

const readers = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });

for (const time of document.querySelectorAll("time[datetime]")) {
  const moment = new Date(time.dateTime);
  if (!Number.isNaN(moment.valueOf())) {
    time.textContent = readers.format(moment);
  }
}

document.querySelector("form[data-submit]")?.submit();

// After a sign-out: once every application has loaded its frame, or after a while, back to the one that asked for it.
const next = document.querySelector("a[data-continue]");
if (next) {
  const loaded = [...document.querySelectorAll("iframe")].map((frame) => new Promise((done) => frame.addEventListener("load", done)));
  const longest = new Promise((done) => setTimeout(done, 3000));
  Promise.race([Promise.all(loaded), longest]).then(() => next.click());
}

const fromBase64url = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0));
const toBase64url = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

// The options and the response are those of WebAuthn Level 3 in JSON, which not every browser converts itself.
function readOptions(text) {
  const options = JSON.parse(text);
  options.challenge = fromBase64url(options.challenge);
  if (options.user) {
    options.user.id = fromBase64url(options.user.id);
    options.excludeCredentials = options.excludeCredentials.map((one) => ({ ...one, id: fromBase64url(one.id) }));
  }
  return options;
}

function writeCredential(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) {
      response[name] = toBase64url(credential.response[name]);
    }
  }
  return JSON.stringify({ id: credential.id, rawId: toBase64url(credential.rawId), type: credential.type, response, clientExtensionResults: {} });
}

for (const button of document.querySelectorAll("button[data-passkey]")) {
  if (!window.PublicKeyCredential) {
    break;
  }
  const problem = document.getElementById("passkey-failed");
  button.form.classList.remove("needs-script");
  button.addEventListener("click", async (event) => {
    event.preventDefault();
    problem.hidden = true;
    const publicKey = readOptions(button.dataset.passkey);
    try {
      const credential = await (publicKey.user ? navigator.credentials.create({ publicKey }) : navigator.credentials.get({ publicKey }));
      button.form.elements.credential.value = writeCredential(credential);
      button.form.submit();
    } catch {
      problem.hidden = false;
    }
  });
}
