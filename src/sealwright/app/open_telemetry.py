"""Traces for a collector that speaks OpenTelemetry (OTLP over HTTP). Its packages are optional, and loaded only for this."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from threading import Thread
from typing import TYPE_CHECKING

from sealwright import __version__
from sealwright.errors import Unavailable
from sealwright.http import Listener
from sealwright.request_counts import METHODS
from sealwright.settings import TraceSettings
from sealwright.traces import CURRENT_SPAN, STATUS, Span, Tracer

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span as TelemetrySpan
    from opentelemetry.trace import Tracer as TelemetryTracer

_FAULT = 500
_LONGEST_VALUE = 256
_LONGEST_HEADER = 1_024
_HEADERS = ("traceparent", "tracestate")
_PATIENCE = 3.0
"""Seconds for which a stop waits until a collector has taken what is left."""


class TracesUnavailable(Unavailable):
    """Traces are to be sent, and what sends them is not installed."""

    code = "traces_unavailable"

    def __init__(self) -> None:
        super().__init__("The setting traces.endpoint asks for traces, and the packages that send them are not installed.")
        self.hint = "Install them into the same environment: pip install 'sealwright[traces]'. Or empty traces.endpoint."


def tracer(settings: TraceSettings) -> Tracer | None:
    """Who sends traces as the settings ask for it; None where they ask for none. Call it in the process that is to send."""
    if not settings.endpoint:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace import SpanLimits, TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
    except ImportError as cause:
        raise TracesUnavailable from cause
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(settings.sampling)),
        resource=_resource(),
        shutdown_on_exit=False,
        span_limits=SpanLimits(max_span_attribute_length=_LONGEST_VALUE),
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.endpoint)))
    return OpenTelemetry(provider, follow_callers=settings.follow_callers)


def _resource() -> Resource:
    """Who sends. What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say counts before what is said here."""
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource

    return Resource({"service.name": "sealwright", "service.version": __version__}).merge(OTELResourceDetector().detect())


class OpenTelemetry:
    """Spans of the SDK, sent in batches by a thread of its own. Where the collector is down, they are dropped."""

    def __init__(self, provider: TracerProvider, *, follow_callers: bool, patience: float = _PATIENCE) -> None:
        """`patience`: how many seconds `close` waits at most."""
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        # It warns of each header that is no trace context, in the words of the stranger who sent it.
        logging.getLogger("opentelemetry.trace").setLevel(logging.ERROR)
        self._patience = patience
        self._provider = provider
        self._tracer = provider.get_tracer("sealwright", __version__)
        self._propagator = TraceContextTextMapPropagator()
        self._follow_callers = follow_callers

    @contextmanager
    def request(
        self, listener: str, method: str, route: str | None, request_id: str, headers: Mapping[str, str]
    ) -> Iterator[Span]:
        from opentelemetry.trace import Link, SpanKind, get_current_span

        caller = self._caller(headers)
        seen = get_current_span(caller).get_span_context() if caller is not None else None
        links = [Link(seen)] if seen is not None and seen.is_valid and not self._follow_callers else []
        known = method if method in METHODS else "_OTHER"
        attributes: dict[str, str] = {
            "http.request.method": known,
            "url.scheme": "http" if listener == Listener.STATUS else "https",
            "sealwright.listener": listener,
            "sealwright.request_id": request_id,
        }
        if route is not None:
            attributes["http.route"] = route
        name = "HTTP" if known == "_OTHER" else known
        begun = self._tracer.start_span(
            f"{name} {route}" if route is not None else name,
            context=caller if self._follow_callers else _root(),
            kind=SpanKind.SERVER,
            attributes=attributes,
            links=links,
        )
        with _ended(_Part(self._tracer, begun)) as part:
            yield part

    async def close(self) -> None:
        # In a thread that ends with the process: for a collector that is down the SDK would hold up a stop for half a minute.
        sending = Thread(target=self._provider.shutdown, name="last spans", daemon=True)
        sending.start()
        await asyncio.to_thread(sending.join, self._patience)

    def _caller(self, headers: Mapping[str, str]) -> Context:
        """The trace that a caller says it is in. What is no such header begins a trace."""
        carrier = {name: text for name in _HEADERS if len(text := headers.get(name, "")) in range(1, _LONGEST_HEADER)}
        return self._propagator.extract(carrier, context=_root())


class _Part:
    """One span, and what is within it."""

    def __init__(self, tracer: TelemetryTracer, begun: TelemetrySpan) -> None:
        self._tracer = tracer
        self.begun = begun

    def set_attribute(self, name: str, value: str | int | bool) -> None:
        if not self.begun.is_recording():  # of work that outlives its request, for which the SDK would warn each time
            return
        self.begun.set_attribute(name, value)
        if name == STATUS and isinstance(value, int) and value >= _FAULT:
            self.fail(str(value))

    def fail(self, kind: str) -> None:
        """Say that it failed, and how: never with a message, which could hold what a request held."""
        from opentelemetry.trace import StatusCode

        self.begun.set_attribute("error.type", kind)
        self.begun.set_status(StatusCode.ERROR)

    def within(self, name: str, *, outbound: bool = False) -> AbstractContextManager[Span]:
        from opentelemetry.trace import SpanKind, set_span_in_context

        if not self.begun.is_recording():
            return _ended(self, end=False)
        kind = SpanKind.CLIENT if outbound else SpanKind.INTERNAL
        begun = self._tracer.start_span(name, context=set_span_in_context(self.begun, _root()), kind=kind)
        return _ended(_Part(self._tracer, begun))

    def headers(self) -> Mapping[str, str]:
        from opentelemetry.trace import set_span_in_context
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        carrier: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(carrier, context=set_span_in_context(self.begun, _root()))
        return carrier


@contextmanager
def _ended(part: _Part, *, end: bool = True) -> Iterator[Span]:
    """The current span until the block is left."""
    token = CURRENT_SPAN.set(part)
    try:
        yield part
    except BaseException as failure:
        if end:
            part.fail(type(failure).__name__)
        raise
    finally:
        CURRENT_SPAN.reset(token)
        if end:
            part.begun.end()


def _root() -> Context:
    """A context without anything of the SDK's own: ours says what is within what."""
    from opentelemetry.context import Context

    return Context()
