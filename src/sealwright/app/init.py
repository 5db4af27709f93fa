"""`sealwright init`: a home directory with settings, key-encryption key, database, authorities, a first provisioner."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct

from sealwright.access import SYSTEM
from sealwright.app.defaults import prepared_defaults
from sealwright.app.dependencies import ENTROPY, opened, seed
from sealwright.app.home import Home, HomeRefused, Making, write_whole
from sealwright.app.memory import on_disk
from sealwright.app.wiring import Parts, build
from sealwright.ca import AuthorityExists, IssuerRecord, certificates_pem
from sealwright.clock import to_datetime
from sealwright.db import sqlite_file
from sealwright.errors import Conflict
from sealwright.jose import new_sealed_jwk
from sealwright.keys import KEY_FILE, SealBroken, create_key_encryption_key
from sealwright.settings import Environment, Settings, home_directory, load, read_environment, render


class Options(Protocol):
    """What `init` is asked for; what was not said is None, or not there."""

    @property
    def home(self) -> Path: ...
    @property
    def settings(self) -> Mapping[str, object]:
        """For the settings file."""
        ...

    @property
    def provisioner(self) -> str | None: ...
    @property
    def provisioner_password(self) -> str | None: ...
    @property
    def defaults(self) -> str | None:
        """What the client and the provisioner of `certificate issue` are called, where they are wanted."""
        ...


class InitReport(Struct, frozen=True):
    """What `init` made."""

    home: Path
    settings_file: Path
    root_name: str
    root_key: str
    root_until: datetime
    root_fingerprint: str
    issuing_name: str
    issuing_until: datetime
    machines_url: str
    provisioner: str | None
    sign_in: str | None


def found(options: Options) -> InitReport:
    """Make a home directory: settings, key-encryption key, database, authorities, a first provisioner.

    On a database that holds authorities already, as that of another node, those are used.
    """
    home = Home(home_directory(options.home, Environment()))
    with home.making() as making:
        return _fill(home, options, making)


def _fill(home: Home, options: Options, making: Making) -> InitReport:
    write_whole(home.settings_file, render(options.settings).encode())
    if read_environment().key is None:
        _provide_key(home)
    settings = on_disk(load(home.path), home)
    root, issuing, defaults = asyncio.run(_fill_database(settings, options, making))
    write_whole(home.root_certificate, certificates_pem([root.certificate_der]).encode(), mode=0o644)
    write_whole(home.issuing_certificate, certificates_pem([issuing.certificate_der]).encode(), mode=0o644)
    return InitReport(
        home=home.path,
        settings_file=home.settings_file,
        root_name=root.name,
        root_key="EC P-256",
        root_until=to_datetime(root.not_after),
        root_fingerprint=root.fingerprint,
        issuing_name=issuing.name,
        issuing_until=to_datetime(issuing.not_after),
        machines_url=settings.urls.machines,
        provisioner=options.provisioner,
        sign_in=defaults,
    )


def _provide_key(home: Home) -> None:
    """A new key-encryption key, unless an `init` that was interrupted left one: an empty file is none."""
    file = home.path / KEY_FILE
    if file.exists() and not file.stat().st_size:
        file.unlink()
    if not file.exists():
        create_key_encryption_key(home.path, ENTROPY)


async def _fill_database(settings: Settings, options: Options, making: Making) -> tuple[IssuerRecord, IssuerRecord, str | None]:
    """Returns the root, the issuing CA, and the name of the defaults where they were made."""
    async with opened(settings, new=True) as around:
        await seed(around)
        parts = build(around)
        issuers = parts.ca.issuers
        definition = _first_provisioner(options)
        if definition:
            parts.ca.provisioners.check(definition)
        begun_before = making.kept
        defaults = options.defaults
        try:
            making.kept = making.kept or not _lies_within(settings)
            await issuers.create_hierarchy(
                settings.name, SYSTEM, with_them=prepared_defaults(parts, defaults) if defaults else ()
            )
        except AuthorityExists:  # of another node, that may have made it at this moment
            making.kept = begun_before
            defaults = None
        await _require_same_key(parts)
        if definition:
            await _add_provisioner(parts, definition)
        (root, *_), (issuing, *_) = await issuers.roots(), await issuers.intermediates()
        return root, issuing, defaults


async def _require_same_key(parts: Parts) -> None:
    """The database may be another node's: this home must hold the key that its secrets were sealed with."""
    try:
        await parts.ca.issuers.active()
    except SealBroken as cause:
        raise HomeRefused(
            "The database belongs to a server with another key-encryption key.",
            hint="Give this node the key of the others: set SEALWRIGHT_KEY to what their secrets/key-encryption.key holds.",
        ) from cause


def _lies_within(settings: Settings) -> bool:
    """Whether the database is a file of the home, and goes with it."""
    file = sqlite_file(settings.database_url)
    return file is not None and file.is_relative_to(settings.home)


def _first_provisioner(options: Options) -> dict[str, Any]:
    """A JWK provisioner whose private key only the password opens, as `step ca init` makes it; empty where none is wanted."""
    if not options.provisioner or options.provisioner_password is None:
        return {}
    public, sealed = new_sealed_jwk(options.provisioner_password.encode())
    return {"type": "JWK", "name": options.provisioner, "key": public, "encryptedKey": sealed}


async def _add_provisioner(parts: Parts, definition: dict[str, Any]) -> None:
    try:
        await parts.ca.provisioners.add(definition, SYSTEM)
    except Conflict as cause:
        hint = "Leave --provisioner out: the first node, or an init that did not come to its end, has made it."
        raise Conflict(cause.detail, hint=hint) from cause
