// Everything but passkeys works without this script. It shows times in the reader's zone, presses what the reader would press next,
// searches while one types, and lets the browser use a passkey.
"use strict";

const readers = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });

function showTimes(part) {
  for (const time of part.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (!Number.isNaN(moment.valueOf())) {
      time.textContent = readers.format(moment);
    }
  }
}
showTimes(document);

document.querySelector("form[data-submit]")?.submit();

// A list changes while one types: the same page is asked for, and the part that holds the results is taken over from it.
// XMLHttpRequest reads it into a document by itself, so that no text is ever turned into elements here.
function liveSearch(form) {
  let waiting, running;
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      const given = new URLSearchParams(new FormData(form));
      const address = `${form.action}?${given}`;
      running?.abort();
      running = new XMLHttpRequest();
      running.open("GET", address);
      running.responseType = "document";
      running.addEventListener("load", ({ target }) => {
        const shown = document.getElementById(form.dataset.live);
        const found = target.response?.getElementById("results");
        if (shown && found) {
          shown.replaceChildren(...document.importNode(found, true).childNodes);
          showTimes(shown);
          if (!form.closest("dialog")) {
            history.replaceState(null, "", address);
          }
        }
      });
      running.send();
    }, 200);
  });
}
document.querySelectorAll("form[data-live]").forEach(liveSearch);

// Keys: Ctrl-K or Command-K for the palette; single ones only where nothing is typed into, and as long as they are not turned off.
const palette = document.getElementById("palette");
const places = { o: "/ui/overview", c: "/ui/certificates", p: "/ui/people", a: "/ui/audit" };
const singleKeys = document.getElementById("single-keys");
const keysAreOn = () => localStorage.getItem("single-keys") !== "off";
let lastKey = "";
if (palette) {
  palette.addEventListener("keydown", (event) => {
    const links = [...palette.querySelectorAll("a")];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && links.length) {
      event.preventDefault();
      const next = links.indexOf(document.activeElement) + step;
      (links[next] ?? (step > 0 ? links[links.length - 1] : palette.querySelector("input"))).focus();
    } else if (event.key === "Enter" && event.target.matches("input") && links.length) {
      event.preventDefault();
      links[0].click();
    }
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      palette.showModal();
      palette.querySelector("form").dispatchEvent(new Event("input"));
    } else if (keysAreOn() && !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.closest("input, textarea, select, dialog")) {
      const target = lastKey === "g" ? places[event.key] : { "?": "/ui/help" }[event.key];
      if (event.key === "/") {
        event.preventDefault();
        document.querySelector("#q, #search").focus();
      } else if (target) {
        location.assign(target);
      }
      lastKey = event.key;
    }
  });
}
if (singleKeys) {
  const show = () => {
    singleKeys.setAttribute("aria-pressed", String(keysAreOn()));
    singleKeys.textContent = `Single keys are ${keysAreOn() ? "on" : "off"} in this browser`;
  };
  singleKeys.closest("[hidden]").hidden = false;
  singleKeys.addEventListener("click", () => {
    localStorage.setItem("single-keys", keysAreOn() ? "off" : "on");
    show();
  });
  show();
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  button.closest("[hidden]").hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
  });
}

// A file is read into a field here, and only the field is sent. DER is written as PEM.
for (const input of document.querySelectorAll("input[data-read-into]")) {
  input.closest("[hidden]").hidden = false;
  input.addEventListener("change", async () => {
    const bytes = new Uint8Array(await input.files[0].arrayBuffer());
    const encoded = () => btoa(String.fromCharCode(...bytes)).replace(/.{64}/g, "$&\n").trimEnd();
    const text = bytes[0] === 0x30 ? `-----BEGIN CERTIFICATE REQUEST-----\n${encoded()}\n-----END CERTIFICATE REQUEST-----\n` : new TextDecoder().decode(bytes);
    document.getElementById(input.dataset.readInto).value = text;
  });
}

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
