"""Shows the main job from an empty directory to a greeting over mTLS, step by step, with the time that each one took.

``python -m demo`` opens the sign-in page in a browser; without a terminal, or with ``--auto``, it fills in the same forms by
itself. Everything it makes is in build/demo. Exit status 0 only if the greeting came back.
"""

from __future__ import annotations

import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from demo.forms import Browser, sign_in_and_allow
from demo.ports import free_among

ROOT = Path(__file__).parents[1]
PLACE = ROOT / "build" / "demo"
HOME = PLACE / "home"
SEALWRIGHT = Path(sys.executable).parent / "sealwright"
PERSON, MAIL = "alice", "alice@example.org"
GREETING = "web.localhost"
"""What the web server is called: localhost itself belongs to the identity server, and every name below it is this machine too."""
COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ


class Failed(Exception):
    """A step did not do what it should; the text says what it printed."""


def _paint(text: str, code: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if COLOUR else text


@contextmanager
def step(what: str) -> Iterator[list[str]]:
    """Time one step and show it when it is done, with the lines that were put into the list."""
    shown: list[str] = []
    started = time.monotonic()
    try:
        yield shown
    except BaseException:
        with suppress(OSError):  # the terminal may be gone
            print(f"{_paint('✘', '31')} {what}", flush=True)
        raise
    print(f"{_paint('✔', '32')} {what}  {_paint(f'{time.monotonic() - started:.1f} s', '2')}", flush=True)
    for line in shown:
        print(f"  {_paint(line, '2')}", flush=True)


def free_ports(count: int) -> list[int]:
    """Ports on loopback that no one holds at the moment, below those from which the kernel takes ports for connections."""
    candidates = range(12_000, 32_000)
    found = free_among(random.sample(candidates, len(candidates)), count)
    if len(found) < count:
        raise Failed("every port is taken")
    return found


def environment() -> dict[str, str]:
    """What the commands see: a scratch home directory, no servers from elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SEALWRIGHT_", "STEP", "XDG_"))}
    return {**kept, "HOME": str(PLACE / "user"), "SEALWRIGHT_HOME": str(HOME), "NO_COLOR": "1"}


def sealwright(*arguments: str) -> str:
    """Run one command of ours to its end."""
    return run([str(SEALWRIGHT), *arguments])


def run(command: list[str]) -> str:
    """Run a command to its end; what it printed on standard output, or Failed with what it printed at all."""
    try:
        done = subprocess.run(
            command,
            env=environment(),
            cwd=PLACE,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
    except FileNotFoundError as cause:
        raise Failed(f"{command[0]} is not installed here") from cause
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)}\n{done.stdout}{done.stderr}".rstrip())
    return done.stdout


def private_file(name: str, text: str) -> str:
    """A file that only its owner reads; returns its path."""
    path = PLACE / name
    path.touch(mode=0o600)
    path.write_text(text)
    return str(path)


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until someone listens on `port`, at most a minute."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if process.poll() is not None:
            raise Failed(log.read_text())
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise Failed(f"nothing listens on port {port} after a minute\n{log.read_text()}")


@contextmanager
def running(command: list[str], port: int, log: Path) -> Iterator[None]:
    """A program that runs until the block ends and listens on `port`."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=environment(),
            cwd=ROOT,
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            process_group=0,  # what is typed at the terminal is for us, and a closed terminal no reason to reload
        )
        try:
            wait_for_port(port, process, log)
            yield
        finally:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a program to end, and make it, where it does not within 15 seconds or someone is impatient."""
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        pass
    finally:
        process.kill()
        process.wait()


def set_up_person(password_file: str) -> None:
    """The person who will sign in. Everyone may use the client and the provisioner that `init` makes."""
    sealwright("person", "create", PERSON, "Alice Example")
    sealwright("person", "update", PERSON, "--mail", MAIL)
    sealwright("person", "set-password", PERSON, "--password-file", password_file)


def get_certificate(password: str, *, by_hand: bool) -> str:
    """`certificate issue`: a person signs in, in a browser or through the same forms by ourselves."""
    command = [str(SEALWRIGHT), "certificate", "issue", MAIL, "personal.crt", "personal.key", "--provisioner", "sealwright"]
    if by_hand:
        print(f"  Sign in as {_paint(PERSON, '1')} with the password {_paint(password, '1')}.", flush=True)
        print(f"  Your browser does not know the root in {root_certificate().relative_to(ROOT)} and warns: go on.", flush=True)
        done = subprocess.run(command, env=environment() | {"SSL_CERT_FILE": str(root_certificate())}, cwd=PLACE, check=False)
        if done.returncode != 0:
            raise Failed("sealwright certificate issue ended without a certificate")
        return ""
    process = subprocess.Popen(
        [*command, "--no-browser"], env=environment(), cwd=PLACE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    printed = ""
    try:
        for line in process.stdout or ():
            printed += line
            address = next((word for word in line.split() if word.startswith("https://")), None)
            if address:
                sign_in_and_allow(Browser(root_certificate()), address.rstrip(")"), PERSON, password)
                break
        rest, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    if process.returncode != 0:
        raise Failed((printed + rest).rstrip())
    return rest.strip()


def root_certificate() -> Path:
    """The root that `init` made."""
    return HOME / "certs" / "root_ca.crt"


def demonstrate(*, by_hand: bool) -> None:
    """All steps, in order."""
    shutil.rmtree(PLACE, ignore_errors=True)
    (PLACE / "user").mkdir(parents=True)
    people, machines, status, greeting = free_ports(4)
    password = secrets.token_urlsafe(12)
    admin_file = private_file("admin-password", secrets.token_urlsafe(18))
    person_file = private_file("person-password", password)
    provisioner_file = private_file("provisioner-password", secrets.token_urlsafe(18))
    started = time.monotonic()

    with step("Made a home with a root and an issuing CA, and gave admin a password") as shown:
        listeners = ("--people", f"127.0.0.1:{people}", "--machines", f"127.0.0.1:{machines}", "--status", f"127.0.0.1:{status}")
        sealwright("init", "--dir", str(HOME), "--name", "Example", "--dns", "localhost", "--dns", "127.0.0.1", *listeners,
                   "--provisioner", "servers", "--provisioner-password-file", provisioner_file)  # fmt: skip
        sealwright("recover-account", "admin", "--dir", str(HOME), "--password-file", admin_file)
        shown.append(f"sealwright init --dir {HOME.relative_to(ROOT)} --name Example; sealwright recover-account admin")
    with ExitStack() as until_done:
        with step("Started the server") as shown:
            until_done.enter_context(running([str(SEALWRIGHT), "serve", "--dir", str(HOME)], machines, PLACE / "server.log"))
            shown.append(f"people https://localhost:{people}   machines https://localhost:{machines}")
        with step("Signed in as administrator") as shown:
            sealwright("login", "-D", "admin", "--password-file", admin_file)
            shown.append("sealwright login -D admin")
        with step(f"Created {PERSON} ({MAIL})") as shown:
            set_up_person(person_file)
            shown.append("sealwright person create alice 'Alice Example'; sealwright person update alice --mail …")
        with step(f"Signed in as {PERSON} and got a certificate") as shown:
            shown.extend(get_certificate(password, by_hand=by_hand).splitlines())
        with step("Looked at it") as shown:
            shown.extend(sealwright("certificate", "inspect", "--short", "personal.crt").strip().splitlines())
        with step(f"Got a certificate for the web server {GREETING}"):
            sealwright("certificate", "issue", GREETING, "web.crt", "web.key", "--provisioner", "servers",
                       "--provisioner-password-file", provisioner_file)  # fmt: skip
        greet(greeting)
    print(f"\nDone in {time.monotonic() - started:.1f} s. Try next:")
    for line in what_next(people, person_file, admin_file):
        print(f"  {line}")


def what_next(people: int, person_file: str, admin_file: str) -> list[str]:
    """Commands and places to go on with; the server has ended with the demo."""
    command = SEALWRIGHT.relative_to(ROOT)
    return [
        f"{command} serve --dir {HOME.relative_to(ROOT)}        the same server again: https://localhost:{people}",
        f"  sign in as {PERSON}, with the password in {Path(person_file).relative_to(ROOT)}",
        f"  sign in as admin, with the password in {Path(admin_file).relative_to(ROOT)}",
        f"{command} certificate inspect {(PLACE / 'personal.crt').relative_to(ROOT)}",
        "docs/howto/trust-the-root.md        so that the browser does not warn",
        "docs/tutorial/                      the same by hand, with the stock step command too",
    ]


def greet(port: int) -> None:
    """Start the web server of the tutorial and call it with curl and the person's certificate."""
    files = [str(PLACE / "web.crt"), str(PLACE / "web.key"), str(root_certificate())]
    server = [sys.executable, "-m", "demo.greeting_server", str(port), *files]
    with step("Called an mTLS web server with curl") as shown, running(server, port, PLACE / "greeting.log"):
        command = ["curl", "--silent", "--show-error", "--max-time", "10", "--cacert", str(root_certificate())]
        command += ["--resolve", f"{GREETING}:{port}:127.0.0.1"]  # not every curl knows by itself that this is loopback
        command += ["--cert", "personal.crt", "--key", "personal.key", f"https://{GREETING}:{port}"]
        answer = run(command)
        if f"Hello {MAIL}! Welcome to mTLS" not in answer:
            raise Failed(f"the greeting did not come back, but this: {answer}")
        shown.append(answer.strip())


def leave(number: int, _: object) -> None:
    """End as a program does that was told to, so that the server is stopped on the way out."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a terminal that closes may say so more than once
    sys.exit(128 + number)


if __name__ == "__main__":
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, leave)
    try:
        demonstrate(by_hand=sys.stdin.isatty() and sys.stdout.isatty() and "--auto" not in sys.argv[1:])
    except Failed as failed:
        sys.exit(f"\n{failed}")
    except KeyboardInterrupt:
        print("\nStopped, and the server with it. Begin anew with: make demo")
        sys.exit(128 + signal.SIGINT)
