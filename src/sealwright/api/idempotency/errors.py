"""Refusals of repeated calls."""

from __future__ import annotations

from sealwright.errors import Conflict, InvalidInput, Refused


class IdempotencyKeyRefused(InvalidInput):
    """The Idempotency-Key does not have the form that is needed."""

    code = "idempotency_key_refused"


class IdempotencyKeyReused(Refused):
    """The Idempotency-Key came with another request before."""

    code = "idempotency_key_reused"


class CallStillRunning(Conflict):
    """The call with this Idempotency-Key has not come to its end, or the server stopped in the middle of it."""

    code = "call_still_running"


class AnswerNotKept(Conflict):
    """The call was done; its answer holds a secret, which is not stored, or was lost."""

    code = "answer_not_kept"
