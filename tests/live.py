"""A real server of ours in its own processes, for tests with real clients: made by `init`, started by `serve`."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SEALWRIGHT = Path(sys.executable).parent / "sealwright"
TOOLS = Path(__file__).parents[1] / "build" / "tools"
ADMIN_PASSWORD = "correct-horse-battery-staple-42"
PERSON_PASSWORD = "seven-green-kettles-sing-9"
PROVISIONER_PASSWORD = "the-provisioner-password-is-long-9"
_ENDS_OF_A_RELOAD = ('"event":"reload is over"', '"event":"settings refused; the old ones stay"')


def free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, f"the server ended with {process.returncode}:\n{log.read_text()}"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
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
        timeout=60,
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
        if "COVERAGE_PROCESS_START" in os.environ:
            environment["COVERAGE_PROCESS_START"] = os.environ["COVERAGE_PROCESS_START"]
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

    def start(self, *, seconds: float = 20) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [str(SEALWRIGHT), "serve", "--dir", str(self.home)],
                env=self.environment(),
                cwd=self.place,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        end = time.monotonic() + seconds
        while not self.serves():
            assert self.process.poll() is None, f"the server ended with {self.process.returncode}:\n{self.log.read_text()}"
            assert time.monotonic() < end, f"the server does not serve after {seconds} s:\n{self.log.read_text()}"
            time.sleep(0.05)

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

    def wait_for_log(self, found: Callable[[str], bool], seconds: float = 20) -> str:
        """What the server has written, as soon as `found` is content with it."""
        end = time.monotonic() + seconds
        while not found(text := self.log.read_text()):
            assert time.monotonic() < end, text
            time.sleep(0.02)
        return text

    def workers(self) -> list[int]:
        """Process ids of the workers there are now."""
        assert self.process is not None
        return [int(pid) for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()]

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        assert self.process is not None
        self.process.terminate()
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def set_up(self) -> None:
        """Passwords for the built-in administrators, alice with an address, the client of seed 000 and its provisioner."""
        admin = self.file("admin-password", ADMIN_PASSWORD)
        person = self.file("person-password", PERSON_PASSWORD)
        for name in ("admin", "idm_admin"):
            self.sealwright("recover-account", name, "--dir", self.home, "--password-file", admin)
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
    for key, value in (settings or {}).items():
        server.set(key, value)
    server.start()
    try:
        if set_up:
            server.set_up()
        yield server
    finally:
        if server.process is not None and server.process.poll() is None:
            server.stop()
