"""Calls of operations from within a request that was authenticated already: who asks is known, and is not proven again.

A proof of possession (RFC 9449) is for one request and is taken once, so it could not be shown to each operation.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sealwright.identity import SignedIn

_CALLER: ContextVar[SignedIn | None] = ContextVar("caller_of_inner_calls", default=None)


@contextmanager
def calling_as(caller: SignedIn) -> Iterator[None]:
    """Let the operations that are called within be called by `caller`."""
    token = _CALLER.set(caller)
    try:
        yield
    finally:
        _CALLER.reset(token)


def inner_caller() -> SignedIn | None:
    """Who was authenticated by the request within which this call is made; None for a call of its own."""
    return _CALLER.get()
