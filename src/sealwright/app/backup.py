"""`sealwright backup`: everything that a server is, in one file; and a server made of such a file.

Works beside a running server, on either engine: a backup of SQLite can be restored on PostgreSQL, and the other way round.
A restored server has no sessions and no tokens: those that were ended or used since the backup would be valid again.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from msgspec import Struct

from sealwright import __version__
from sealwright.access import SYSTEM
from sealwright.app.archive import FORMAT, BackupRefused, Manifest, NewArchive, entries, verified
from sealwright.app.dependencies import CLOCK, ENTROPY, opened, real_dependencies
from sealwright.app.home import Home, write_whole
from sealwright.app.memory import on_disk
from sealwright.app.wiring import build
from sealwright.audit import Audit, Event
from sealwright.clock import to_rfc3339
from sealwright.db import Database, Transaction
from sealwright.db.dump import dump, load
from sealwright.db.migrate import NEWEST, refuse_newer
from sealwright.errors import Conflict, NotFound, Refused
from sealwright.keys import KEY_FILE, KeyFileRefused, SealBroken, Sealer, load_key_encryption_key
from sealwright.settings import FILE_NAME, Settings, read_environment
from sealwright.settings import load as load_settings

LEFT_OUT = frozenset(
    {
        "leases",  # of processes that are gone
        "mail_outbox",  # of links that are left out
        "oauth_codes",
        "oauth_device_requests",
        "oauth_families",
        "oauth_refresh_tokens",
        "one_time_links",
        "pending_sign_ins",
        "sessions",
        "throttles",
        "upstream_sessions",
    }
)
"""Tables that are not in a backup: what is in them may have been used up, or ended, since."""
_PROOF = "backup"
_SHARED_WITH_ALL = "certs"


class BackupReport(Struct, frozen=True):
    """What is in a backup."""

    file: Path
    made: str
    """When, in RFC 3339."""
    version: str
    schema: str
    server: str
    rows: int
    size: int
    has_key: bool
    key_file: Path | None
    """Where the key-encryption key is, where it is in a file and not in the backup."""


def create_backup(home: Path, target: Path, *, with_key: bool) -> BackupReport:
    """Write a backup to `target`, a file that is not there yet, or a directory in which it gets a name."""
    place = Home(home)
    settings = place.settings()
    now = CLOCK.now()
    if target.is_dir():
        target /= f"sealwright-{to_rfc3339(now).replace(':', '').replace('-', '')}.backup"
    if target.exists():
        raise Conflict(f"{target} exists already.", hint="Name another file, or a directory.")
    key = load_key_encryption_key(settings.home, settings.key)
    with _scratch_beside(target) as scratch, _new_file(target, scratch) as stream:
        rows = asyncio.run(_dump(settings, scratch, target, with_key=with_key))
        archive = NewArchive(stream, now)
        for name, file in _files_of(settings):
            archive.add(f"home/{name}", file)
        if with_key:
            archive.add_content(f"home/{KEY_FILE}", base64.b64encode(key) + b"\n")
        for table in rows:
            archive.add(f"tables/{table}", scratch / table)
        archive.finish(
            Manifest(
                format=FORMAT,
                version=__version__,
                schema=NEWEST,
                made_at=now,
                server=settings.name,
                key_proof=base64.b64encode(Sealer(key, ENTROPY).seal(b"", _PROOF)).decode(),
                has_key=with_key,
                rows=rows,
                digests=archive.digests,
            )
        )
    own_key = None if settings.key or with_key else settings.home / KEY_FILE
    report = check_backup(target)
    return BackupReport(
        **{name: getattr(report, name) for name in report.__struct_fields__ if name != "key_file"}, key_file=own_key
    )


async def _dump(settings: Settings, scratch: Path, target: Path, *, with_key: bool) -> dict[str, int]:
    """Write the tables to files; returns how many rows each has. That it is done is recorded first, and so in the backup, too."""
    async with opened(settings) as around:
        details = {"file": str(target), "key": with_key}

        async def body(tx: Transaction) -> None:
            await Audit(around.clock).record(tx, Event.BACKUP_CREATED, actor=SYSTEM, target="server:all", details=details)

        await around.db.write(body)
    with ExitStack() as files:
        return await dump(
            settings.database_url,
            without=LEFT_OUT,
            open_table=lambda name: files.enter_context((scratch / name).open("wb")),
        )


def _files_of(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Files of the home directory that a backup holds, without the key-encryption key: name below the home, and place."""
    home = settings.home
    found = [home / FILE_NAME]
    found += [each for name in ("certs", "provisioners", "secrets") for each in sorted((home / name).rglob("*"))]
    named = (settings.tls.certificate, settings.tls.key, settings.outbound.ca_file, settings.mail.ca_file)
    found += [each for each in (*named, settings.mail.password_file) if each]
    for file in dict.fromkeys(found):
        if file.is_file() and file.is_relative_to(home) and file != home / KEY_FILE:
            yield str(file.relative_to(home)), file


def check_backup(file: Path) -> BackupReport:
    """Whether a backup is whole, and what is in it."""
    with _open(file) as stream:
        return _report(file, verified(stream, str(file)))


def restore_backup(home: Path, file: Path, key_file: Path | None) -> BackupReport:
    """Make a server of a backup, in an empty home directory and an empty database: all of it, or nothing."""
    place = Home(home)
    with _open(file) as stream:
        manifest = verified(stream, str(file))
        refuse_newer(manifest.schema, f"The backup {file}")
        key = _key_for(manifest, stream, key_file)
        _require_key(manifest, key)
        with place.making() as making:
            if making.kept:
                raise Conflict(
                    f"{place.path} holds a server that was begun and is not finished.",
                    hint=f"Finish it with init, or remove it: rm -r {place.typed}",
                )
            _restore_files(place, stream)
            if read_environment().key is None:
                write_whole(_with_directory(place.path / KEY_FILE), base64.b64encode(key) + b"\n")
            asyncio.run(_restore_database(on_disk(load_settings(place.path), place), manifest, stream))
        return _report(file, manifest)


def _restore_files(home: Home, stream: IO[bytes]) -> None:
    for name, content in entries(stream):
        kind, _, path = name.partition("/")
        if kind == "home":
            mode = 0o644 if path.startswith(f"{_SHARED_WITH_ALL}/") else 0o600
            write_whole(_with_directory(home.path / path), content.read(), mode=mode)


async def _restore_database(settings: Settings, manifest: Manifest, stream: IO[bytes]) -> None:
    tables = ((name.partition("/")[2], iter(content)) for name, content in entries(stream) if name.startswith("tables/"))

    async def check_and_record(db: Database) -> None:
        parts = build(real_dependencies(settings, db))
        await parts.ca.issuers.active()  # opens its key: a backup whose authority cannot sign is not restored

        async def body(tx: Transaction) -> None:
            details = {"made": to_rfc3339(manifest.made_at)}
            await parts.audit.record(tx, Event.BACKUP_RESTORED, actor=SYSTEM, target="server:all", details=details)

        await db.write(body)

    await load(settings.database_url, manifest.schema, tables, check_and_record)


def _key_for(manifest: Manifest, stream: IO[bytes], key_file: Path | None) -> bytes:
    """The key-encryption key: of the file that was named, of the environment, or of the backup."""
    if key_file is not None:
        try:
            return base64.b64decode(key_file.read_bytes().strip(), validate=True)
        except OSError as cause:
            raise NotFound(f"{key_file} cannot be read: {cause.strerror}.") from cause
        except binascii.Error:
            raise KeyFileRefused(f"The file {key_file} does not hold a key.") from None
    if (key := read_environment().key) is not None:
        return key
    if not manifest.has_key:
        raise Refused(
            "The key-encryption key is not in this backup, and without it no secret can be opened.",
            hint="Give it with --key-file FILE, or in SEALWRIGHT_KEY.",
        )
    return base64.b64decode(next(content.read() for name, content in entries(stream) if name == f"home/{KEY_FILE}"))


def _require_key(manifest: Manifest, key: bytes) -> None:
    try:
        Sealer(key, ENTROPY).open(base64.b64decode(manifest.key_proof), _PROOF)
    except SealBroken as cause:
        raise KeyFileRefused(
            "The key-encryption key is not that of the server in the backup.",
            hint="Give the right one with --key-file FILE, or in SEALWRIGHT_KEY.",
        ) from cause


@contextmanager
def _scratch_beside(target: Path) -> Iterator[Path]:
    """A directory with an unpredictable name, for its owner only: others may be able to write where the backup goes."""
    try:
        made = tempfile.TemporaryDirectory(dir=target.parent, prefix=".sealwright-")
    except OSError as cause:
        raise Refused(f"{target} cannot be written: {cause.strerror}.", hint="Name a place that exists.") from cause
    with made as scratch:
        yield Path(scratch)


@contextmanager
def _new_file(target: Path, scratch: Path) -> Iterator[IO[bytes]]:
    """A file for its owner only, made in `scratch`, which appears under its name when it is whole."""
    part = scratch / "part"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        yield stream
        stream.flush()
        os.fsync(descriptor)
    try:
        os.link(part, target)
    except FileExistsError:
        raise Conflict(f"{target} exists already.", hint="Name another file, or a directory.") from None


@contextmanager
def _open(file: Path) -> Iterator[IO[bytes]]:
    try:
        stream = file.open("rb")
    except FileNotFoundError:
        raise NotFound(f"There is no file {file}.") from None
    except OSError as cause:
        raise BackupRefused(f"{file} cannot be read: {cause.strerror}.") from cause
    with stream:
        yield stream


def _with_directory(file: Path) -> Path:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return file


def _report(file: Path, manifest: Manifest) -> BackupReport:
    return BackupReport(
        file=file,
        made=to_rfc3339(manifest.made_at),
        version=manifest.version,
        schema=manifest.schema,
        server=manifest.server,
        rows=sum(manifest.rows.values()),
        size=file.stat().st_size,
        has_key=manifest.has_key,
        key_file=None,
    )
