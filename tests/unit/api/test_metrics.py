"""Metrics are told in the format of Prometheus, and a node is ready only where it can do its work."""

import asyncio
import json
import os
import re
import shutil
from datetime import timedelta

import pytest

from sealwright.access import SYSTEM
from sealwright.api.metrics import METRICS, exposition
from tests.reference_script import ROOT
from tests.unit.api.world import server_world

DASHBOARD = ROOT / "docs" / "howto" / "sealwright-dashboard.json"
SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\]|\\.)*",?)+)\})? (-?[0-9.e+-]+)')
PARTS = re.compile("_(?:bucket|sum|count)$")
"""What a histogram adds to its name."""


async def everything(world, token):
    """The metrics of a server on which each of them has a value."""
    await world.app.parts.forwarding.create("siem", "https://siem.example.org/", (), SYSTEM)
    await world.app.parts.checkpoints.make(SYSTEM)
    for seconds in (0.0, 0.004, 20.0):
        world.app.around.request_counts.series("people", "GET", "/health").add(200, seconds)
    response = await world.send("GET", "/metrics", token=token)
    assert response.status == 200, response.body
    assert dict(response.headers)["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return response.body.decode()


async def test_every_line_is_a_sample_of_a_declared_metric_with_bounded_labels():
    async with server_world() as world:
        text = await everything(world, await world.token("chief", "system_admins"))
        samples = [line for line in text.splitlines() if not line.startswith("#")]
        found = [match for line in samples if (match := SAMPLE.fullmatch(line))]
        assert len(found) == len(samples)
        told = {match[1] if match[1] in METRICS else PARTS.sub("", match[1]) for match in found}
        assert told == {name for name in METRICS if "mail_oldest" not in name}
        assert text.count("# TYPE") == len(told)
        values = {match[1]: float(match[3]) for match in found}
        assert (values["sealwright_signing_key_usable"], values["sealwright_audit_sink_waiting_events"]) == (1, 2)


async def test_requests_are_told_by_listener_method_template_and_class_of_status_and_by_their_duration():
    async with server_world() as world:
        text = await everything(world, await world.token("chief", "system_admins"))
    labels = 'listener="people",method="GET",route="/health"'
    assert f'sealwright_http_requests_total{{{labels},status="2xx"}} 3\n' in text
    name = "sealwright_http_request_duration_seconds"
    counts = re.findall(rf'{name}_bucket{{{labels},le="([^"]+)"}} (\d+)', text)
    assert [number for _, number in counts] == ["1"] + ["1"] + ["2"] * 10 + ["3"]
    assert (counts[2][0], counts[-1][0]) == ("0.005", "+Inf")
    assert f"{name}_sum{{{labels}}} 20.004\n{name}_count{{{labels}}} 3\n" in text


async def test_metrics_are_for_those_who_may_read_them():
    async with server_world() as world:
        assert (await world.send("GET", "/metrics")).status == 401
        assert (await world.send("GET", "/metrics", token=await world.token("ruth", "auditors"))).status == 403


def test_value_of_a_label_cannot_make_another_line():
    told = exposition([("sealwright_audit_sink_failures", {"sink": 'a"} 1\nforged{x="\\'}, 3)]).decode()
    assert told.splitlines()[-1] == 'sealwright_audit_sink_failures{sink="a\\"} 1\\nforged{x=\\"\\\\"} 3'


def test_every_metric_of_the_dashboard_is_there_and_every_metric_is_on_it():
    panels = json.loads(DASHBOARD.read_text())["panels"]
    used = {name for panel in panels for target in panel["targets"] for name in re.findall(r"sealwright_\w+", target["expr"])}
    assert {name if name in METRICS else PARTS.sub("", name) for name in used} == set(METRICS)


async def test_promtool_finds_nothing_to_say_about_the_metrics():
    promtool = shutil.which("promtool")
    if promtool is None:
        missing = "promtool is missing: run scripts/debian-packages test"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    async with server_world() as world:
        text = await everything(world, await world.token("chief", "system_admins"))
    pipe = asyncio.subprocess.PIPE
    checking = await asyncio.create_subprocess_exec(str(promtool), "check", "metrics", stdin=pipe, stdout=pipe, stderr=pipe)
    assert (*await checking.communicate(text.encode()), checking.returncode) == (b"", b"", 0)


async def test_node_is_ready_while_it_can_do_its_work_and_says_what_is_wrong_else():
    async with server_world() as world:
        status, told = await world.call("GET", "/ready", token=await world.token("chief", "system_admins"))
        assert (status, told["ready"]) == (200, True)
        assert set(told["checks"]) == {"database", "signing key", "authorities", "clock"}
        world.clock.advance(timedelta(days=40_000))
        world.ca.issuers.forget()
        token = await world.token("chief2", "system_admins")
        status, told = await world.call("GET", "/ready", token=token)
        assert (status, told["ready"]) == (503, False)
        assert "has expired" in told["checks"]["authorities"]


async def test_stranger_learns_only_whether_a_node_is_ready():
    async with server_world() as world:
        assert await world.call("GET", "/ready") == (200, {"ready": True, "checks": {}})
        auditor = await world.token("ruth", "auditors")
        world.clock.advance(timedelta(hours=-2))
        for token in (None, auditor, "not-a-token"):
            assert await world.call("GET", "/ready", token=token) == (503, {"ready": False, "checks": {}})


async def test_node_whose_clock_is_behind_is_not_ready():
    async with server_world() as world:
        await world.token("chief", "system_admins")
        world.clock.advance(timedelta(hours=-2))
        token = await world.token("deputy", "system_admins")
        status, told = await world.call("GET", "/ready", token=token)
        assert (status, told["checks"]["clock"][:32]) == (503, "the newest event is 7200 seconds")
