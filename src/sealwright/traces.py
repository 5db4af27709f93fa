"""What a request does, stage by stage, where someone collects traces. Nothing here knows who collects them.

A request that is traced puts its span into `CURRENT_SPAN`; everywhere else `span` costs a look at that variable and nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Protocol

STATUS = "http.response.status_code"
"""The attribute that says how a request, or a call to another server, was answered."""


class Span(Protocol):
    """A stretch of time in a trace."""

    def set_attribute(self, name: str, value: str | int | bool) -> None:
        """Say something about it. Never a secret, a query or a body: those who collect traces are not those who may see them."""

    def within(self, name: str, *, outbound: bool = False) -> AbstractContextManager[Span]:
        """A part of it; `outbound` is a call to another server."""

    def headers(self) -> Mapping[str, str]:
        """What tells another server to which trace its work belongs (W3C Trace Context)."""


class Tracer(Protocol):
    """Who collects the traces of a server."""

    def request(
        self, listener: str, method: str, route: str | None, request_id: str, headers: Mapping[str, str]
    ) -> AbstractContextManager[Span]:
        """The span of a request, which is `CURRENT_SPAN` within. `route`: the template of its path, None where there is none."""

    async def close(self) -> None:
        """Send what was collected, and collect no more."""


class _Nothing(AbstractContextManager["Span"]):
    """The span where nothing is collected."""

    __slots__ = ()

    def __enter__(self) -> Span:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def set_attribute(self, name: str, value: str | int | bool) -> None:
        """Nothing."""

    def within(self, name: str, *, outbound: bool = False) -> AbstractContextManager[Span]:  # noqa: ARG002 - as above
        return self

    def headers(self) -> Mapping[str, str]:
        return {}


NOTHING = _Nothing()
CURRENT_SPAN: ContextVar[Span | None] = ContextVar("current_span", default=None)
"""Of the request that is being answered, or of the part of it that runs; None where no one collects traces."""


def span(name: str, *, outbound: bool = False) -> AbstractContextManager[Span]:
    """A part of what is going on, for as long as the block runs."""
    current = CURRENT_SPAN.get()
    return NOTHING if current is None else current.within(name, outbound=outbound)
