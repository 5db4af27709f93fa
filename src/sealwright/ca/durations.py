"""Durations as Go writes them, which is how provisioners and `step` do: ``24h0m0s``, ``5m``, ``1h30m``, ``1.5s``."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache

from sealwright.clock import LONGEST_DURATION_TEXT, nanoseconds_of
from sealwright.errors import InvalidInput

LARGEST = 2**63 - 1
"""Nanoseconds; Go keeps a duration in 64 bits, which is about 292 years."""

_MICROSECOND, _MILLISECOND, _SECOND = 1_000, 1_000_000, 1_000_000_000
_WORDS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


def parse_duration(text: str) -> timedelta:
    """The duration that `text` stands for, cut to microseconds; what Go would not read raises InvalidInput."""
    nanoseconds = nanoseconds_of(text)
    if nanoseconds is None:
        raise InvalidInput(f"{text[:LONGEST_DURATION_TEXT]!r} is not a duration; write one such as 24h, 90m or 1h30m.")
    if abs(nanoseconds) > LARGEST:
        raise InvalidInput(f"{text!r} is longer than a duration can be, which is about 292 years.")
    microseconds = abs(nanoseconds) // 1_000
    return timedelta(microseconds=-microseconds if nanoseconds < 0 else microseconds)


def is_duration(text: str) -> bool:
    """Whether `text` has the form of a duration, however long."""
    return nanoseconds_of(text) is not None


def format_duration(duration: timedelta) -> str:
    """The text that Go prints for `duration`."""
    nanoseconds = duration // timedelta(microseconds=1) * 1_000
    sign, rest = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    if rest == 0:
        return "0s"
    if rest < _SECOND:
        unit = "ms" if rest >= _MILLISECOND else "\u00b5s"
        return f"{sign}{_decimal(rest, _MILLISECOND if unit == 'ms' else _MICROSECOND)}{unit}"
    minutes, seconds = divmod(rest, 60 * _SECOND)
    text = f"{_decimal(seconds, _SECOND)}s"
    if minutes:
        hours, minutes = divmod(minutes, 60)
        text = f"{minutes}m{text}"
        if hours:
            text = f"{hours}h{text}"
    return sign + text


def _decimal(value: int, unit: int) -> str:
    whole, part = divmod(value, unit)
    if not part:
        return str(whole)
    return f"{whole}.{str(part).rjust(len(str(unit)) - 1, '0').rstrip('0')}"


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
