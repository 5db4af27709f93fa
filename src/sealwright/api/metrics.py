"""Metrics in the text format of Prometheus, and whether this node is ready.

Most are facts of the database, so that every process and node returns the same. Requests are counted by each node, and every
process of it returns those of all. Labels have as many values as there are authorities, sinks and routes, and never a name
that strangers choose.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from sealwright import __version__
from sealwright.access import Permission, require
from sealwright.api.json_types import ResponseBody
from sealwright.api.operations import Call, Operation
from sealwright.audit import Checkpoints, Forwarding
from sealwright.ca import Issuers
from sealwright.clock import Clock
from sealwright.db import Database
from sealwright.errors import Failure, Unavailable
from sealwright.http import Response, json_response
from sealwright.identity import ApiAuthenticator
from sealwright.mail import Outbox
from sealwright.request_counts import BOUNDS, RequestCounts, Series

TEXT = "text/plain; version=0.0.4; charset=utf-8"


class Metric(NamedTuple):
    """One metric as it is declared."""

    kind: str
    help: str


METRICS: Mapping[str, Metric] = {
    "sealwright_build_info": Metric("gauge", "The version that answers, as a label; always 1."),
    "sealwright_time_seconds": Metric("gauge", "The clock of the node that answers."),
    "sealwright_database_writable": Metric("gauge", "Whether the database can be read and takes writes."),
    "sealwright_signing_key_usable": Metric("gauge", "Whether the key of the issuing authority opens."),
    "sealwright_authority_expires_seconds": Metric("gauge", "When the certificate of an authority expires."),
    "sealwright_audit_events_total": Metric("counter", "Events that were ever recorded, also those that were purged since."),
    "sealwright_audit_checkpoint_seconds": Metric("gauge", "When a checkpoint of the audit record was last signed."),
    "sealwright_audit_sink_waiting_events": Metric("gauge", "Events that a sink has not taken yet."),
    "sealwright_audit_sink_sent_events_total": Metric("counter", "Events that a sink took."),
    "sealwright_audit_sink_failures": Metric("gauge", "Failures of a sink since its last success."),
    "sealwright_mail_waiting_messages": Metric("gauge", "Messages that wait to be sent."),
    "sealwright_mail_oldest_seconds": Metric("gauge", "When the message that waits longest was queued."),
    "sealwright_http_requests_total": Metric(
        "counter", "Requests that this node answered, by listener, method, template of the path, and class of the status."
    ),
    "sealwright_http_request_duration_seconds": Metric(
        "histogram", "From the whole request to the whole answer on this node, by listener, method and template of the path."
    ),
}
"""Name → what it means. The reference and the dashboard are held against this."""

Sample = tuple[str, Mapping[str, str], float]


class ReadinessView(ResponseBody, frozen=True, kw_only=True):
    """Whether requests can come here. The status is 200 where all is well, else 503."""

    ready: bool
    checks: dict[str, str]
    """Name of a check → `ok`, or what is wrong. Empty for those who may not read metrics, and while no one can be told apart."""


class MetricsOperations:
    """Operations about the state of the server."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        issuers: Issuers,
        checkpoints: Checkpoints,
        forwarding: Forwarding,
        outbox: Outbox,
        authenticator: ApiAuthenticator,
        request_counts: RequestCounts,
    ) -> None:
        self._db, self._clock, self._issuers, self._authenticator = db, clock, issuers, authenticator
        self._checkpoints, self._forwarding, self._outbox = checkpoints, forwarding, outbox
        self._request_counts = request_counts

    def operations(self) -> list[Operation]:
        """All of them."""
        public = "public: what balances the load has no account, and learns only whether to send requests here"
        return [
            Operation(
                "read_metrics",
                "GET",
                "/metrics",
                "Metrics in the text format of Prometheus.",
                str(Permission.METRICS_READ),
                self._metrics,
                returns=str,
                media_type="text/plain",
            ),
            Operation(
                "read_readiness",
                "GET",
                "/ready",
                "Whether this node can do its work: database, signing key, authorities, clock. 503 where it cannot.",
                public,
                self._ready,
                returns=ReadinessView,
                also_returns=(503, ReadinessView),
            ),
        ]

    async def _metrics(self, call: Call) -> Response:
        require(call.actor, Permission.METRICS_READ)
        of_requests = samples_of(self._request_counts.totals())
        body = exposition([*await self._state(), *await self._of_record(), *await self._of_mail(), *of_requests])
        return Response(200, body, (("content-type", TEXT), ("cache-control", "no-store")))

    async def _ready(self, call: Call) -> Response:
        checks = {"database": await self._trouble_of_database()}
        if not checks["database"]:
            checks["signing key"] = await self._trouble_of_signing()
            checks["authorities"] = await self._trouble_of_authorities()
            checks["clock"] = await self._trouble_of_clock()
        ready = not any(checks.values())
        told = not checks["database"] and await self._may_read_metrics(call)
        view = ReadinessView(ready=ready, checks={name: trouble or "ok" for name, trouble in checks.items()} if told else {})
        return json_response(200 if ready else 503, view, headers=(("cache-control", "no-store"),))

    async def _may_read_metrics(self, call: Call) -> bool:
        """What is wrong with a server is of use to those who attack it, so strangers only learn whether something is."""
        caller = await self._authenticator.authenticate(call.request)
        return caller is not None and caller.actor.permissions.holds_somewhere(Permission.METRICS_READ)

    # --- what is looked at ---

    async def _trouble_of_database(self) -> str:
        try:
            await self._db.check()
        except Failure as failure:
            return failure.detail
        return ""

    async def _trouble_of_signing(self) -> str:
        try:
            await self._issuers.active()
        except Failure as failure:
            return failure.detail
        return ""

    async def _trouble_of_authorities(self) -> str:
        now = self._clock.now()
        over = [each.name for each in await self._issuers.records() if each.retired_at is None and each.not_after <= now]
        return f"{over[0]} has expired" if over else ""

    async def _trouble_of_clock(self) -> str:
        """An event of later than now was recorded by a node whose clock is right, or this one's is."""
        ahead = await self._checkpoints.recorded_ahead()
        return "" if ahead is None else f"the newest event is {ahead:.0f} seconds in the future of this node's clock"

    # --- metrics ---

    async def _state(self) -> list[Sample]:
        writable = not await self._trouble_of_database()
        if not writable:
            raise Unavailable("The database cannot be read, or takes no writes.")
        records = await self._issuers.records()
        return [
            ("sealwright_build_info", {"version": __version__}, 1),
            ("sealwright_time_seconds", {}, self._clock.now() / 1000),
            ("sealwright_database_writable", {}, 1),
            ("sealwright_signing_key_usable", {}, 0 if await self._trouble_of_signing() else 1),
            *[
                ("sealwright_authority_expires_seconds", {"authority": each.name, "id": each.id}, each.not_after / 1000)
                for each in records
                if each.retired_at is None
            ],
        ]

    async def _of_record(self) -> list[Sample]:
        signed_at = await self._checkpoints.last_made_at()
        found: list[Sample] = [("sealwright_audit_events_total", {}, await self._checkpoints.events_ever())]
        if signed_at is not None:
            found.append(("sealwright_audit_checkpoint_seconds", {}, signed_at / 1000))
        for sink, waiting in await self._forwarding.all():
            labels = {"sink": sink.name}
            found += [
                ("sealwright_audit_sink_waiting_events", labels, waiting),
                ("sealwright_audit_sink_sent_events_total", labels, sink.sent),
                ("sealwright_audit_sink_failures", labels, sink.tries),
            ]
        return found

    async def _of_mail(self) -> list[Sample]:
        status = await self._outbox.status()
        found: list[Sample] = [("sealwright_mail_waiting_messages", {}, status.count)]
        if status.oldest is not None:
            found.append(("sealwright_mail_oldest_seconds", {}, status.oldest / 1000))
        return found


def samples_of(counted: Iterable[Series]) -> Iterator[Sample]:
    """The samples of both metrics of requests."""
    duration = "sealwright_http_request_duration_seconds"
    for each in counted:
        labels = {"listener": each.listener, "method": each.method, "route": each.route}
        for digit, count in enumerate(each.statuses):
            if count:
                yield "sealwright_http_requests_total", {**labels, "status": f"{digit}xx"}, count
        for bound, count in zip((*map(str, BOUNDS), "+Inf"), accumulate(each.durations), strict=True):
            yield f"{duration}_bucket", {**labels, "le": bound}, count
        yield f"{duration}_sum", labels, each.seconds
        yield f"{duration}_count", labels, sum(each.durations)


def exposition(samples: Sequence[Sample]) -> bytes:
    """Samples in the text format of Prometheus (version 0.0.4), those of a metric together."""
    return "".join(_lines(samples)).encode()


def _lines(samples: Sequence[Sample]) -> Iterator[str]:
    by_metric: dict[str, list[Sample]] = {}
    for sample in samples:  # those of a histogram have its name, and _bucket, _sum or _count behind it
        by_metric.setdefault(sample[0] if sample[0] in METRICS else sample[0].rpartition("_")[0], []).append(sample)
    for metric_name, of_metric in by_metric.items():
        metric = METRICS[metric_name]
        yield f"# HELP {metric_name} {metric.help}\n# TYPE {metric_name} {metric.kind}\n"
        for name, labels, value in of_metric:
            written = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
            yield f"{name}{f'{{{written}}}' if written else ''} {value:.15g}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
