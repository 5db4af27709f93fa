"""A PostgreSQL of our own for the tests: Debian's 15, in a scratch directory, on a free port, gone afterwards.

``python -m tests.postgresql [--durable] COMMAND …`` runs a command with ``SEALWRIGHT_TEST_POSTGRESQL_URL`` set, so that many
test processes share one server. Tests need not outlive a power cut, so only with ``--durable`` does it wait for the disk.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.live import free_ports

BINARIES = Path("/usr/lib/postgresql/15/bin")
URL_VARIABLE = "SEALWRIGHT_TEST_POSTGRESQL_URL"


def _as_postgres(command: list[str]) -> list[str]:
    """PostgreSQL refuses to run as root; there it runs as Debian's own user."""
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command] if os.geteuid() == 0 else command


@contextmanager
def postgresql_server(*, durable: bool = False) -> Iterator[str]:
    """A running server; yields its URL. `durable`: whether what was committed outlives a power cut."""
    if not BINARIES.exists():
        message = f"{BINARIES} is missing: run scripts/debian-packages test"
        raise FileNotFoundError(message)
    directory = Path(tempfile.mkdtemp(prefix="sealwright-postgresql-"))
    (port,) = free_ports(1)
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(directory, user.pw_uid, user.pw_gid)
    cluster = directory / "cluster"
    initialise = [
        str(BINARIES / "initdb"),
        "-D",
        str(cluster),
        "-U",
        "sealwright",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
    ]
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={directory} -c max_connections=300"
    options += "" if durable else " -c fsync=off -c full_page_writes=off"
    start = [str(BINARIES / "pg_ctl"), "-D", str(cluster), "-w", "-l", str(directory / "log"), "-o", options, "start"]
    stop = [str(BINARIES / "pg_ctl"), "-D", str(cluster), "-m", "immediate", "stop"]
    try:
        subprocess.run(_as_postgres(initialise), check=True, stdout=subprocess.DEVNULL, cwd="/")
        subprocess.run(_as_postgres(start), check=True, stdout=subprocess.DEVNULL, cwd="/")
        yield f"postgresql://sealwright@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run(_as_postgres(stop), check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    durable = sys.argv[1:2] == ["--durable"]
    command = sys.argv[2 if durable else 1 :]
    if command[:1] in ([], ["-h"], ["--help"]):
        sys.stderr.write(
            "Usage: python -m tests.postgresql [--durable] COMMAND …\n"
            f"Runs COMMAND beside a PostgreSQL of its own, whose URL is in {URL_VARIABLE}.\n"
        )
        sys.exit(0 if command else 2)
    with postgresql_server(durable=durable) as url:
        finished = subprocess.run(command, env={**os.environ, URL_VARIABLE: os.environ.get(URL_VARIABLE) or url}, check=False)
    sys.exit(finished.returncode)
