"""Durations as people type them: those of settings, and whole days."""

from __future__ import annotations

import re
from datetime import timedelta

from sealwright.cli.errors import WrongUsage
from sealwright.clock import parse_duration

_DAYS = re.compile(r"([0-9]{1,5})d")


def typed_duration(option: str, text: str) -> timedelta:
    """``30d``, ``8h``, ``1h30m``; anything else is wrong usage of `option`."""
    days = _DAYS.fullmatch(text)
    if days is not None:
        return timedelta(days=int(days[1]))
    try:
        return parse_duration(text)
    except ValueError as cause:
        raise WrongUsage(f"{option} {text[:40]!r} is not a duration.", hint="Give one such as 30d, 8h or 15m.") from cause
