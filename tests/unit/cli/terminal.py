"""A terminal of a user on a machine of their own, and the whole server behind it in this process."""

from __future__ import annotations

import asyncio
import contextlib
import io
import ssl
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TextIO
from urllib.parse import parse_qsl, urlsplit

import msgspec

from sealwright.access import SYSTEM
from sealwright.ca import certificates_pem
from sealwright.cli import run
from sealwright.cli.dependencies import CommandDependencies
from sealwright.cli.https import Answer
from sealwright.cli.return_page import Page
from sealwright.clock import to_datetime
from sealwright.http import Peer, Request
from sealwright.identity import SESSION_COOKIE
from sealwright.oauth import RedirectStep
from tests.unit.api.world import MACHINES, PEOPLE, ServerWorld, server_world
from tests.unit.identity.world import PASSWORD

Accept = Callable[[Mapping[str, str]], bool]


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def members(self) -> list[str]:
        """Lines of standard output with single spaces."""
        return [" ".join(line.split()) for line in self.out.splitlines()]

    @property
    def json(self) -> Any:
        """The one JSON value of standard output."""
        return msgspec.json.decode(self.out)

    @property
    def lines(self) -> list[Any]:
        """The JSON values of standard output, one per line."""
        return [msgspec.json.decode(line) for line in self.out.splitlines()]


class InProcess:
    """Hands calls to the server in this process; other hosts are not there."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def exchange(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        terminal, parts = self._terminal, urlsplit(url)
        origin = f"{parts.scheme}://{parts.hostname}:{parts.port or 443}"
        terminal.requests.append(f"{method} {url}")
        if terminal.failing is not None:
            raise terminal.failing
        if origin not in terminal.world.listeners:
            raise ConnectionRefusedError(111, "Connection refused")
        received = Request(
            method=method,
            path=parts.path,
            query_text=parts.query,
            headers={name.lower(): value for name, value in headers.items()},
            body=body or b"",
            peer=Peer("192.0.2.7", terminal.peer_certificate if origin == MACHINES else None),
            request_id="request-1",
        )
        answer = terminal.wait(terminal.world.answer(origin, received))
        return Answer(answer.status, answer.body, dict(answer.headers).get("etag", ""))

    def download(self, url: str, headers: Mapping[str, str], take: Callable[[bytes], None]) -> Answer:
        terminal, parts = self._terminal, urlsplit(url)
        origin = f"{parts.scheme}://{parts.hostname}:{parts.port or 443}"
        given = {name.lower(): value for name, value in headers.items()}
        request = Request("GET", parts.path, parts.query, given, peer=Peer("192.0.2.7"), request_id="request-1")

        async def received() -> Answer:
            answer = await terminal.world.answer(origin, request)
            if answer.chunks is None:
                return Answer(answer.status, answer.body)
            async for chunk in answer.chunks:
                take(chunk)
            return Answer(answer.status, b"")

        answer: Answer = terminal.wait(received())
        return answer


@dataclass
class FakeLoopback:
    """Where the simulated browser leaves its answer."""

    number: int
    answers: list[dict[str, str]] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)

    @property
    def port(self) -> int:
        return self.number

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, page: Page) -> None:
        self.pages.append(page)

    def wait(self, accept: Accept, seconds: float) -> dict[str, str] | None:
        return next((each for each in self.answers if accept(each)), None)


class Terminal:
    """Runs commands as one user of one machine."""

    def __init__(self, place: Path, loop: asyncio.AbstractEventLoop, world: ServerWorld) -> None:
        self.place = place
        self.loop = loop
        self.world = world
        self.requests: list[str] = []
        self.failing: BaseException | None = None
        self.peer_certificate: bytes | None = None
        self.browser_user: str | None = None
        self.pasted: Callable[[str], str] | None = None
        """What is typed while a browser elsewhere came back to the address it is called with."""
        self.came_back_to = ""
        """Where the browser elsewhere ended."""
        self.opened: list[str] = []
        self.contexts: list[ssl.SSLContext] = []
        self.loopback = FakeLoopback(40_001)
        self.hidden: list[str] = []
        self.server_side: Any = None
        (root,) = self.wait(world.ca.issuers.roots())
        self.root = place / "root_ca.crt"
        self.root.write_text(certificates_pem((root.certificate_der,)))
        self.environ = {
            "HOME": str(place / "user"),
            "SEALWRIGHT_HOME": str(place / "no-server-here"),
            "SEALWRIGHT_URL": PEOPLE,
            "SEALWRIGHT_CA": str(self.root),
        }

    def wait(self, coroutine: Any) -> Any:
        return self.loop.run_until_complete(coroutine)

    def run(self, *arguments: str | Path, stdin: str = "", tty: bool = False, environ: Mapping[str, str] | None = None) -> Result:
        out, err = io.StringIO(), io.StringIO()
        dependencies = CommandDependencies(
            environ={**self.environ, **(environ or {})},
            now=lambda: to_datetime(self.world.clock.now()),
            random=self.world.entropy.bytes,
            transport=self._transport,
            open_browser=self._open_browser,
            listen=self._listen,
            ask_hidden=lambda _: self.hidden.pop(0),
            stdin=io.StringIO(stdin),
            typed_line=self._typed_line,
            is_terminal=lambda _: tty,
        )
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), contextlib.chdir(self.place):
            code = run([str(argument) for argument in arguments], server_side=lambda: self.server_side, dependencies=dependencies)
        return Result(code, out.getvalue(), err.getvalue())

    def ok(self, *arguments: str | Path, stdin: str = "", tty: bool = False) -> Result:
        """Run a command that must succeed."""
        done = self.run(*arguments, stdin=stdin, tty=tty)
        assert done.code == 0, done
        return done

    def file(self, name: str, content: str | bytes) -> Path:
        (self.place / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return self.place / name

    def person(self, name: str, *groups: str, mails: tuple[str, ...] = ()) -> None:
        self.wait(self.world.person(name, *groups, mails=mails))

    def sign_in(self, name: str, *groups: str) -> None:
        """Make a person in these groups and sign in as them."""
        self.person(name, *groups)
        self.ok("login", "-D", name, "--password-file", "-", stdin=f"{PASSWORD}\n")

    def set_up_step_ca(self) -> None:
        """Alice with an address, the client and the provisioner that let her have a certificate."""
        world = self.world

        async def body() -> None:
            await world.person("alice", mails=("alice@example.org",))
            await world.directory.create_group("step-ca_users", actor=SYSTEM)
            await world.directory.add_members("step-ca_users", ["alice"], actor=SYSTEM)
            clients = world.oauth.clients
            await clients.create_public("step-ca", "Step-CA", "https://ca.example.org", actor=SYSTEM)
            await clients.change("step-ca", {"localhost_redirects": True}, actor=SYSTEM)
            await clients.update_scope_map("step-ca", "step-ca_users", ["openid", "email"], actor=SYSTEM)
            definition = {
                "type": "OIDC",
                "name": "kanidm",
                "clientID": "step-ca",
                "clientSecret": "",
                "configurationEndpoint": f"{PEOPLE}/oauth2/openid/step-ca",
                "claims": {"defaultTLSCertDuration": "8h", "maxTLSCertDuration": "12h"},
            }
            await world.ca.provisioners.add(definition, SYSTEM)

        self.wait(body())
        self.browser_user = "alice"

    def _transport(self, context: ssl.SSLContext) -> InProcess:
        self.contexts.append(context)
        return InProcess(self)

    def _listen(self, host: str, port: int) -> FakeLoopback:
        self.loopback = FakeLoopback(port or 40_001)
        return self.loopback

    def _typed_line(self, stdin: TextIO) -> str:
        if self.pasted is None:
            return stdin.readline()
        if not self.came_back_to:
            self.came_back_to = self.wait(self._browse(self.opened[-1], "alice"))
        return f"{self.pasted(self.came_back_to)}\n"

    def _open_browser(self, address: str) -> bool:
        self.opened.append(address)
        if self.browser_user is None:
            return False
        location = self.wait(self._browse(address, self.browser_user))
        self.loopback.answers.append(dict(parse_qsl(urlsplit(location).query)))
        return True

    async def _browse(self, address: str, name: str) -> str:
        """What a person does in the browser: sign in, allow, and be sent back."""
        world = self.world
        signed_in = await world.signed_in(name)
        parts = urlsplit(address)
        cookie = {"cookie": f"{SESSION_COOKIE}={signed_in.token}"}
        answer = await world.answer(PEOPLE, Request("GET", parts.path, parts.query, headers=cookie))
        location = dict(answer.headers)["location"]
        handle = dict(parse_qsl(urlsplit(location).query)).get("request")
        if handle is not None:
            step = await world.oauth.authorization.allow(handle, signed_in.signed_in)
            assert isinstance(step, RedirectStep)
            location = step.location
        return location


@contextlib.contextmanager
def terminal(place: Path) -> Iterator[Terminal]:
    (place / "user").mkdir(exist_ok=True)
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        context = server_world()
        world = loop.run_until_complete(context.__aenter__())
        try:
            yield Terminal(place, loop, world)
        finally:
            loop.run_until_complete(context.__aexit__(None, None, None))
