"""Durations that are typed for an option of the terminal."""

from __future__ import annotations

from datetime import timedelta

from sealwright.cli.errors import WrongUsage
from sealwright.clock import parse_duration, whole_days


def typed_duration(option: str, text: str) -> timedelta:
    """The duration that was typed for `option`; anything else is wrong usage of it."""
    try:
        return parse_duration(text)
    except ValueError as cause:
        raise WrongUsage(f"{option} {text[:40]!r} is not a duration.", hint="Give one such as 30d, 8h or 15m.") from cause


def typed_seconds(option: str, text: str) -> int:
    """The same in whole seconds, as the API takes it."""
    return int(typed_duration(option, text).total_seconds())


def days_as_hours(text: str) -> str:
    """``30d`` as the hours that the wire of `step` takes; any other text, also a time, as it is."""
    days = whole_days(text)
    return text if days is None else f"{days * 24}h"
