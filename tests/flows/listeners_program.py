"""A program with a few routes, served by the real supervisor in a process of its own.

Run as ``python -m tests.flows.listeners_program DIRECTORY``. The directory holds ``settings.json``, ``server.pem``,
``server.key`` and ``trust.pem``; the addresses are printed as one JSON line once every worker serves.
"""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
import json
import os
import sys
import time
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sealwright.clock import SystemClock
from sealwright.entropy import SystemEntropy
from sealwright.errors import Failure, Refused, Unavailable
from sealwright.http import Listener, Request, Response, Route, Wire, json_response
from sealwright.ip import IpNetwork
from sealwright.request_counts import RequestCounts
from sealwright.runtime.application import Application
from sealwright.runtime.listener_state import Limits
from sealwright.runtime.listeners import ListenAddress
from sealwright.runtime.logs import Log, open_log
from sealwright.runtime.proxies import ListedProxies
from sealwright.runtime.supervisor import Plan, Program, Supervisor
from sealwright.runtime.systemd import Notifier
from sealwright.runtime.tls import TlsMaterial

COUNTS = RequestCounts(8)
"""Made before the fork, for as many workers as any test asks for."""


@dataclass(frozen=True)
class Chosen:
    """What the settings file holds."""

    directory: Path
    greeting: str
    workers: int
    ports: Mapping[str, int]
    limits: Mapping[str, float]
    drain: float
    proxies: tuple[str, ...]
    certificate_proxies: tuple[str, ...]
    fails: str
    longest_silence: float


def load(directory: Path) -> Chosen:
    try:
        read = json.loads((directory / "settings.json").read_text())
    except ValueError as cause:
        raise Refused(f"{directory / 'settings.json'} is not JSON.") from cause
    return Chosen(
        directory,
        read.get("greeting", "hello"),
        read.get("workers", 1),
        read.get("ports", {}),
        read.get("limits", {}),
        read.get("drain", 5.0),
        tuple(read.get("proxies", ())),
        tuple(read.get("certificate_proxies", ())),
        read.get("fails", ""),
        read.get("longest_silence", 30.0),
    )


def material(directory: Path) -> TlsMaterial:
    return TlsMaterial(*((directory / name).read_bytes() for name in ("server.pem", "server.key", "trust.pem")))


def networks(texts: Iterable[str]) -> tuple[IpNetwork, ...]:
    return tuple(ipaddress.ip_network(each) for each in texts)


def plan(chosen: Chosen) -> Plan:
    return Plan(
        addresses=tuple(
            ListenAddress(
                each, "127.0.0.1", chosen.ports.get(str(each), 0), tls=each is not Listener.STATUS, said_in="settings.json"
            )
            for each in Listener
        ),
        workers=chosen.workers,
        proxies=ListedProxies(networks(chosen.proxies), networks(chosen.certificate_proxies)),
        limits=Limits(**chosen.limits),  # type: ignore[arg-type] # whole numbers and floats alike
        drain=timedelta(seconds=chosen.drain),
        look_for_certificate=timedelta(seconds=0.3),
        longest_silence=timedelta(seconds=chosen.longest_silence),
    )


class Handlers:
    def __init__(self, chosen: Chosen) -> None:
        self._chosen = chosen
        self._counted = 0
        self._constant = Response(200, json.dumps({"keys": "k" * 400}).encode(), (("content-type", "application/json"),))

    async def constant(self, request: Request) -> Response:
        return self._constant

    async def count(self, request: Request) -> Response:
        self._counted += 1
        told = {"count": self._counted, "origin": request.origin, "greeting": self._chosen.greeting}
        return json_response(int(request.path_parameters["status"]), told)

    async def count_late(self, request: Request) -> Response:
        await asyncio.sleep(0.01)
        return await self.count(request)

    async def large(self, request: Request) -> Response:
        return Response(200, bytes(8_000_000))

    async def hello(self, request: Request) -> Response:
        return json_response(200, {"greeting": self._chosen.greeting, "pid": os.getpid(), "query": request.query_text})

    async def echo(self, request: Request) -> Response:
        return Response(200, request.body, (("content-type", "application/octet-stream"), ("cache-control", "max-age=60")))

    async def wait(self, request: Request) -> Response:
        await asyncio.sleep(int(request.path_parameters["ms"]) / 1000)
        return json_response(200, {"greeting": self._chosen.greeting, "waited": request.path_parameters["ms"]})

    async def block(self, request: Request) -> Response:
        time.sleep(int(request.path_parameters["ms"]) / 1000)  # noqa: ASYNC251 - stands for a step that takes long
        return Response(204)

    async def who(self, request: Request) -> Response:
        certificate = request.peer.certificate
        return json_response(
            200,
            {
                "certificate": hashlib.sha256(certificate).hexdigest() if certificate else None,
                "told": hashlib.sha256(request.peer.forwarded_certificate).hexdigest()
                if request.peer.forwarded_certificate
                else None,
                "forwarding_fault": request.peer.forwarding_fault,
                "address": request.peer.address,
                "origin": request.origin,
                "headers": dict(request.headers),
            },
        )

    async def bug(self, request: Request) -> Response:
        raise RuntimeError(f"cannot use {request.body.decode()} and {request.query_text}")

    async def stream(self, request: Request) -> Response:
        """`pieces` of `size` bytes each; after half of them `ends` says what happens."""
        asked = request.query()
        pieces, size, ends = int(asked["pieces"]), int(asked["size"]), asked.get("ends", "")
        return Response(200, chunks=self._pieces(pieces, size, ends), headers=(("content-type", "text/plain"),))

    async def _pieces(self, pieces: int, size: int, ends: str) -> AsyncGenerator[bytes, None]:
        try:
            for number in range(pieces):
                if number == pieces // 2 and ends == "bug":
                    raise RuntimeError("the stream breaks off")
                if number == pieces // 2 and ends == "late":
                    await asyncio.sleep(60)
                yield b"%d " % number + b"x" * size
                if ends == "slow":
                    await asyncio.sleep(0.05)
        finally:
            with (self._chosen.directory / "streams").open("a") as file:
                file.write("ended\n")

    async def broken_header(self, request: Request) -> Response:
        return Response(200, b"", (("location", "/\r\nset-cookie: stolen=1"),))


def answer_failure(request: Request, failure: Exception) -> Response:
    status = 503 if isinstance(failure, Unavailable) else 400 if isinstance(failure, Failure) else 500
    message = failure.detail if isinstance(failure, Failure) else request.request_id
    return json_response(status, {"step": message})


def routes(chosen: Chosen) -> list[Route]:
    handlers = Handlers(chosen)
    table = {
        ("GET", "constant"): handlers.constant,
        ("GET", "large"): handlers.large,
        ("GET", "hello"): handlers.hello,
        ("POST", "echo"): handlers.echo,
        ("GET", "wait/{ms}"): handlers.wait,
        ("GET", "block/{ms}"): handlers.block,
        ("GET", "who"): handlers.who,
        ("POST", "bug"): handlers.bug,
        ("GET", "broken-header"): handlers.broken_header,
        ("GET", "stream"): handlers.stream,
    }
    return [
        Route(method, f"/{path}", each, frozenset(Listener), "public: test", Wire.STEP, max_body=1000)
        for (method, path), each in table.items()
    ] + [
        Route("GET", path, each, frozenset(Listener), "public: test", Wire.STEP, same_for=timedelta(seconds=1))
        for path, each in {
            "/same/{status}": handlers.count,
            "/late/{status}": handlers.count_late,
            "/same-stream": handlers.stream,
        }.items()
    ]


async def build(chosen: Chosen, urls: Mapping[Listener, str]) -> Application:
    if chosen.fails:
        raise Refused(chosen.fails, hint="Do not ask for it.")

    async def tls() -> TlsMaterial:
        return material(chosen.directory)

    async def close() -> None:
        with (chosen.directory / "closed").open("a") as file:
            file.write(f"{os.getpid()} {chosen.greeting}\n")

    return Application(routes(chosen), {Wire.STEP: answer_failure}, tls=tls, close=close, request_counts=COUNTS)


def open_program_log(chosen: Chosen) -> Log:
    return open_log("info", SystemClock())


def ready(chosen: Chosen, urls: Mapping[Listener, str]) -> None:
    sys.stdout.write(json.dumps({str(listener): url for listener, url in urls.items()}) + "\n")
    sys.stdout.flush()


def main(directory: Path) -> int:
    program = Program(
        load=lambda: load(directory),
        plan=plan,
        tls=lambda chosen, urls: material(chosen.directory),
        build=build,
        open_log=open_program_log,
        ready=ready,
    )
    notifier = Notifier(os.environ.get("NOTIFY_SOCKET"), timedelta(seconds=1))
    try:
        Supervisor(program, clock=SystemClock(), entropy=SystemEntropy(), notifier=notifier).run()
    except Failure as failure:
        sys.stderr.write(f"{failure.detail}\n{failure.hint}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
