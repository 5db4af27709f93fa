"""Pure decisions: when a message is tried again, and what may be shown of a server's reply."""

from __future__ import annotations

import re
from datetime import timedelta

from sealwright.clock import CLOCKS_DIFFER, Instant, after

FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(minutes=15)
LONGEST_SENDING = timedelta(seconds=60)
"""From the first byte to the last; what takes longer is cut off."""
CLAIM = LONGEST_SENDING + CLOCKS_DIFFER
"""How long no one else tries a message that someone began to send, and may have died with."""

_LONGEST_REPLY = 200
_LONG_RUN = re.compile(r"[A-Za-z0-9_+/=\-]{20,}|https?://\S+")


def next_try(now: Instant, tries: int, expires_at: Instant) -> Instant:
    """When a message is tried again that failed `tries` times: ever later, and once when it is over."""
    pause = min(FIRST_PAUSE * 2 ** min(tries - 1, 10), LONGEST_PAUSE)
    return min(after(now, pause), expires_at)


def latest_try(now: Instant) -> Instant:
    """No message waits beyond this, unless the clock was put back since."""
    return after(now, max(LONGEST_PAUSE, CLAIM) + CLOCKS_DIFFER)


def reply_text(code: int, reply: bytes | str) -> str:
    """What a server said, on one line, without anything that could be the link: some servers quote what they refuse."""
    text = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
    line = " ".join(_LONG_RUN.sub("…", text[: 4 * _LONGEST_REPLY]).split())
    return f"{code} {''.join(sign for sign in line if sign.isprintable())[:_LONGEST_REPLY]}".strip()
