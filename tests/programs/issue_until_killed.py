"""Issues certificates until it is done, or until it kills itself at the point that SEALWRIGHT_CRASH_AT names.

Usage: python -m tests.programs.issue_until_killed DIRECTORY COUNT

In DIRECTORY it keeps its database (test.db), every token that it used (tokens, one per line, written before use), and what its
signing key was asked to sign (signed: the digest of each to-be-signed certificate in hexadecimal, durable before the signature
is made). What a client received it writes to standard output, one certificate in hexadecimal per line.
SEALWRIGHT_CRASH_AT is ``point`` or ``point:N``, for the Nth time that the point is reached.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from sealwright.clock import SystemClock
from tests.authorities import authority, csr, der_of, sign_with
from tests.databases import sqlite_database


def append(path: Path, line: str) -> None:
    """Add a line that survives the end of this process."""
    with path.open("a") as stream:
        stream.write(f"{line}\n")
        stream.flush()
        os.fsync(stream.fileno())


def kill_at(wanted: str) -> Callable[[str], None]:
    """What kills this process, without any farewell, at the wanted point."""
    point, _, number = wanted.partition(":")
    left = int(number or 1)

    def reach(reached: str) -> None:
        nonlocal left
        if reached == point:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return reach


async def issue(directory: Path, count: int) -> None:
    """Issue `count` certificates, eight at a time."""
    crash_points = kill_at(os.environ.get("SEALWRIGHT_CRASH_AT", ""))

    def sign_on_record(real: ec.EllipticCurvePrivateKey, data: bytes, algorithm: Any) -> bytes:
        append(directory / "signed", hashlib.sha256(data).hexdigest())
        return real.sign(data, algorithm)

    clock: Any = SystemClock()
    async with (
        sqlite_database(directory) as db,
        authority(directory / "none", db=db, crash_points=crash_points, clock=clock) as ca,
    ):
        name = f"p{os.getpid()}"
        signer = await ca.add_jwk(name)
        await sign_with(ca, sign_on_record)
        tokens = iter([ca.jwk_token(f"web-{number}.example.org", signer=signer, issuer=name) for number in range(count)])

        async def client() -> None:
            for token in tokens:
                append(directory / "tokens", token)
                status, answer = await ca.call("POST", "/sign", {"csr": csr(), "ott": token})
                assert status == 201, answer
                sys.stdout.write(f"{der_of(answer).hex()}\n")
                sys.stdout.flush()

        await asyncio.gather(*(client() for _ in range(8)))


if __name__ == "__main__":
    asyncio.run(issue(Path(sys.argv[1]), int(sys.argv[2])))
