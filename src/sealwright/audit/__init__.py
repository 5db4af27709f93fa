"""What happened, who did it, to what: append-only, hash-chained, written in the transaction of the change it tells of.

Owns: the events and their chains. Never reads what it is told about, never holds a secret.
"""

from __future__ import annotations

from sealwright.audit.chain import BrokenChain, verify_chain
from sealwright.audit.checkpoint import Checkpoints
from sealwright.audit.events import Event, Outcome
from sealwright.audit.record import Audit, AuditedEvent, Entry, Who
from sealwright.audit.store import EventFilter

__all__ = [
    "Audit",
    "AuditedEvent",
    "BrokenChain",
    "Checkpoints",
    "Entry",
    "Event",
    "EventFilter",
    "Outcome",
    "Who",
    "verify_chain",
]
