"""Where events are forwarded to."""

from __future__ import annotations

from typing import Any

from sealwright.access import Permission, require
from sealwright.api.json_types import Moment, RequestBody, ResponseBody, Secret, moment
from sealwright.api.operations import Call, Operation
from sealwright.api.paging import PAGED, page_of
from sealwright.audit import Forwarding, Sink

_ALL, _ONE = "/audit/sinks", "/audit/sinks/{name}"


class AuditSinkBody(RequestBody, frozen=True, kw_only=True):
    """A new sink."""

    name: str
    url: str
    """`https://HOST/PATH` for a webhook, `syslog+tls://HOST:PORT` for a syslog receiver."""
    categories: tuple[str, ...] = ()
    """Those that are forwarded; without any, all."""


class AuditSinkView(ResponseBody, frozen=True, kw_only=True):
    """A sink, and how far it is."""

    name: str
    url: str
    """Its path is shown to those alone who may change sinks: many receivers know their senders by it."""
    categories: tuple[str, ...]
    created_at: Moment
    state: str
    """`up`, or `failing` since its last success."""
    waiting: int
    """Events that it has not taken yet."""
    sent: int
    last_sent_at: Moment | None
    tries: int
    """Failures since the last success."""
    last_error: str | None
    next_try_at: Moment | None
    """Where it is failing."""


class NewAuditSinkView(AuditSinkView, frozen=True, kw_only=True):
    """A sink, and the secret of a webhook, which is shown only now."""

    secret: Secret | None


class AuditSinksView(ResponseBody, frozen=True, kw_only=True):
    """All sinks."""

    items: list[AuditSinkView]
    next: str | None = None


class AuditSinkOperations:
    """Operations about them."""

    def __init__(self, forwarding: Forwarding) -> None:
        self._forwarding = forwarding

    def operations(self) -> list[Operation]:
        """All of them."""
        write, read = str(Permission.AUDIT_WRITE), str(Permission.AUDIT_READ)
        return [
            Operation(
                "create_audit_sink",
                "POST",
                _ALL,
                "Forward events to a webhook or a syslog receiver from now on.",
                write,
                self._create,
                returns=NewAuditSinkView,
                accepts=AuditSinkBody,
                status=201,
            ),
            Operation(
                "list_audit_sinks",
                "GET",
                _ALL,
                "List where events are forwarded to.",
                read,
                self._list,
                returns=AuditSinksView,
                query=PAGED,
            ),
            Operation("delete_audit_sink", "DELETE", _ONE, "Forward no events to it any more.", write, self._delete, status=204),
        ]

    async def _create(self, call: Call) -> NewAuditSinkView:
        """A sink is given every event from now on, so it is made by those alone who could export them."""
        require(call.actor, Permission.AUDIT_WRITE)
        require(call.actor, Permission.AUDIT_EXPORT)
        body: AuditSinkBody = call.body
        sink, secret = await self._forwarding.create(body.name, body.url, tuple(dict.fromkeys(body.categories)), call.actor)
        return NewAuditSinkView(**_members(sink, 0), secret=secret)

    async def _list(self, call: Call) -> AuditSinksView:
        require(call.actor, Permission.AUDIT_READ)
        whole = call.actor.holds(Permission.AUDIT_WRITE)
        found = [(sink if whole else sink.without_path(), waiting) for sink, waiting in await self._forwarding.all()]
        page = AuditSinksView(items=[AuditSinkView(**_members(sink, waiting)) for sink, waiting in found])
        return page_of(call, page, "name")

    async def _delete(self, call: Call) -> None:
        require(call.actor, Permission.AUDIT_WRITE)
        await self._forwarding.delete(call.path("name"), call.actor)


def _members(sink: Sink, waiting: int) -> dict[str, Any]:
    return {
        "name": sink.name,
        "url": sink.url,
        "categories": tuple(filter(None, sink.categories.split(","))),
        "created_at": moment(sink.created_at),
        "state": "failing" if sink.tries else "up",
        "waiting": waiting,
        "sent": sink.sent,
        "last_sent_at": None if sink.last_sent_at is None else moment(sink.last_sent_at),
        "tries": sink.tries,
        "last_error": sink.last_error,
        "next_try_at": moment(sink.next_try_at) if sink.tries else None,
    }
