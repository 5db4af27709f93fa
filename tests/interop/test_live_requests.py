"""What a running server tells of its requests: traces to a collector that speaks OpenTelemetry, and counts to Prometheus."""

import os
import re
import signal
from ipaddress import ip_network

import pytest
from opentelemetry.sdk.trace import TracerProvider

from sealwright.app.open_telemetry import OpenTelemetry
from sealwright.outbound import GuardedOutbound
from tests.interop.wire import Requester, line
from tests.live import ADMIN_PASSWORD, live_server, wait_until
from tests.trace_collector import trace_collector

CALLERS_TRACE, CALLERS_SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{CALLERS_TRACE}-{CALLERS_SPAN}-01"
SERVER, CLIENT = 2, 3
"""Kinds of spans in the protocol."""


def administrator(server, opened):
    """The header of an administrator's session."""
    password = server.file("admin-password", ADMIN_PASSWORD)
    server.sealwright("recover-account", "admin", "--dir", server.home, "--password-file", password)
    answer = opened.send("POST", "/api/v1/login", {"name": "admin", "password": ADMIN_PASSWORD})
    return {"authorization": f"Bearer {answer.json()['token']}"}


def counted(opened, headers, **labels):
    """How many requests the metrics tell with these labels."""
    text = opened.send("GET", "/api/v1/metrics", **headers).body.decode()
    lines = [each for each in text.splitlines() if each.startswith("sealwright_http_requests_total{")]
    told = [(dict(re.findall(r'(\w+)="([^"]*)"', each)), float(each.rpartition(" ")[2])) for each in lines]
    return sum(value for found, value in told if labels.items() <= found.items())


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What a server of two workers told the collector, from its first request to its end; and what became of its counts."""
    found = {}
    with trace_collector() as collector:
        settings = {
            "workers": "2",
            "traces.endpoint": f'"{collector.url}"',
            "outbound.allow_http": "true",
            "outbound.allow_private": '["127.0.0.0/8"]',
        }
        with live_server(tmp_path_factory.mktemp("requests"), set_up=False, settings=settings) as server:
            with line(server.people, server.root) as people:
                headers = administrator(server, people)
            found["counts"] = counts_of(server, headers)  # before what is traced: a worker that is killed sends nothing any more
            with line(server.people, server.root) as people:
                people.send("GET", "/api/v1/persons/nobody-here", x_request_id="read-1", traceparent=TRACEPARENT, **headers)
                provider = {
                    "name": "There",
                    "issuer_url": f"https://127.0.0.1:{collector.port}/realm",
                    "client_id": "us",
                    "client_secret": "c1ientsecret",
                }
                path = "/api/v1/auth/oidc/providers"
                made = people.send("POST", path, provider, x_request_id="call-1", traceparent=TRACEPARENT, **headers)
                found["called"] = (made.status, made.body)
                body = Requester(server).sign_body("traced.example.org")
                with line(server.machines, server.root) as machines:
                    found["signed"] = machines.send("POST", "/sign", body, x_request_id="sign-1").status
                people.send("GET", "/welcome/t0kensecret?mark=q7secret", x_request_id="page-1", traceparent="00-rubbish-1")
            server.stop()
        yield collector, found


def counts_of(server, headers):
    """What both workers counted together, before one is killed and after another has taken its place."""
    health, strangers = {"route": "/health", "method": "GET", "status": "2xx"}, {"route": "unknown", "status": "4xx"}
    for _ in range(12):
        with line(server.status, server.root) as opened:  # each connection comes to one worker or the other
            assert opened.send("GET", "/health").status == 200
            assert opened.send("GET", "/no/such/path").status == 404

    def now(labels):
        with line(server.people, server.root) as opened:
            return counted(opened, headers, listener="status", **labels)

    # Both kinds: a worker that is killed takes with it what it has not published yet.
    wait_until(lambda: (now(health), now(strangers)) == (12, 12), "what both workers counted")
    before = server.workers()
    os.kill(before[0], signal.SIGKILL)
    wait_until(lambda: len(server.workers()) == 2 and server.workers() != before)
    with line(server.status, server.root) as opened:
        opened.send("GET", "/health")
    seen = []

    def is_counted():
        seen.append(now(health))
        return seen[-1] == 13

    wait_until(is_counted, "what was counted by the worker that took the place of another")
    return seen, now(strangers)


def test_collector_is_told_of_a_request_by_the_template_of_its_path_in_the_trace_of_its_caller(told):
    collector, _ = told
    read = collector.of_request("read-1")
    assert (read.trace, read.parent, read.kind) == (CALLERS_TRACE, CALLERS_SPAN, SERVER)
    assert (read.name, read.service) == ("GET /api/v1/persons/{name}", "sealwright")
    assert read.attributes == {
        "http.request.method": "GET",
        "http.route": "/api/v1/persons/{name}",
        "http.response.status_code": 404,
        "url.scheme": "https",
        "sealwright.listener": "people",
        "sealwright.request_id": "read-1",
    }
    (decision,) = [each for each in collector.within(read) if each.name == "policy decision"]
    assert decision.attributes == {"sealwright.permission": "person:read", "sealwright.allowed": True}


def test_call_to_another_server_is_a_part_of_the_request_that_makes_it(told):
    collector, found = told
    assert found["called"][0] == 400  # nothing speaks TLS there
    calls = [each for each in collector.within(collector.of_request("call-1")) if each.kind == CLIENT]
    assert {(each.attributes["server.port"], each.failed) for each in calls} == {(collector.port, True)}


async def test_other_servers_are_told_the_trace_in_which_they_are_called():
    outbound = GuardedOutbound(allow_private=[ip_network("127.0.0.0/8")], allow_http=True)
    tracing = OpenTelemetry(TracerProvider(shutdown_on_exit=False), follow_callers=True)
    with trace_collector() as collector:
        with tracing.request("people", "GET", "/", "id-7", {"traceparent": TRACEPARENT}):
            await outbound.get(f"{collector.url}/realm")
        await outbound.get(f"{collector.url}/other")
    (path, sent), untraced = collector.calls
    assert (path, str(sent)[:36]) == ("/realm", f"00-{CALLERS_TRACE}-")
    assert CALLERS_SPAN not in str(sent)
    assert untraced == ("/other", None)


def test_stages_of_a_certificate_are_parts_of_its_request(told):
    collector, found = told
    assert found["signed"] == 201
    signed = collector.of_request("sign-1")
    assert signed.attributes["http.route"] == "/sign"
    assert [each.name for each in collector.within(signed)].count("database commit") == 2  # intent, and certificate
    assert {each.name for each in collector.within(signed)} == {"policy decision", "key use", "database commit"}
    assert not any(each.failed for each in (signed, *collector.within(signed)))


def test_header_that_is_no_trace_begins_one(told):
    collector, _ = told
    page = collector.of_request("page-1")
    assert page.parent == ""
    assert page.trace not in (CALLERS_TRACE, "0" * 32)


def test_no_query_path_or_secret_is_told(told):
    collector, _ = told
    content = b"".join(collector.content)
    assert b"/welcome/{token}" in content
    for secret in (b"q7secret", b"c1ientsecret", b"t0kensecret", ADMIN_PASSWORD.encode(), b"nobody-here"):
        assert secret not in content


def test_requests_of_all_workers_are_counted_and_none_is_forgotten_with_a_worker(told):
    _, found = told
    seen, strangers = found["counts"]
    assert min(seen) >= 12
    assert (seen[-1], strangers) == (13, 12)
