import asyncio
import json
from datetime import timedelta

import pytest

from sealwright import api, ca, oauth
from sealwright.errors import Conflict, ContentTooLarge, NotFound, Refused, Unavailable
from sealwright.http import Listener, Response, Route, Wire
from sealwright.runtime.application import Application, Dispatcher, InFlight
from sealwright.runtime.jobs import Job
from tests.unit.runtime.routes import begin, dispatcher, lines, nothing, open_test_log, route, words_of


async def nothing_to_do():
    return None


def failing(failure):
    async def handler(request):
        raise failure

    return handler


def answered(found, method, path, **fields):
    exchange = begin(found, method, path, **fields)
    return asyncio.run(found.answer(exchange))


def test_handler_gets_its_path_parameters():
    async def handler(request):
        return Response(200, f"{request.path} {request.path_parameters['name']}".encode())

    assert answered(dispatcher(route("GET", "/people/{name}", handler)), "GET", "/people/a%20b").body == b"/people/a b a b"


@pytest.mark.parametrize("wire", list(Wire))
def test_failure_is_told_in_the_words_of_the_route(wire):
    answer = answered(dispatcher(route("GET", "/a", failing(Refused("no")), wire=wire)), "GET", "/a")
    assert json.loads(answer.body) == {"wire": str(wire), "told": "no"}


def test_bug_becomes_a_500_and_a_log_line_with_the_request_id():
    log, stream = open_test_log()
    answer = answered(dispatcher(route("GET", "/a/{id}", failing(KeyError("x"))), log=log), "GET", "/a/7")
    assert (answer.status, json.loads(answer.body)["told"]) == (500, "id-1")
    (line,) = lines(stream)
    assert (line["level"], line["event"], line["request_id"], line["route"], line["error"]) == (
        "error",
        "request failed",
        "id-1",
        "/a/{id}",
        ["KeyError"],
    )


def test_refusal_is_no_matter_for_the_log():
    log, stream = open_test_log()
    answered(dispatcher(route("GET", "/a", failing(Refused("no"))), log=log), "GET", "/a")
    assert lines(stream) == []


def test_private_cause_of_an_outage_is_logged_and_not_told():
    outage = Unavailable("The database does not answer.")
    outage.__cause__ = OSError("disk on fire")
    log, stream = open_test_log("warning")
    answer = answered(dispatcher(route("GET", "/a", failing(outage)), log=log), "GET", "/a")
    assert b"fire" not in answer.body
    (line,) = lines(stream)
    assert (line["event"], line["message"]) == ("request ended as unavailable", "disk on fire")


def test_failure_of_the_words_for_failures_is_answered_plainly():
    def broken(request, failure):
        raise TypeError("no words")

    log, stream = open_test_log()
    application = Application([route("GET", "/a", failing(Refused("no")))], {Wire.STEP: broken})
    found = Dispatcher(application, Listener.PEOPLE, InFlight(), log)
    answer = answered(found, "GET", "/a")
    assert answer.status == 500
    assert b"id-1" in answer.body
    assert lines(stream)[0]["error"][0] == "TypeError"


def test_answer_that_cannot_be_sent_becomes_a_500():
    found = dispatcher(route("GET", "/a"))
    exchange = begin(found, "GET", "/a")
    response, header = exchange.with_headers(Response(200, b"", (("location", "/\r\nx: y"),)))
    assert response.status == 500
    assert "x: y" not in header


PEOPLE = [
    route("GET", "/api/v1/people", wire=Wire.API),
    route("POST", "/oauth2/token", wire=Wire.OAUTH),
    route("GET", "/ui/overview", wire=Wire.PAGE),
]


@pytest.mark.parametrize(
    ("listener", "method", "path", "accept", "wire"),
    [
        (Listener.PEOPLE, "GET", "/nothing", "text/html,*/*", Wire.PAGE),
        (Listener.PEOPLE, "GET", "/oauth2/nothing", "text/html,*/*", Wire.PAGE),
        (Listener.PEOPLE, "GET", "/nothing", "application/json", Wire.API),
        (Listener.PEOPLE, "POST", "/nothing", "text/html", Wire.API),
        (Listener.PEOPLE, "GET", "/ui/nothing", "", Wire.API),
        (Listener.PEOPLE, "GET", "/api/v1/nothing", "", Wire.API),
        (Listener.PEOPLE, "GET", "/oauth2/nothing", "", Wire.OAUTH),
        (Listener.PEOPLE, "DELETE", "/oauth2/token", "", Wire.OAUTH),
        (Listener.MACHINES, "GET", "/nothing", "text/html", Wire.STEP),
        (Listener.MACHINES, "GET", "/api/v1/nothing", "", Wire.API),
    ],
)
def test_unknown_paths_are_told_in_the_words_of_the_nearest_wire(listener, method, path, accept, wire):
    answer = answered(dispatcher(*PEOPLE, listener=listener), method, path, headers={"accept": accept})
    assert json.loads(answer.body)["wire"] == str(wire)


def test_unknown_path_on_a_listener_without_a_wire_is_told_plainly():
    answer = answered(dispatcher(route("GET", "/crl/{issuer}"), listener=Listener.STATUS), "GET", "/nothing")
    assert (answer.status, json.loads(answer.body)["message"]) == (404, "There is nothing at /nothing.")


def test_wrong_method_is_405_whatever_the_wire_says():
    answer = answered(dispatcher(*PEOPLE), "DELETE", "/oauth2/token")
    assert (answer.status, dict(answer.headers)["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("wire", "words"),
    [
        (Wire.OAUTH, oauth.answer_failure),
        (Wire.API, api.answer_failure),
        (Wire.STEP, ca.answer_failure),
        (Wire.PAGE, words_of(Wire.PAGE)),
    ],
)
def test_methods_that_are_allowed_are_told_once_on_every_wire(wire, words):
    application = Application([route("POST", "/a", wire=wire)], {wire: words})
    answer = answered(Dispatcher(application, Listener.PEOPLE, InFlight(), open_test_log()[0]), "GET", "/a")
    assert [value for name, value in answer.headers if name.lower() == "allow"] == ["POST"]


def test_too_large_is_413_whatever_the_wire_says():
    assert begin(dispatcher(*PEOPLE), "POST", "/oauth2/token").too_large().status == 413
    assert answered(dispatcher(route("GET", "/a", failing(ContentTooLarge("no")))), "GET", "/a").status == 413


def test_body_limit_is_that_of_the_route():
    async def handler(request):
        return Response(200)

    big = Route("POST", "/import", handler, frozenset(Listener), "public: test", Wire.API, max_body=7_000_000)
    found = dispatcher(big)
    assert begin(found, "POST", "/import").max_body == 7_000_000
    assert begin(found, "POST", "/nothing").max_body == 65_536


def test_routes_belong_to_their_listeners():
    private = Route("GET", "/a", nothing, frozenset({Listener.MACHINES}), "public: test", Wire.STEP)
    assert isinstance(begin(dispatcher(private, listener=Listener.PEOPLE), "GET", "/a").found, NotFound)
    assert isinstance(begin(dispatcher(private, listener=Listener.MACHINES), "GET", "/a").found, Route)


def test_routes_without_parameters_are_found_by_the_bytes_of_their_address():
    found = dispatcher(route("GET", "/a"), route("GET", "/c/{id}"))
    assert list(found.fixed) == [(b"GET", b"/a")]


def test_wire_without_words_is_refused():
    with pytest.raises(ValueError, match="step"):
        Application([route("GET", "/a")], {Wire.API: words_of(Wire.API)})


def test_job_once_per_cluster_needs_leases():
    with pytest.raises(ValueError, match="leases"):
        Application([], {}, jobs=[Job("expire", timedelta(hours=1), nothing_to_do, once_per_cluster=True)])


async def test_application_is_idle_after_its_last_answer():
    release = asyncio.Event()
    in_flight = InFlight()

    async def answer():
        with in_flight:
            await release.wait()
            raise Conflict("no")

    running = [asyncio.create_task(answer()) for _ in range(2)]
    await asyncio.sleep(0)
    idle = asyncio.create_task(in_flight.idle())
    await asyncio.sleep(0)
    before = idle.done()
    running[0].cancel()
    release.set()
    await asyncio.wait_for(idle, 1)
    await asyncio.gather(*running, return_exceptions=True)
    assert before is False
