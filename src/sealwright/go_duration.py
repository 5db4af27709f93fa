"""Durations as Go writes them, which is how provisioners and `step` do: ``24h0m0s``, ``5m``, ``1h30m``, ``1.5s``.

The numbers are read by `clock`, as in durations of settings; only what Go allows beyond them is here.
"""

from __future__ import annotations

from datetime import timedelta

from sealwright.clock import LONGEST_DURATION_TEXT, nanoseconds_of
from sealwright.errors import InvalidInput

LARGEST = 2**63 - 1
"""Nanoseconds; Go keeps a duration in 64 bits, which is about 292 years."""

_MICROSECOND, _MILLISECOND, _SECOND = 1_000, 1_000_000, 1_000_000_000


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
