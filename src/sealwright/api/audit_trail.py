"""What happened."""

from __future__ import annotations

import msgspec

from sealwright.access import Permission, require
from sealwright.api import models
from sealwright.api.operations import Call, Operation
from sealwright.audit import Audit, AuditedEvent
from sealwright.ca import serial_in
from sealwright.clock import Instant, to_rfc3339
from sealwright.db import Database


class AuditTrail:
    """Operations about audit events."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def operations(self) -> list[Operation]:
        """All of them."""
        return [
            Operation(
                "list_events",
                "GET",
                "/audit",
                "List the newest events.",
                str(Permission.AUDIT_READ),
                self._list,
                gives=models.EventPage,
                query={"target": "Only events about this, such as person:ID.", "limit": "At most so many."},
            )
        ]

    async def _list(self, call: Call) -> models.EventPage:
        require(call.actor, Permission.AUDIT_READ)
        target = call.query.get("target")
        kind, colon, number = (target or "").partition(":")
        if colon and kind == "certificate":
            target = f"certificate:{serial_in(number).hex()}"
        found = await Audit.newest(self._db, target=target, at_most=call.limit())
        return models.EventPage(items=[_shown(each) for each in found])


def _shown(event: AuditedEvent) -> models.EventAnswer:
    return models.EventAnswer(
        at=to_rfc3339(Instant(event.at)),
        event=event.event,
        outcome=event.outcome,
        actor=models.ActorAnswer(kind=event.actor_kind, id=event.actor_id, name=event.actor_name),
        target=event.target,
        details=msgspec.json.decode(event.details),
        writer_id=event.writer_id,
        sequence=event.sequence,
    )
