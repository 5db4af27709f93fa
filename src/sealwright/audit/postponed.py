"""Refusals that roll a transaction back: kept in memory, and recorded after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sealwright.audit.events import Event
from sealwright.audit.record import Acting, Audit
from sealwright.clock import Clock
from sealwright.db import Database


class _Refused(NamedTuple):
    event: Event
    actor: Acting
    target: str
    reason: str
    details: Mapping[str, Any] | None


class PostponedRefusals(Audit):
    """Records events in their transactions; keeps refusals in memory, because their rows would be rolled back with the rest."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._noted: list[_Refused] = []

    async def refused(
        self,
        db: Database,  # noqa: ARG002 - where it would be undone
        event: Event,
        *,
        actor: Acting,
        target: str,
        reason: str,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep the refusal for `record_noted`."""
        self._noted.append(_Refused(event, actor, target, reason, details))

    async def record_noted(self, audit: Audit, db: Database) -> None:
        """Record what was noted, now that its transaction is undone."""
        noted, self._noted = self._noted, []
        for each in noted:
            await audit.refused(db, each.event, actor=each.actor, target=each.target, reason=each.reason, details=each.details)
