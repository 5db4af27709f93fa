"""What one process serves (routes, error formats, jobs), and the one place that calls the handler of a request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from time import perf_counter

from msgspec import Struct
from msgspec.structs import replace

from sealwright.errors import ContentTooLarge, Failure, MethodNotAllowed, Refused, Unavailable
from sealwright.http import CURRENT_ADDRESS, CURRENT_REQUEST_ID, FailureAnswer, Listener, Request, Response, Route, Wire
from sealwright.request_counts import RequestCounts, Series
from sealwright.runtime.http_response import ServedOrigin, header_lines, plain_answer
from sealwright.runtime.jobs import Job, Leases
from sealwright.runtime.logs import Log, account_of
from sealwright.runtime.response_cache import CacheKey, ResponseCache
from sealwright.runtime.routing import RouteTable
from sealwright.runtime.tls import TlsMaterial
from sealwright.traces import NOTHING, Span, Tracer

_UNKNOWN_PATH_BODY = 65_536
_USUAL_WIRE: Mapping[Listener, Wire] = {Listener.PEOPLE: Wire.API, Listener.MACHINES: Wire.STEP}


async def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Application:
    """Everything that a worker serves and runs. A reload makes a new one."""

    routes: Sequence[Route]
    failures: Mapping[Wire, FailureAnswer]
    jobs: Sequence[Job] = ()
    leases: Leases | None = None
    """Where jobs that run once per cluster are claimed."""
    tls: Callable[[], Awaitable[TlsMaterial]] | None = None
    """The server certificate as it is now; asked again and again, so that a renewed one is served without a restart."""
    close: Callable[[], Awaitable[None]] = _nothing
    """Lets go of databases and the like, once no request needs them any more."""
    request_counts: RequestCounts = field(default_factory=RequestCounts)
    """Where the requests are counted; of every application of a server the same."""
    tracer: Tracer | None = None
    """Who collects traces of the requests. Closed with the application."""

    def __post_init__(self) -> None:
        silent = {route.wire for route in self.routes} - set(self.failures)
        if silent:
            raise ValueError(f"no words for failures on the wire {', '.join(sorted(silent))}")
        if self.leases is None and any(job.once_per_cluster for job in self.jobs):
            raise ValueError("a job that runs once per cluster needs leases")


class InFlight:
    """Counts the requests that an application is answering, so that a replaced one is closed after its last answer."""

    __slots__ = ("_idle", "count")

    def __init__(self) -> None:
        self.count = 0
        self._idle: asyncio.Event | None = None

    def __enter__(self) -> None:
        self.count += 1

    def __exit__(self, *_: object) -> None:
        self.count -= 1
        if self._idle is not None and not self.count:
            self._idle.set()

    async def idle(self) -> None:
        """Wait until nothing is being answered. Nothing may begin any more."""
        self._idle = asyncio.Event()
        if self.count:
            await self._idle.wait()


class Exchange(Struct):
    """One request on its way to an answer."""

    request: Request
    found: Route | Failure
    """The route that answers, or why there is none."""
    wire: Wire | None
    """The format of errors for this request."""
    site: ServedOrigin
    dispatcher: Dispatcher
    refusal: Response | None = None
    """The answer where the request itself broke off: too slow, too long, no longer HTTP."""
    keep_as: CacheKey | None = None
    """Where the answer may be given again: under what it is then found."""
    keep_alive: bool = False
    """Whether the connection may live on after the answer."""
    is_http_1_0: bool = False
    head_sent: bool = False
    """Whether the answer has begun, so that it cannot become another one."""
    began: float = 0.0
    """When its turn came, on the clock of `perf_counter`."""
    status: int = 0
    """Of the answer, once it was sent."""

    @property
    def max_body(self) -> int:
        """The longest body that is read, in bytes."""
        return self.found.max_body if isinstance(self.found, Route) else _UNKNOWN_PATH_BODY

    def too_large(self) -> Response:
        """The answer to a body that is longer than what is read."""
        return self.dispatcher.explain(
            self, ContentTooLarge(f"The body is longer than the {self.max_body} bytes that are read here.")
        )

    def given_up(self) -> Response:
        """The answer to a request that the end of the worker cut off."""
        return self.dispatcher.explain(self, Unavailable("The server gave this request up; it is stopping."))

    def with_headers(self, response: Response) -> tuple[Response, str]:
        """`response` and its header lines; where those cannot be sent, the answer that tells of a bug and its lines."""
        try:
            return response, header_lines(response, self.site, self.request.request_id)
        except ValueError as bug:
            response = self.dispatcher.explain(self, bug)
        try:
            return response, header_lines(response, self.site, self.request.request_id)
        except ValueError as bug:
            plain = plain_answer(self.request, bug)
            return plain, header_lines(plain, self.site, self.request.request_id)


class Dispatcher:
    """Finds the handler of a request on one listener, runs it, and words failures as the route's wire does."""

    def __init__(self, application: Application, listener: Listener, in_flight: InFlight, log: Log) -> None:
        routes = [route for route in application.routes if listener in route.listeners]
        self._table = RouteTable(routes)
        self.fixed = {(each.method.encode(), each.path.encode()): each for each in routes if "{" not in each.path}
        """Routes without parameters, by method and path as they come over the wire."""
        self.cache = ResponseCache()
        self._failures = application.failures
        self._listener = listener
        self._counts = application.request_counts
        self._series: dict[tuple[str, str | None], Series] = {}
        self.tracer = application.tracer
        self.in_flight = in_flight
        """Entered by anyone who sends an answer, until all of it has been sent."""
        self._log = log

    def begin(self, request: Request, raw_path: str, site: ServedOrigin) -> Exchange:
        """Find the route. The request gets its decoded path and path parameters; its body may come later."""
        try:
            match = self._table.find(request.method, raw_path)
        except Refused as refusal:
            return Exchange(request, refusal, self._nearest_wire(request, raw_path), site, self)
        request.path = match.path
        request.path_parameters = match.parameters
        return Exchange(request, match.route, match.route.wire, site, self)

    async def answer(self, exchange: Exchange) -> Response:
        """The answer to a request whose body is there. Whatever the handler raises becomes an answer as well."""
        route = exchange.found
        if isinstance(route, Failure):
            return self.explain(exchange, route)
        CURRENT_REQUEST_ID.set(exchange.request.request_id)
        CURRENT_ADDRESS.set(exchange.request.peer.address)
        try:
            return await route.handler(exchange.request)
        except Exception as failure:  # noqa: BLE001 - a bug in one handler must not take the connection down
            return self.explain(exchange, failure)

    def count(self, exchange: Exchange) -> None:
        """Count a request that was answered."""
        self.series_of(exchange).add(exchange.status, perf_counter() - exchange.began)

    def series_of(self, exchange: Exchange) -> Series:
        """Where requests like this one are counted."""
        found = exchange.found
        key = exchange.request.method, found.path if isinstance(found, Route) else None
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = self._counts.series(str(self._listener), *key)
        return series

    def traced(self, exchange: Exchange) -> AbstractContextManager[Span]:
        """The span of a request, where traces are collected."""
        if self.tracer is None:
            return NOTHING
        request, found = exchange.request, exchange.found
        route = found.path if isinstance(found, Route) else None
        return self.tracer.request(str(self._listener), request.method, route, request.request_id, request.headers)

    def explain(self, exchange: Exchange, failure: Exception) -> Response:
        """The answer that tells of a failure. Bugs, and private causes of outages, go to the log under the request id."""
        self.report(exchange, failure)
        tell = plain_answer if exchange.wire is None else self._failures.get(exchange.wire, plain_answer)
        try:
            response = tell(exchange.request, failure)
        except Exception as bug:  # noqa: BLE001 - the words for a failure can fail too
            self.report(exchange, bug)
            response = plain_answer(exchange.request, bug)
        if isinstance(failure, MethodNotAllowed):
            return replace(response, status=405, headers=(*response.headers, ("allow", ", ".join(failure.allowed))))
        return replace(response, status=413) if isinstance(failure, ContentTooLarge) else response

    def _nearest_wire(self, request: Request, raw_path: str) -> Wire | None:
        wants_page = request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", "")
        if self._listener is Listener.PEOPLE and wants_page and Wire.PAGE in self._failures:
            return Wire.PAGE
        nearest = self._table.nearest_wire(raw_path)
        wire = _USUAL_WIRE.get(self._listener) if nearest in (None, Wire.PAGE) else nearest
        return wire if wire in self._failures else None

    def report(self, exchange: Exchange, failure: Exception) -> None:
        """Log a bug, or the private cause of an outage."""
        if not isinstance(failure, Failure):
            write, event = self._log.error, "request failed"
            cause: BaseException = failure
        elif failure.__cause__ is None:
            return
        else:
            write = self._log.warning if isinstance(failure, Unavailable) else self._log.debug
            event, cause = f"request ended as {failure.code}", failure.__cause__
        request = exchange.request
        write(
            event,
            request_id=request.request_id,
            listener=str(self._listener),
            method=request.method,
            route=exchange.found.path if isinstance(exchange.found, Route) else None,
            **account_of(cause, request),
        )
