"""The only place that reads the wall clock.

An `Instant` is a whole number of milliseconds since 1970-01-01T00:00:00Z. Rows, models and policy carry instants;
`datetime` appears only where a format asks for it (X.509, JSON). Durations are `timedelta`.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NewType, Protocol

Instant = NewType("Instant", int)
CLOCKS_DIFFER = timedelta(minutes=5)
"""How far the clocks of two nodes may lie apart."""
_MILLISECOND = timedelta(milliseconds=1)
_FIRST, _LAST = -62_135_596_800_000, 253_402_300_799_999
"""The years 1 to 9999 in UTC: nothing else can be written as a date."""


class Clock(Protocol):
    """Tells the time. Every object that needs the time takes one in its constructor."""

    def now(self) -> Instant:
        """The current instant, in milliseconds since the epoch."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> Instant:
        return Instant(time.time_ns() // 1_000_000)


class FixedClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, start: Instant) -> None:
        self._now = start

    def now(self) -> Instant:
        return self._now

    def advance(self, duration: timedelta) -> None:
        """Move forward (or back, with a negative duration)."""
        self._now = after(self._now, duration)


def after(instant: Instant, duration: timedelta) -> Instant:
    """The instant `duration` later."""
    return Instant(instant + duration // _MILLISECOND)


def before(instant: Instant, duration: timedelta) -> Instant:
    """The instant `duration` earlier."""
    return Instant(instant - duration // _MILLISECOND)


def between(earlier: Instant, later: Instant) -> timedelta:
    """The time that passes from `earlier` to `later`; negative where `later` comes first."""
    return _MILLISECOND * (later - earlier)


def is_ahead(until: Instant, now: Instant, *, at_most: timedelta) -> bool:
    """Whether `until`, which was set no more than `at_most` ahead, is still to come.

    One that lies further ahead was set by a clock that was put back since: it would hold for as long as that clock was wrong.
    """
    return now < until <= after(now, at_most)


def from_datetime(moment: datetime) -> Instant:
    """The instant of an aware `datetime`; a naive one, and one that is in no year 1 to 9999 in UTC, raise ValueError."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone is not an instant")
    instant = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // _MILLISECOND
    if not _FIRST <= instant <= _LAST:
        raise ValueError("a time outside of the years 1 to 9999 in UTC cannot be written")
    return Instant(instant)


def to_datetime(instant: Instant) -> datetime:
    """The same moment as an aware `datetime` in UTC."""
    return datetime.fromtimestamp(instant / 1000, UTC)


def from_seconds(seconds: float) -> Instant:
    """The instant of a NumericDate (RFC 7519, section 2)."""
    return Instant(int(seconds * 1000))


def to_seconds(instant: Instant) -> int:
    """The instant as a NumericDate (RFC 7519, section 2), cut to whole seconds."""
    return instant // 1000


def to_rfc3339(instant: Instant) -> str:
    """The instant as RFC 3339 text in UTC with second precision, such as ``2026-11-22T10:20:00Z``."""
    return f"{to_datetime(instant).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


_DAYS = re.compile(r"([0-9]{1,5})d")
_TERM = re.compile(r"(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))(ns|us|\u00b5s|\u03bcs|ms|s|m|h)")
_NANOSECONDS = {
    "ns": 1,
    "us": 1_000,
    "\u00b5s": 1_000,
    "\u03bcs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
"""Both signs for micro are in use."""
_UNITS = {
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_WORDS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))
_LONGEST = timedelta(days=36_500)
LONGEST_DURATION_TEXT = 64


def nanoseconds_of(text: str) -> int | None:
    """What a duration as Go writes it stands for, such as ``8h``, ``1h30m``, ``1.5s`` or ``-500ms``; None for another text.

    This is the one form that settings, commands, provisioners and requests have in common, because `step` has it, too.
    """
    if len(text) > LONGEST_DURATION_TEXT:
        return None
    sign = -1 if text[:1] == "-" else 1
    rest = text[1:] if text[:1] in {"-", "+"} else text
    if rest == "0":
        return 0
    total, at = 0, 0
    while at < len(rest):
        term = _TERM.match(rest, at)
        if term is None:
            return None
        whole, fraction, only_fraction, unit = term.groups()
        digits = (fraction if only_fraction is None else only_fraction) or ""
        total += int(whole or "0") * _NANOSECONDS[unit]
        total += int(digits or "0") * _NANOSECONDS[unit] // 10 ** len(digits)
        at = term.end()
    return sign * total if at else None


def whole_days(text: str) -> int | None:
    """How many days a text such as ``30d`` stands for, which Go does not write; None for another text."""
    found = _DAYS.fullmatch(text)
    return None if found is None else int(found[1])


def parse_duration(text: str) -> timedelta:
    """A duration as people write it in settings, options and forms: ``30d``, ``8h``, ``1h30m``; else raises ValueError."""
    days = whole_days(text)
    nanoseconds = nanoseconds_of(text) if days is None else days * 24 * _NANOSECONDS["h"]
    if nanoseconds is None or nanoseconds < 0:
        raise ValueError("a duration is written like 30d, 8h, 90m or 1h30m")
    if nanoseconds > _LONGEST // timedelta(microseconds=1) * 1_000:
        raise ValueError("a duration is at most 100 years")
    return timedelta(microseconds=nanoseconds // 1_000)


def format_duration(duration: timedelta) -> str:
    """The shortest text that `parse_duration` reads back, such as ``1h30m``; parts below a millisecond are cut."""
    rest = max(duration, timedelta())
    parts: list[str] = []
    for unit, length in _UNITS.items():
        count, rest = divmod(rest, length)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


@lru_cache(maxsize=256)
def in_words(duration: timedelta, *, days: bool = True) -> str:
    """A duration as people say it: ``8 hours``, ``61 days``, ``1 minute``; exact, with more units where one is not enough.

    Without `days` the greatest unit is the hour, to stand beside a duration that is said so.
    """
    seconds = abs(duration) // timedelta(seconds=1)
    said: list[str] = []
    for size, unit in _WORDS if days else _WORDS[1:]:
        if seconds >= (size if said else 2 * size) or seconds == size:
            count, seconds = divmod(seconds, size)
            said.append(_counted(count, unit))
    if seconds or not said:
        said.append(_counted(seconds, "second"))
    return " and ".join(filter(None, (", ".join(said[:-1]), said[-1])))


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'}"
