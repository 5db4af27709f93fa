"""Audit events: append-only, hash-chained, written in the transaction of the change that they record.

Owns: the events and their chains. Never reads the objects that events are about, never holds a secret.
"""

from __future__ import annotations

from sealwright.audit.chain import BrokenChain, verify_chain
from sealwright.audit.checkpoint import Checkpoints
from sealwright.audit.events import Event, Outcome
from sealwright.audit.postponed import PostponedRefusals
from sealwright.audit.record import Acting, Audit, AuditedEvent, Entry
from sealwright.audit.store import EventFilter

__all__ = [
    "Acting",
    "Audit",
    "AuditedEvent",
    "BrokenChain",
    "Checkpoints",
    "Entry",
    "Event",
    "EventFilter",
    "Outcome",
    "PostponedRefusals",
    "verify_chain",
]
