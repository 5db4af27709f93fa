"""However bytes are cut into pieces, and whatever they are, a connection answers the same and keeps its word."""

from __future__ import annotations

import asyncio
import re
import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sealwright.clock import FixedClock, Instant
from sealwright.entropy import SeededEntropy
from sealwright.http import Listener, Request, Response, Route, Wire
from sealwright.runtime.application import Application, Dispatcher, InFlight
from sealwright.runtime.connection import HttpConnection
from sealwright.runtime.connection_limit import ConnectionLimit
from sealwright.runtime.listener_state import CoarseClock, Limits, ListenerState, RequestIds, WorkerState
from sealwright.runtime.proxies import ListedProxies, Proxies
from sealwright.runtime.throttled_log import ThrottledLog
from tests.unit.runtime.routes import open_test_log, words_of

LIMITS = Limits(head_bytes=2048, url_bytes=512, headers=20)


class Wired:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.written = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close

    def pause_reading(self) -> None:
        pass

    resume_reading = pause_reading

    def get_extra_info(self, name: str) -> None:
        return None


async def echo(request: Request) -> Response:
    return Response(200, request.body or request.query_text.encode())


async def late(request: Request) -> Response:
    await asyncio.sleep(0)
    return Response(200, request.query_text.encode())


def converse(pieces: list[bytes], limits: Limits = LIMITS) -> tuple[bytes, bool, str, float]:
    """What comes back, whether the connection was closed, what was logged, and the processor's time for the slowest piece."""

    async def scenario() -> tuple[bytes, bool, str, float]:
        loop = asyncio.get_running_loop()
        log, stream = open_test_log("warning")
        routes = [
            Route(method, f"/{name}", each, frozenset(Listener), "public: test", Wire.STEP, max_body=64)
            for method, name, each in (("POST", "echo", echo), ("GET", "echo", echo), ("GET", "late", late))
        ]
        dispatcher = Dispatcher(Application(routes, {Wire.STEP: words_of(Wire.STEP)}), Listener.STATUS, InFlight(), log)
        clock = FixedClock(Instant(1_795_344_000_000))
        unread = ThrottledLog(log.warning, "unread", loop.time)
        worker = WorkerState(
            limits=limits,
            coarse_clock=CoarseClock(loop, clock),
            request_ids=RequestIds(SeededEntropy(1)),
            proxies=Proxies(ListedProxies(), clock, unread),
            log=log,
        )
        limit = ConnectionLimit(1, unread, unread)
        listener = ListenerState(Listener.STATUS, "http://127.0.0.1:8080", dispatcher, None, worker, limit)
        wired: Any = Wired()
        connection = HttpConnection(listener, loop, wired)
        connection.connection_made(wired)
        slowest = 0.0

        def receive(piece: bytes) -> None:
            nonlocal slowest
            begun = time.process_time()
            connection.data_received(piece)
            slowest = max(slowest, time.process_time() - begun)

        for piece in pieces:
            loop.call_soon(receive, piece)
            await asyncio.sleep(0)
        for _ in range(60):
            await asyncio.sleep(0)
        # A peer that was still sending has its while to read the last answer; one that may send more has longer.
        connection.sweep(listener.coarse_clock.now + limits.linger_seconds)
        closed = wired.closed
        connection.connection_lost(None)
        return wired.written, closed, stream.getvalue(), slowest

    return asyncio.run(scenario())


QUERIES = st.text("abcdefgh", max_size=8)


def get(name: str, query: str) -> bytes:
    return f"GET /{name}?{query} HTTP/1.1\r\nHost: a\r\n\r\n".encode()


def post(body: bytes) -> bytes:
    return f"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def chunked(chunks: list[bytes]) -> bytes:
    framed = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks if chunk)
    return b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n"


SOUND = st.one_of(
    st.builds(lambda name, query: (get(name, query), query.encode()), st.sampled_from(["echo", "late"]), QUERIES),
    st.builds(lambda body: (post(body), body), st.binary(max_size=64)),
    st.builds(lambda chunks: (chunked(chunks), b"".join(chunks)), st.lists(st.binary(max_size=12), max_size=5)),
)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted({place % (len(data) + 1) for place in places}), len(data)]
    return [data[start:end] for start, end in pairwise(edges) if end > start]


def bodies(written: bytes) -> list[bytes]:
    found = []
    while written:
        head, _, rest = written.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        length = re.search(rb"\r\ncontent-length: (\d+)", head)
        assert length is not None
        found.append(rest[: int(length[1])])
        written = rest[int(length[1]) :]
    return found


@settings(max_examples=150, deadline=None)
@given(st.lists(SOUND, min_size=1, max_size=8), st.lists(st.integers(0, 5000), max_size=30))
def test_sound_requests_are_answered_in_order_however_they_are_cut(
    requests: list[tuple[bytes, bytes]], places: list[int]
) -> None:
    written, closed, logged, _ = converse(cut(b"".join(request for request, _ in requests), places))
    assert bodies(written) == [expected for _, expected in requests]
    assert not closed
    assert logged == ""


HEADS = st.sampled_from(
    [
        "GET {} HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET {} HTTP/1.0\r\n\r\n",
        "GET {} HTTP/1.1\r\n\r\n",
        "GET {} HTTP/2.0\r\nHost: a\r\n\r\n",
        "HEAD {} HTTP/1.1\r\nHost: a\r\n\r\n",
        "DELETE {} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab",
        "GET {} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET {} HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
        "POST {} HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\na",
        "POST {} HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 99\r\n\r\n",
        "POST {} HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 1\r\n\r\na",
        "POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        "POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        "POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: 65\r\n\r\n" + "x" * 65,
        "POST {} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\na",
        "POST {} HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\nContent-Length: 1\r\n\r\na",
        "POST {} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX: y\r\n\r\n",
        "POST {} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST {} HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "rubbish\r\n\r\n",
    ]
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(HEADS, st.sampled_from(["echo", "late", "nothing"]), QUERIES), min_size=1, max_size=6),
    st.lists(st.integers(0, 5000), max_size=20),
    st.lists(st.integers(0, 5000), max_size=20),
)
def test_requests_are_answered_alike_however_they_are_cut(
    requests: list[tuple[str, str, str]], places: list[int], others: list[int]
) -> None:
    def said(places: list[int]) -> tuple[bytes, bool]:
        text = "".join(head.replace("{}", f"/{name}?{query}") for head, name, query in requests)
        written, closed, logged, _ = converse(cut(text.encode(), places))
        assert logged == ""
        written = written.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"")  # need not be said once the body is there
        return re.sub(rb"\r\n(date|x-request-id): [^\r]*", b"", written), closed

    assert said(places) == said(others)


@settings(max_examples=150, deadline=None)
@given(SOUND, st.binary(max_size=60), st.integers(0, 200), st.lists(st.integers(0, 5000), max_size=10))
@example((get("echo", "a"), b"a"), b"\r\n\r\n", 0, [])
def test_damaged_requests_never_break_the_server(
    request: tuple[bytes, bytes], damage: bytes, place: int, places: list[int]
) -> None:
    where = place % (len(request[0]) + 1)
    damaged = request[0][:where] + damage + request[0][where:]
    written, closed, logged, _ = converse(cut(damaged, places))
    assert logged == ""
    statuses = [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+) ", written)]
    assert set(statuses) <= {100, 200, 400, 404, 405, 408, 413, 414, 417, 431, 501, 505}
    assert len(statuses) <= 3
    if not {100, 200, 400, 404, 405}.issuperset(statuses):
        assert closed or b"\r\nconnection: close\r\n" in written


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(max_size=400), max_size=10))
def test_arbitrary_bytes_never_break_the_server(pieces: list[bytes]) -> None:
    written, _, logged, _ = converse(pieces)
    assert logged == ""
    assert written == b"" or written.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5"))
    assert b"HTTP/1.1 500" not in written


ALLOWED = 0.005
BEGINNING = b"GET /echo HTTP/1.1\r\nHost: a\r\n"


@pytest.mark.parametrize(
    "head",
    [
        BEGINNING + b"X:\r\n" * 15_000 + b"\r\n",
        BEGINNING + b"Cookie:\r\n" * 7_000 + b"\r\n",
        BEGINNING + b"Cookie: " + b";" * 60_000 + b"\r\n\r\n",
        BEGINNING + b"X: " + b"x" * 65_000 + b"\r\n\r\n",
        BEGINNING + (b"X: " + b"x" * 640 + b"\r\n") * 99 + b"\r\n",
        BEGINNING + b"X-Forwarded-For: " + b"," * 60_000 + b"\r\n\r\n",
        b"GET /" + b"%2F/" * 4_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET " + b"/" * 16_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /echo?" + b"&" * 16_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET https://" + b"a." * 8_000 + b"/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: " + b"a." * 30_000 + b"\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 10_000,
        b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b";" * 65_000,
        b"\r\n" * 32_000,
    ],
)
def test_longest_head_is_read_in_linear_time(head: bytes) -> None:
    best = min(converse([head], Limits())[3] for _ in range(5))
    assert best <= ALLOWED, f"{best * 1000:.1f} ms"
