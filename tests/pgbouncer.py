"""A PgBouncer of our own before a PostgreSQL, in transaction mode and with few connections."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.live import end, free_ports, wait_for_port

PROGRAM = Path("/usr/sbin/pgbouncer")


@contextmanager
def pgbouncer(url: str) -> Iterator[str]:
    """A pooler before the database at `url`, where everybody is trusted; yields its own URL."""
    if not PROGRAM.exists():
        message = f"{PROGRAM} is missing: run scripts/debian-packages test"
        raise FileNotFoundError(message)
    directory = Path(tempfile.mkdtemp(prefix="sealwright-pgbouncer-"))
    (port,) = free_ports(1)
    server = urlsplit(url)
    (directory / "users").write_text(f'"{server.username}" ""\n')
    (directory / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={server.hostname} port={server.port}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = trust\n"
        f"auth_file = {directory}/users\npool_mode = transaction\ndefault_pool_size = 3\nmax_client_conn = 200\n"
    )
    command = [str(PROGRAM), str(directory / "pgbouncer.ini")]
    if os.geteuid() == 0:  # it refuses to run as root
        user = pwd.getpwnam("postgres")
        for each in (directory, *directory.iterdir()):
            os.chown(each, user.pw_uid, user.pw_gid)
        command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command]
    log = directory / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd="/")
    try:
        wait_for_port(port, process, log)
        time.sleep(0.05)
        yield f"postgresql://{server.username}@127.0.0.1:{port}{server.path}"
    finally:
        end(process)
        shutil.rmtree(directory, ignore_errors=True)
