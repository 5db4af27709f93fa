// Everything works without this script. It shows times in the reader's zone, and presses what the reader would press next.
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
