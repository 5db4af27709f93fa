// Everything works without this script. It only shows times in the reader's zone, with UTC on hover.
"use strict";

const readers = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

for (const time of document.querySelectorAll("time[datetime]")) {
  const moment = new Date(time.dateTime);
  if (!Number.isNaN(moment.valueOf())) {
    time.title = time.textContent;
    time.textContent = readers.format(moment);
  }
}
