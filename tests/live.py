"""A real server of ours in its own processes, for tests with real clients: made by `init`, started by `serve`."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from demo.ports import free_among

SEALWRIGHT = Path(sys.executable).parent / "sealwright"
TOOLS = Path(__file__).parents[1] / "build" / "tools"
ADMIN_PASSWORD = "correct-horse-battery-staple-42"
PERSON_PASSWORD = "seven-green-kettles-sing-9"
PROVISIONER_PASSWORD = "the-provisioner-password-is-long-9"
PATIENCE = 60.0
"""Seconds until what a loaded machine takes its time for counts as never."""
_BLOCK = 500
_BLOCKS = range(12_000, 32_000, _BLOCK)  # below those from which the kernel takes ports for connections
_ENDS_OF_A_RELOAD = (
    '"event":"reload has finished"',
    '"event":"reload refused; the old settings stay"',
    '"event":"settings refused; the old ones stay"',
)


@cache
def _own_ports() -> Iterator[int]:
    """Ports that no other test process on this machine hands out: a name that is held until this process ends tells so."""
    for first in random.sample(_BLOCKS, len(_BLOCKS)):
        mark = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            mark.bind(f"\0sealwright-tests-ports-{first}")
        except OSError:
            mark.close()
        else:
            mark.detach()
            return itertools.cycle(range(first, first + _BLOCK))
    raise AssertionError("every block of ports is taken")


def free_ports(count: int) -> list[int]:
    """Ports on which no one listens, and that no one else gets before they are used or after."""
    return free_among(_own_ports(), count)


def end(process: subprocess.Popen[Any]) -> int:
    """Ask a process to end, insist after a while; its exit status. No process and no pipe of it is left afterwards."""
    process.terminate()
    try:
        return process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    finally:
        process.wait()
        for stream in filter(None, (process.stdin, process.stdout, process.stderr)):
            stream.close()


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(found: Callable[[], object], what: str = "", seconds: float = PATIENCE) -> None:
    """Ask anew until `found` answers something true."""
    last = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < last, f"waited in vain for {what or found}"
        time.sleep(0.05)


def wait_for_port(
    port: int, process: subprocess.Popen[bytes], log: Path, seconds: float = PATIENCE, *, host: str = "127.0.0.1"
) -> None:
    last = time.monotonic() + seconds
    while time.monotonic() < last:
        assert process.poll() is None, f"the server ended with {process.returncode}:\n{log.read_text()}"
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"nothing listens on port {port} after {seconds} s:\n{log.read_text()}")


def run(
    command: Sequence[str | Path], *, environment: Mapping[str, str], cwd: Path, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end with an environment of the test's own."""
    return subprocess.run(
        [str(part) for part in command],
        env=dict(environment),
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )


@dataclass
class LiveServer:
    """One server and a scratch user whose commands talk to it."""

    place: Path
    people_port: int
    machines_port: int
    status_port: int
    database_url: str | None = None
    more_environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    """Of the server, once it was started."""

    @classmethod
    def at(cls, place: Path, *, database_url: str | None = None) -> LiveServer:
        """A server that is still to be made, on free ports."""
        place.joinpath("user").mkdir(parents=True, exist_ok=True)
        people, machines, status = free_ports(3)
        return cls(place, people, machines, status, database_url=database_url)

    @property
    def home(self) -> Path:
        return self.place / "home"

    @property
    def root(self) -> Path:
        return self.home / "certs" / "root_ca.crt"

    @property
    def people(self) -> str:
        return f"https://localhost:{self.people_port}"

    @property
    def machines(self) -> str:
        return f"https://localhost:{self.machines_port}"

    @property
    def status(self) -> str:
        return f"http://localhost:{self.status_port}"

    @property
    def log(self) -> Path:
        return self.place / "server.log"

    def environment(self) -> dict[str, str]:
        """PATH and little else: a user without a past."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.place / "user"),
            "STEPPATH": str(self.place / "step"),
            "SEALWRIGHT_HOME": str(self.home),
            "SSL_CERT_FILE": str(self.root),
            "STEP_OPEN_BROWSER": "0",
            "LANG": "C.UTF-8",
        }
        if self.database_url:
            environment["SEALWRIGHT_DATABASE_URL"] = self.database_url
        return environment | self.more_environment

    def attempt(self, *arguments: str | Path, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run one command of ours in the user's directory, whatever comes of it."""
        return run([SEALWRIGHT, *arguments], environment=self.environment() | environment, cwd=self.place, stdin=stdin)

    def sealwright(self, *arguments: str | Path, expect: int = 0, stdin: str = "") -> str:
        """Run one command of ours in the user's directory; its standard output. The exit status must be `expect`."""
        done = self.attempt(*arguments, stdin=stdin)
        assert done.returncode == expect, (
            f"sealwright {' '.join(map(str, arguments))} → {done.returncode}\n{done.stdout}{done.stderr}"
        )
        return done.stdout if expect == 0 else done.stdout + done.stderr

    def sealwright_json(self, *arguments: str | Path) -> Any:
        return json.loads(self.sealwright(*arguments, "--output", "json"))

    def step(self, *arguments: str | Path, expect: int = 0, stdin: str = "") -> str:
        """Run the stock `step` in the user's directory; standard output and error together."""
        done = run([TOOLS / "step", *arguments], environment=self.environment(), cwd=self.place, stdin=stdin)
        printed = done.stdout + done.stderr
        assert (done.returncode == 0) == (expect == 0), f"step {' '.join(map(str, arguments))} → {done.returncode}\n{printed}"
        return printed

    def file(self, name: str, text: str) -> Path:
        """A file in the user's directory that only its owner reads."""
        path = self.place / name
        path.touch(mode=0o600)
        path.write_text(text)
        return path

    def set(self, key: str, value: str) -> None:
        """Give a setting another value (as TOML) in the settings file."""
        section, _, name = key.rpartition(".")
        lines = (self.home / "settings.toml").read_text().splitlines()
        begin = lines.index(f"[{section}]") if section else 0
        where = next(at for at in range(begin, len(lines)) if lines[at].removeprefix("# ").startswith(f"{name} = "))
        lines[where] = f"{name} = {value}"
        (self.home / "settings.toml").write_text("\n".join(lines) + "\n")

    def init(self, *more: str, provisioner: bool = True) -> None:
        """Make the home, by default with a JWK provisioner called ``first``."""
        listeners = ["--people", f"127.0.0.1:{self.people_port}", "--machines", f"127.0.0.1:{self.machines_port}"]
        listeners += ["--status", f"127.0.0.1:{self.status_port}"]
        if provisioner:
            password = self.file("provisioner-password", PROVISIONER_PASSWORD)
            listeners += ["--provisioner", "first", "--provisioner-password-file", str(password)]
        names = ["--name", "Test", "--dns", "localhost", "--dns", "127.0.0.1"]
        self.sealwright("init", "--dir", self.home, *names, *listeners, *more)

    def start(self, *more: str, seconds: float = PATIENCE) -> None:
        """Start it; comes back when every worker serves. Where it does not come up, nothing of it is left."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [str(SEALWRIGHT), "serve", "--dir", str(self.home), *more],
                env=self.environment(),
                cwd=self.place,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        last = time.monotonic() + seconds
        try:
            while not self.serves():
                assert self.process.poll() is None, f"the server ended with {self.process.returncode}:\n{self.log.read_text()}"
                assert time.monotonic() < last, f"the server does not serve after {seconds} s:\n{self.log.read_text()}"
                time.sleep(0.05)
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def serves(self) -> bool:
        """Whether every worker of our process has said that it is ready."""
        file = self.home / "run" / "addresses.json"
        return self.process is not None and file.exists() and json.loads(file.read_text())["pid"] == self.process.pid

    def reload(self) -> None:
        """SIGHUP; comes back when every worker has done it or refused it."""
        assert self.process is not None

        def ended(text: str) -> int:
            return sum(map(text.count, _ENDS_OF_A_RELOAD))

        already = ended(self.log.read_text())
        self.process.send_signal(signal.SIGHUP)
        self.wait_for_log(lambda text: ended(text) > already)

    def wait_for_log(self, found: Callable[[str], object], seconds: float = PATIENCE) -> str:
        """What the server has written, as soon as `found` is content with it."""
        last = time.monotonic() + seconds
        while not found(text := self.log.read_text()):
            assert time.monotonic() < last, text
            time.sleep(0.02)
        return text

    def workers(self) -> list[int]:
        """Process ids of the workers there are now."""
        assert self.process is not None
        return [int(pid) for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()]

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        assert self.process is not None
        return end(self.process)

    def kill(self) -> None:
        """SIGKILL for every process of the server at once; comes back when none of them is left."""
        assert self.process is not None
        workers = self.workers()
        for pid in (self.process.pid, *workers):
            with suppress(ProcessLookupError):  # a worker may be gone already, because its parent is
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        wait_until(lambda: not any(map(is_alive, workers)), "the end of the workers")

    def set_up(self) -> None:
        """A password for admin, alice with an address, the client of the tutorial and its provisioner."""
        admin = self.file("admin-password", ADMIN_PASSWORD)
        person = self.file("person-password", PERSON_PASSWORD)
        self.sealwright("recover-account", "admin", "--dir", self.home, "--password-file", admin)
        self.sealwright("login", "-D", "admin", "--password-file", admin)
        self.sealwright("person", "create", "alice", "Alice Example")
        self.sealwright("person", "update", "alice", "--mail", "alice@example.org")
        self.sealwright("person", "set-password", "alice", "--password-file", person)
        self.sealwright("group", "create", "step-ca_users")
        self.sealwright("group", "add-members", "step-ca_users", "alice")
        oauth2 = ("system", "oauth2")
        self.sealwright(*oauth2, "create-public", "step-ca", "Step-CA", self.machines)
        self.sealwright(*oauth2, "enable-localhost-redirects", "step-ca")
        self.sealwright(*oauth2, "update-scope-map", "step-ca", "step-ca_users", "openid", "email")
        discovery = f"{self.people}/oauth2/openid/step-ca/.well-known/openid-configuration"
        endpoint = ("--configuration-endpoint", discovery)
        self.sealwright("provisioner", "add", "kanidm", "--type", "oidc", "--client-id", "step-ca", *endpoint)


@contextmanager
def live_server(
    place: Path, *, database_url: str | None = None, set_up: bool = True, settings: Mapping[str, str] | None = None
) -> Iterator[LiveServer]:
    """A running server with people and provisioners; stopped afterwards. `settings`: key → value as in the file."""
    server = LiveServer.at(place, database_url=database_url)
    server.init()
    # Signed in once, tests work for longer than a person leaves their terminal alone.
    for key, value in {"sessions.privileged": '"8h"', **(settings or {})}.items():
        server.set(key, value)
    server.start()
    try:
        if set_up:
            server.set_up()
        yield server
    finally:
        server.stop()  # also where it has been killed, and was started again or not
