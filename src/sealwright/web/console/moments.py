"""Controls for a day and a time, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

from sealwright.clock import Instant, from_datetime, to_datetime
from sealwright.web.forms import FormError


class MomentRefused(ValueError):
    """What was typed is no time."""

    def __init__(self, error: FormError) -> None:
        super().__init__(error.text)
        self.error = error


def moment_text(instant: Instant | None) -> str:
    """As the control has it."""
    return "" if instant is None else f"{to_datetime(instant):%Y-%m-%dT%H:%M}"


def moment_of(text: str, label: str, field: str) -> Instant | None:
    """What was typed; None where nothing was. Raises MomentRefused."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        return from_datetime(found if found.tzinfo is not None else found.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        told = f"{label} is {text[:40]!r}. Type a day and a time in UTC, such as 2026-12-31 18:00."
        raise MomentRefused(FormError(told, field)) from None
