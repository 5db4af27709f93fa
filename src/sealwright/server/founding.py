"""`sealwright init`: a home directory with settings, key-encryption key, database, authorities, a first provisioner."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from sealwright.access import SYSTEM
from sealwright.ca import AuthorityExists, IssuerRecord, certificates_pem
from sealwright.clock import to_datetime
from sealwright.errors import Conflict
from sealwright.keys import KEY_FILE, SealBroken, create_key_encryption_key
from sealwright.server.home import Home, HomeRefused, write_whole
from sealwright.server.surroundings import ENTROPY, opened, seed
from sealwright.server.wiring import Parts, build
from sealwright.settings import Settings, load, read_environment, render
from sealwright.tokens import new_sealed_jwk


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


def found(options: Options) -> InitReport:
    """Make a home directory: settings, key-encryption key, database, authorities, a first provisioner.

    On a database that holds authorities already, as that of another node, those are used.
    """
    home = Home(options.home.expanduser().absolute())
    with home.making():
        return _fill(home, options)


def _fill(home: Home, options: Options) -> InitReport:
    write_whole(home.settings_file, render(options.settings).encode())
    if read_environment().key is None:
        _provide_key(home)
    settings = load(home.path)
    root, issuing = asyncio.run(_fill_database(settings, options))
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
    )


def _provide_key(home: Home) -> None:
    """A new key-encryption key, unless an `init` that was interrupted left one: an empty file is none."""
    file = home.path / KEY_FILE
    if file.exists() and not file.stat().st_size:
        file.unlink()
    if not file.exists():
        create_key_encryption_key(home.path, ENTROPY)


async def _fill_database(settings: Settings, options: Options) -> tuple[IssuerRecord, IssuerRecord]:
    """Answers the root and the issuing CA."""
    async with opened(settings, new=True) as around:
        await seed(around)
        parts = build(around)
        issuers = parts.ca.issuers
        if await issuers.roots():
            await _require_same_key(parts)
        if options.provisioner and options.provisioner_password is not None:  # refused, it leaves no keys in the database
            await _add_provisioner(parts, options.provisioner, options.provisioner_password)
        with suppress(AuthorityExists):  # of another node, that may be making them at this moment
            await issuers.create_hierarchy(settings.name, SYSTEM)
        await _require_same_key(parts)
        (root, *_), (issuing, *_) = await issuers.roots(), await issuers.intermediates()
        return root, issuing


async def _require_same_key(parts: Parts) -> None:
    """The database may be another node's: this home must hold the key that its secrets were sealed with."""
    try:
        await parts.ca.issuers.active()
    except SealBroken as cause:
        raise HomeRefused(
            "The database belongs to a server with another key-encryption key.",
            hint="Give this node the key of the others: set SEALWRIGHT_KEY to what their secrets/key-encryption.key holds.",
        ) from cause


async def _add_provisioner(parts: Parts, name: str, password: str) -> None:
    """A JWK provisioner whose private key only the password opens, as `step ca init` makes it."""
    public, sealed = new_sealed_jwk(password.encode(), ENTROPY)
    try:
        await parts.ca.provisioners.add({"type": "JWK", "name": name, "key": public, "encryptedKey": sealed}, SYSTEM)
    except Conflict as cause:  # a new database holds none that it could clash with
        hint = "Leave --provisioner out on further nodes: they share the provisioners of the first."
        raise Conflict(cause.detail, hint=hint) from cause
