"""A call with an Idempotency-Key is done once, however often it is sent."""

from __future__ import annotations

from sealwright.api.idempotency.calls import IdempotentCalls
from sealwright.api.idempotency.store import purge

__all__ = ["IdempotentCalls", "purge"]
