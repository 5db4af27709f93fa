"""Every route says who may call it, and every failure has words on every wire."""

import re

import pytest

from sealwright.access import Permission
from sealwright.api.operations import EACH
from sealwright.errors import Failure, RateLimited, Unavailable
from sealwright.http import Listener, Request, Wire
from sealwright.runtime.routing import RouteTable
from tests.reference_script import reference

SERVED = reference().served()
FAILURES = [kind for kind in reference().failures() if not kind.__module__.startswith("sealwright.cli.")]
OWN = re.compile(r"signed in: what is one's own(?:; for others (?P<permission>\S+))?")


def label(each):
    return each.__name__ if isinstance(each, type) else str(each)


@pytest.mark.parametrize("route", SERVED.routes, ids=lambda route: f"{route.method} {route.path}")
def test_route_states_who_may_call_it(route):
    permissions = set(map(str, Permission))
    own = OWN.fullmatch(route.access)
    stated = (
        route.access in permissions
        or re.fullmatch(r"public: \S.{8,}", route.access)
        or route.access == EACH
        or (own and own["permission"] in {None, *permissions})
    )
    assert stated, route.access
    assert route.handler.__doc__
    assert route.listeners


@pytest.mark.parametrize("listener", Listener)
def test_listener_has_no_two_routes_for_one_address(listener):
    RouteTable(route for route in SERVED.routes if listener in route.listeners)
    assert any(listener in route.listeners for route in SERVED.routes)


def test_every_wire_has_words_for_failures():
    assert set(SERVED.failures) == set(Wire)


@pytest.mark.parametrize("wire", Wire)
def test_failure_is_told_and_is_no_fault_of_the_server(wire):
    answers = {kind: SERVED.failures[wire](Request("GET", "/", request_id="r-1"), reference().example(kind)) for kind in FAILURES}
    assert [kind for kind, answer in answers.items() if answer.status == 500 or not 400 <= answer.status < 600] == []
    later = {kind: dict(answer.headers).get("retry-after") for kind, answer in answers.items() if answer.status in (429, 503)}
    assert later == dict.fromkeys(later, "5")
    assert later


@pytest.mark.parametrize("wire", Wire)
def test_what_is_no_failure_tells_only_the_number_of_the_request(wire):
    answer = SERVED.failures[wire](Request("GET", "/", request_id="r-1"), KeyError("private"))
    assert answer.status == 500
    assert b"r-1" in answer.body
    assert b"private" not in answer.body


@pytest.mark.parametrize("kind", FAILURES, ids=label)
def test_failure_is_described_and_has_a_code(kind):
    assert (kind.__doc__ or "").strip().endswith(".")
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", kind.code)
    assert kind.code != Failure.code
    assert kind is not Failure


def test_failures_that_pass_by_themselves_say_when():
    waiting = [kind for kind in FAILURES if issubclass(kind, RateLimited | Unavailable)]
    assert all(reference().example(kind).retry_after > 0 for kind in waiting)
    assert waiting
