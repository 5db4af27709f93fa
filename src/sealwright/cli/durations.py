"""Durations as people type them: those of settings, and whole days."""

from __future__ import annotations

import re
from datetime import timedelta

from sealwright.cli.errors import WrongUsage
from sealwright.clock import parse_duration

_DAYS = re.compile(r"([0-9]{1,5})d")


def read_duration(text: str) -> timedelta:
    """``30d``, ``8h``, ``1h30m``; anything else raises ValueError."""
    days = _DAYS.fullmatch(text)
    return parse_duration(text) if days is None else timedelta(days=int(days[1]))


def typed_duration(option: str, text: str) -> timedelta:
    """The duration that was typed for `option`; anything else is wrong usage of it."""
    try:
        return read_duration(text)
    except ValueError as cause:
        raise WrongUsage(f"{option} {text[:40]!r} is not a duration.", hint="Give one such as 30d, 8h or 15m.") from cause


def typed_seconds(option: str, text: str) -> int:
    """The same in whole seconds, as the API takes it."""
    return int(typed_duration(option, text).total_seconds())


def days_as_hours(text: str) -> str:
    """``30d`` as the hours that the wire of `step` takes; any other text, also a time, as it is."""
    days = _DAYS.fullmatch(text)
    return text if days is None else f"{int(days[1]) * 24}h"
