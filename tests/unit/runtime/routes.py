"""Small routes and logs for tests of the server."""

from __future__ import annotations

import io
import json
from typing import Any

from sealwright.clock import FixedClock, Instant
from sealwright.errors import Failure
from sealwright.http import FailureAnswer, Handler, Listener, Request, Response, Route, Wire, json_response
from sealwright.runtime.application import Application, Dispatcher, Exchange, InFlight
from sealwright.runtime.http_response import ServedOrigin, site_of
from sealwright.runtime.logs import Log, open_log

SITE: ServedOrigin = site_of("https", "id.example.org")


async def nothing(request: Request) -> Response:
    return Response(204)


def route(method: str, path: str, handler: Handler = nothing, *, wire: Wire = Wire.STEP) -> Route:
    return Route(method, path, handler, frozenset(Listener), "public: test", wire)


def words_of(wire: Wire) -> FailureAnswer:
    def answer(request: Request, failure: Exception) -> Response:
        told = failure.detail if isinstance(failure, Failure) else request.request_id
        return json_response(400 if isinstance(failure, Failure) else 500, {"wire": str(wire), "told": told})

    return answer


def open_test_log(level: str = "debug") -> tuple[Log, io.StringIO]:
    stream = io.StringIO()
    return open_log(level, FixedClock(Instant(1_795_344_000_000)), stream), stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def dispatcher(*routes: Route, listener: Listener = Listener.PEOPLE, log: Log | None = None) -> Dispatcher:
    application = Application(routes, {each: words_of(each) for each in Wire})
    return Dispatcher(application, listener, InFlight(), log or open_test_log()[0])


def begin(found: Dispatcher, method: str, path: str, **fields: Any) -> Exchange:
    return found.begin(Request(method, path, request_id="id-1", **fields), path, SITE)
