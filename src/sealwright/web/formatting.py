"""Values as people read them."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlsplit

from sealwright.clock import Instant, between, to_datetime
from sealwright.errors import Failure, RateLimited

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_BROWSERS = (
    (re.compile(r"\bEdgA?/"), "Edge"),
    (re.compile(r"\bOPR/"), "Opera"),
    (re.compile(r"\b(?:Firefox|FxiOS)/"), "Firefox"),
    (re.compile(r"\b(?:Chrome|HeadlessChrome|CriOS)/"), "Chrome"),
    (re.compile(r"\bSafari/"), "Safari"),
    (re.compile(r"^curl/"), "curl"),
    (re.compile(r"^sealwright/"), "the sealwright command"),
)
_SYSTEMS = (
    (re.compile(r"\b(?:iPhone|iPad)\b"), "iOS"),
    (re.compile(r"\bAndroid\b"), "Android"),
    (re.compile(r"\bWindows\b"), "Windows"),
    (re.compile(r"\bMac OS X\b|\bMacintosh\b"), "macOS"),
    (re.compile(r"\bCrOS\b"), "ChromeOS"),
    (re.compile(r"\bLinux\b"), "Linux"),
)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def utc_text(instant: Instant) -> str:
    """Such as ``22 Nov 2026, 10:20 UTC``."""
    moment = to_datetime(instant)
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC"


def duration_text(duration: timedelta) -> str:
    """In the largest unit that fits, rounded up, so that waiting so long is enough: ``45 seconds``, ``61 days``."""
    seconds = max(1, -(-duration // timedelta(seconds=1)))
    for unit, length in _UNITS:
        # Two of a unit at least, or exactly one: "90 minutes" says more than "2 hours".
        if seconds >= 2 * length or seconds == length:
            count = -(-seconds // length)
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    raise AssertionError("unreachable: every whole number of seconds is at least one second")


def relative_text(instant: Instant, now: Instant) -> str:
    """How far off it is: ``in 3 days``, ``2 hours ago``."""
    ahead = between(now, instant)
    return f"in {duration_text(ahead)}" if ahead > timedelta() else f"{duration_text(-ahead)} ago"


def failure_text(failure: Failure) -> str:
    """What happened, in one sentence; waiting times as people say them."""
    if isinstance(failure, RateLimited):
        return f"Too many attempts. Wait {duration_text(timedelta(seconds=failure.retry_after))}, then try again."
    return failure.detail


def device_text(user_agent: str) -> str:
    """Browser and system in words, as far as a User-Agent tells them; it is what the peer claims, no proof."""
    browser = next((name for pattern, name in _BROWSERS if pattern.search(user_agent)), "")
    system = next((name for pattern, name in _SYSTEMS if pattern.search(user_agent)), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or (user_agent[:40] if user_agent else "an unknown program")


def host_text(url: str) -> str:
    """Host of a URL, with the port where it is not the scheme's own, as the address bar shows it."""
    parts = urlsplit(url)
    if not parts.hostname:
        return f"{parts.scheme}:" if parts.scheme else ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return host if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f"{host}:{parts.port}"


def origin_text(url: str) -> str:
    """Where an address leads, without path and query: ``https://app.example.org``; of a private scheme, ``app:``."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{host_text(url)}" if parts.hostname else f"{parts.scheme}:"
