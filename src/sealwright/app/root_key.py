"""`sealwright issuer`: the root's private key leaves the server's machine, and makes another issuing CA."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from sealwright.access import SYSTEM
from sealwright.app.dependencies import opened
from sealwright.app.home import Home, HomeRefused, write_whole
from sealwright.app.wiring import build
from sealwright.ca import IssuerRecord, certificates_pem
from sealwright.clock import to_datetime
from sealwright.errors import Conflict
from sealwright.jose import KeyRefused
from sealwright.keys import KeyMissing

_LONGEST_KEY = 100_000
ROOT_KEY_FILE = "root_ca_key.pem"


def export_root_key(home: Path, directory: Path) -> Path:
    """Write the root's private key to `directory` and remove it from the server; returns the file."""
    settings = Home(home).settings()
    file = directory / ROOT_KEY_FILE
    if file.exists():
        raise Conflict(f"{file} exists already.", hint="Choose another directory with --to, or move the file away.")
    if not directory.is_dir():
        raise HomeRefused(f"{directory} is not a directory.", hint="Name an existing one with --to.")

    async def export() -> None:
        async with opened(settings) as around:
            issuers = build(around).ca.issuers
            write_whole(file, await issuers.export_root_key(SYSTEM))
            await issuers.take_root_key_away(SYSTEM)

    asyncio.run(export())
    return file


class IssuerReport(Struct, frozen=True):
    """An issuing CA that was made."""

    name: str
    until: datetime
    fingerprint: str
    file: Path
    """Its certificate."""


def rotate_issuer(home: Path, root_key: Path | None) -> IssuerReport:
    """Make another issuing CA, which signs from now on; with the root's key of a file where that was taken away."""
    place = Home(home)
    settings = place.settings()
    pem = None if root_key is None else _read(root_key)

    async def rotate() -> IssuerRecord:
        async with opened(settings) as around:
            try:
                return await build(around).ca.issuers.rotate(SYSTEM, pem)
            except KeyMissing as cause:
                hint = f"Name the file that export-root-key wrote: --root-key /media/usb/{ROOT_KEY_FILE}"
                raise KeyMissing(cause.detail, hint=hint) from cause

    made = asyncio.run(rotate())
    write_whole(place.issuing_certificate, certificates_pem([made.certificate_der]).encode(), mode=0o644)
    return IssuerReport(made.name, to_datetime(made.not_after), made.fingerprint, place.issuing_certificate)


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(_LONGEST_KEY)
    except OSError as cause:
        raise KeyRefused(f"{file} cannot be read: {cause.strerror}.") from cause
