"""Audit events: append-only, hash-chained, written in the transaction of the change that they record.

Owns: the events and their chains. Never reads the objects that events are about, never holds a secret.
"""

from __future__ import annotations

from sealwright.audit.categories import Category, category_of, events_in
from sealwright.audit.chain import BrokenChain, ChainedRow, ExportedRow, verify_chain
from sealwright.audit.changes import Redacted, changes_between, changes_in
from sealwright.audit.checkpoint import Checkpoints, NothingToPurge
from sealwright.audit.events import Event, Outcome
from sealwright.audit.forwarding import Forwarding, Sink
from sealwright.audit.guide_names import EVENT_OF_ACTION, action_of
from sealwright.audit.postponed import PostponedRefusals
from sealwright.audit.record import Acting, Audit, AuditedEvent, Entry
from sealwright.audit.sentences import sentence_of
from sealwright.audit.store import EventFilter
from sealwright.audit.verification import ChainVerifier, Verified

__all__ = [
    "EVENT_OF_ACTION",
    "Acting",
    "Audit",
    "AuditedEvent",
    "BrokenChain",
    "Category",
    "ChainVerifier",
    "ChainedRow",
    "Checkpoints",
    "Entry",
    "Event",
    "EventFilter",
    "ExportedRow",
    "Forwarding",
    "NothingToPurge",
    "Outcome",
    "PostponedRefusals",
    "Redacted",
    "Sink",
    "Verified",
    "action_of",
    "category_of",
    "changes_between",
    "changes_in",
    "events_in",
    "sentence_of",
    "verify_chain",
]
