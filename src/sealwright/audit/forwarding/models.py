"""Where events are forwarded to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from sealwright.audit.categories import Category
from sealwright.clock import Instant
from sealwright.errors import InvalidInput

WEBHOOK = "https"
SYSLOG = "syslog+tls"
SYSLOG_PORT = 6514
"""Registered for syslog over TLS (RFC 5425, section 4.1)."""
_LONGEST_URL = 2_000
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


class Sink(Struct, frozen=True, kw_only=True):
    """One place that events are forwarded to."""

    id: str
    name: str
    url: str
    sealed_secret: bytes | None
    categories: str
    """Those that are forwarded, joined by commas; empty for all."""
    created_at: Instant
    created_by: str
    next_try_at: Instant
    tries: int
    """Failures since the last success."""
    last_error: str | None
    last_sent_at: Instant | None
    sent: int

    @property
    def is_webhook(self) -> bool:
        """Whether it is called by HTTPS; else it is a syslog receiver."""
        return self.url.startswith(f"{WEBHOOK}:")

    def without_path(self) -> Sink:
        """The same for readers: anyone who knows the whole address of a receiver can often write to it."""
        parts = urlsplit(self.url)
        place = f"{parts.scheme}://{parts.netloc}"
        told = self.last_error
        for longer in (self.url, f"{place}{parts.path}"):
            told = None if told is None else told.replace(longer, place)
        return replace(self, url=place, last_error=told)

    @property
    def target(self) -> str:
        """What events about it name."""
        return f"audit_sink:{self.id}"


def check_name(name: str) -> None:
    """Raise InvalidInput for what cannot be the name of a sink."""
    if _NAME.fullmatch(name) is None:
        raise InvalidInput(
            f"name is {name[:70]!r}.", hint="Write lower-case letters, digits, dots, hyphens and underscores.", pointer="/name"
        )


def check_categories(names: Sequence[str]) -> None:
    """Raise InvalidInput where there is no such category."""
    for number, each in enumerate(names):
        if Category.called(each) is None:
            detail = f"categories has {each[:40]!r}; there are {', '.join(Category)}."
            raise InvalidInput(detail, pointer=f"/categories/{number}")


def checked_url(url: str) -> str:
    """The URL of a sink, its scheme in lower case; raises InvalidInput where it is of neither form."""
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc and not parts.fragment
    except ValueError:
        usable = False
    if usable and len(url) <= _LONGEST_URL and url.isascii() and url.isprintable() and " " not in url:
        in_lower_case = parts.scheme + url[len(parts.scheme) :]
        if parts.scheme == WEBHOOK:
            return in_lower_case
        if parts.scheme == SYSLOG and parts.path in ("", "/") and not parts.query:
            return in_lower_case
    raise InvalidInput(
        f"url is {url[:80]!r}, to which events cannot be forwarded.",
        hint="Write https://HOST/PATH for a webhook, or syslog+tls://HOST:PORT for a syslog receiver.",
        pointer="/url",
    )
