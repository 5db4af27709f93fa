"""`sealwright issuer export-root-key`: the root's private key leaves the server's machine."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sealwright.access import SYSTEM
from sealwright.errors import Conflict
from sealwright.server.home import Home, HomeRefused, write_whole
from sealwright.server.surroundings import opened
from sealwright.server.wiring import build

ROOT_KEY_FILE = "root_ca_key.pem"


def export_root_key(home: Path, directory: Path) -> Path:
    """Write the root's private key to `directory` and remove it from the server; answers the file."""
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
