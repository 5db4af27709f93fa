"""Spans are sent as settings and callers ask for, say how something failed and never why."""

import asyncio
import subprocess
import sys
from contextvars import copy_context
from threading import Event

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased
from opentelemetry.trace import StatusCode

from sealwright.app.open_telemetry import OpenTelemetry, tracer
from sealwright.settings import TraceSettings
from sealwright.traces import CURRENT_SPAN, NOTHING, STATUS, span

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
RECORDED = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "tracestate": "vendor=1"}
PASSED_OVER = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-00"}


def telemetry(*, root=ALWAYS_ON, follow_callers=True):
    """Someone who collects, and what they have."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=ParentBased(root), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return OpenTelemetry(provider, follow_callers=follow_callers), exporter.get_finished_spans


def request(collecting, headers=None, *, method="GET", route="/keys"):
    return collecting.request("people", method, route, "id-7", headers or {})


def test_nothing_is_collected_without_an_endpoint():
    assert tracer(TraceSettings()) is None
    assert span("key use") is NOTHING
    with span("key use") as part:
        part.set_attribute("secret", "x")
        assert (part.headers(), CURRENT_SPAN.get()) == ({}, None)


def test_packages_are_loaded_only_for_traces_and_where_they_are_missing_it_is_said_what_to_install():
    code = (
        "import sys\n"
        "from sealwright.app.open_telemetry import tracer\n"
        "from sealwright.errors import Failure\n"
        "from sealwright.settings import TraceSettings\n"
        "tracer(TraceSettings())\n"
        "print('opentelemetry' in sys.modules)\n"
        "sys.modules['opentelemetry'] = None  # as where it is not installed\n"
        "try:\n    tracer(TraceSettings(endpoint='http://localhost:4318/v1/traces'))\n"
        "except Failure as failure:\n    print(failure.detail, failure.hint)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.startswith("False\nThe setting traces.endpoint asks for traces")
    assert "pip install 'sealwright[traces]'" in done.stdout


def test_callers_word_that_its_trace_is_not_told_is_followed_and_passed_on():
    collecting, finished = telemetry()
    with request(collecting, PASSED_OVER) as part, span("GET", outbound=True) as call:
        assert part.headers()["traceparent"].startswith(f"00-{TRACE}-")
        assert call.headers()["traceparent"].endswith("-00")
    assert finished() == ()
    assert CURRENT_SPAN.get() is None


def test_callers_word_that_its_trace_is_told_counts_before_sampling():
    collecting, finished = telemetry(root=ALWAYS_OFF)
    with request(collecting, RECORDED) as part:
        assert part.headers()["tracestate"] == "vendor=1"
    with request(collecting):
        pass
    assert [f"{each.context.trace_id:x}" for each in finished()] == [TRACE]


def test_callers_who_are_not_followed_decide_nothing_and_are_linked():
    collecting, finished = telemetry(root=ALWAYS_OFF, follow_callers=False)
    with request(collecting, RECORDED):
        pass
    assert finished() == ()
    collecting, finished = telemetry(follow_callers=False)
    with request(collecting, PASSED_OVER):
        pass
    (told,) = finished()
    assert (told.parent, f"{told.links[0].context.trace_id:x}") == (None, TRACE)
    assert f"{told.context.trace_id:x}" != TRACE


@pytest.mark.parametrize("text", ["", "00", f"00-{'0' * 32}-00f067aa0ba902b7-01", f"{RECORDED['traceparent']},x", "9" * 5_000])
def test_what_is_no_traceparent_begins_a_trace(text):
    collecting, finished = telemetry()
    with request(collecting, {"traceparent": text}):
        pass
    (told,) = finished()
    assert (told.parent, told.links) == (None, ())


@pytest.mark.parametrize(
    "headers",
    [
        {"traceparent": f"{RECORDED['traceparent']}{'x' * 600}"},
        {**RECORDED, "tracestate": "words of a stranger"},
        {**RECORDED, "tracestate": ",".join(f"key{number}=1" for number in range(40))},
    ],
)
def test_headers_of_strangers_leave_nothing_in_the_log(headers, caplog):
    collecting, finished = telemetry()
    with request(collecting, headers) as told:
        assert "tracestate" not in told.headers()
    assert len(finished()) == 1
    assert caplog.messages == []


def test_work_that_outlives_its_request_is_no_part_of_its_trace_and_warns_of_nothing(caplog):
    def write() -> None:
        with span("database commit") as told:
            told.set_attribute("db.system.name", "sqlite")

    collecting, finished = telemetry()
    with request(collecting):
        context = copy_context()
    context.run(write)
    assert [each.name for each in finished()] == ["GET /keys"]
    assert caplog.messages == []


class _Stuck(SpanExporter):
    """To a collector that takes a connection and never answers."""

    def __init__(self):
        self.asked, self.let_go = Event(), Event()

    def export(self, _spans):
        self.asked.set()
        self.let_go.wait()
        return SpanExportResult.FAILURE


async def test_stop_does_not_wait_for_a_collector_that_never_answers():
    stuck, provider = _Stuck(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(stuck))
    collecting = OpenTelemetry(provider, follow_callers=True, patience=0.01)
    with request(collecting):
        pass
    try:
        async with asyncio.timeout(5):
            await collecting.close()
        assert stuck.asked.wait(5)  # what was left is being sent, by no one who holds anything up
    finally:
        stuck.let_go.set()


def test_failure_is_told_by_its_kind_and_never_by_its_words():
    collecting, finished = telemetry()
    with pytest.raises(ValueError, match="hunter2"), request(collecting), span("key use"):
        raise ValueError("hunter2")
    for each in finished():
        assert (each.status.status_code, each.status.description) == (StatusCode.ERROR, None)
        assert (each.attributes["error.type"], each.events) == ("ValueError", ())
        assert "hunter2" not in each.to_json()


def test_faults_of_the_server_are_failures_and_refusals_are_not():
    collecting, finished = telemetry()
    for status in (404, 503):
        with request(collecting) as part:
            part.set_attribute(STATUS, status)
    assert [each.status.status_code for each in finished()] == [StatusCode.UNSET, StatusCode.ERROR]


def test_address_that_leads_nowhere_and_method_of_a_stranger_are_not_told():
    collecting, finished = telemetry()
    with request(collecting, method="PROPFIND", route=None):
        pass
    (told,) = finished()
    assert (told.name, told.attributes["http.request.method"]) == ("HTTP", "_OTHER")
    assert "http.route" not in told.attributes


def test_parts_are_within_what_runs_while_they_begin():
    collecting, finished = telemetry()
    with request(collecting), span("policy decision"), span("database commit"):
        pass
    commit, decision, whole = finished()
    assert (commit.parent.span_id, decision.parent.span_id) == (decision.context.span_id, whole.context.span_id)
