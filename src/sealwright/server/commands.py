"""Commands that work on a home directory of this machine, without a running server (see `cli/server_commands.py`)."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import uvloop

from sealwright.access import SYSTEM
from sealwright.ca import IssuerRecord, certificates_pem
from sealwright.clock import to_datetime
from sealwright.errors import Conflict
from sealwright.keys import SealBroken, create_key_encryption_key
from sealwright.server.doctor import Finding, examine
from sealwright.server.home import Home, HomeRefused, write_whole
from sealwright.server.program import CLOCK, ENTROPY, opened, program, seed
from sealwright.server.supervisor import Supervisor
from sealwright.server.systemd import Notifier
from sealwright.server.wiring import Parts
from sealwright.settings import Settings, load, read_environment, render
from sealwright.tokens import new_sealed_jwk

ROOT_KEY_FILE = "root_ca_key.pem"


class Options(Protocol):
    """What `init` is asked for; what was not said is None or empty."""

    @property
    def home(self) -> Path: ...
    @property
    def name(self) -> str | None: ...
    @property
    def dns_names(self) -> tuple[str, ...]: ...
    @property
    def people(self) -> str | None: ...
    @property
    def machines(self) -> str | None: ...
    @property
    def status(self) -> str | None: ...
    @property
    def provisioner(self) -> str | None: ...
    @property
    def provisioner_password(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class InitReport:
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


def init(options: Options) -> InitReport:
    """Make a home directory: settings, key-encryption key, database, authorities, a first provisioner.

    What fails leaves nothing behind. On a database that holds authorities already, as that of another node, those are used.
    """
    home = Home(options.home.expanduser().absolute())
    new = home.prepare()
    try:
        return _fill(home, options)
    except BaseException:
        for each in home.path.iterdir():
            shutil.rmtree(each) if each.is_dir() else each.unlink()
        if new:
            home.path.rmdir()
        raise


def serve(home: Path) -> None:
    """Serve until SIGTERM or SIGINT."""
    environment = read_environment()
    place = Home(home).require()
    notifier = Notifier(environment.notify_socket, environment.watchdog)
    with place.alone():
        try:
            Supervisor(program(place), clock=CLOCK, entropy=ENTROPY, notifier=notifier).run()
        finally:
            place.addresses_file.unlink(missing_ok=True)


def doctor(home: Path) -> Sequence[Finding]:
    """Look at everything that a server needs; answers what was found, in words."""
    return uvloop.run(examine(Home(home)))


def recover_account(home: Path, name: str, password: str | None) -> str:
    """Set the password of an account, made up where none is given; answers it. Works while the server runs."""

    async def recover(settings: Settings) -> str:
        async with opened(settings) as parts:
            await seed(parts)
            recovered = await parts.identity.credentials.recover_account(name, password)
            return recovered.password or password or ""

    return asyncio.run(recover(_settings(home)))


def export_root_key(home: Path, directory: Path) -> Path:
    """Write the root's private key to `directory` and remove it from the server; answers the file."""
    settings = _settings(home)
    file = directory / ROOT_KEY_FILE
    if file.exists():
        raise Conflict(f"{file} exists already.", hint="Choose another directory with --to, or move the file away.")
    if not directory.is_dir():
        raise HomeRefused(f"{directory} is not a directory.", hint="Name an existing one with --to.")

    async def export() -> None:
        async with opened(settings) as parts:
            write_whole(file, await parts.ca.issuers.export_root_key(SYSTEM))
            await parts.ca.issuers.take_root_key_away(SYSTEM)

    asyncio.run(export())
    return file


def _settings(home: Path) -> Settings:
    return load(Home(home.expanduser().absolute()).require().path)


def _fill(home: Home, options: Options) -> InitReport:
    given: dict[str, object] = {
        "name": options.name,
        "dns_names": list(options.dns_names) or None,
        "listen.people": options.people,
        "listen.machines": options.machines,
        "listen.status": options.status,
    }
    text = render({key: value for key, value in given.items() if value is not None})
    write_whole(home.settings_file, text.encode())
    if read_environment().key is None:
        create_key_encryption_key(home.path, ENTROPY)
    settings = load(home.path)
    root, issuing = asyncio.run(_found(settings, options))
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


async def _found(settings: Settings, options: Options) -> tuple[IssuerRecord, IssuerRecord]:
    """Fill the database; answers the root and the issuing CA."""
    async with opened(settings) as parts:
        await seed(parts)
        issuers = parts.ca.issuers
        if not await issuers.records():
            await issuers.create_hierarchy(settings.name, SYSTEM)
        await _require_same_key(parts)
        if options.provisioner and options.provisioner_password is not None:
            await _add_provisioner(parts, options.provisioner, options.provisioner_password)
        (root, *_), (issuing, *_) = await issuers.roots(), await issuers.intermediates()
        return root, issuing


async def _require_same_key(parts: Parts) -> None:
    """The database may be another node's: this home must hold the key that its secrets were sealed with."""
    try:
        await parts.ca.issuers.active()
    except SealBroken as cause:
        raise HomeRefused(
            f"The database belongs to a server with another key-encryption key. {cause.detail}",
            hint="Give this node the key of the others: set SEALWRIGHT_KEY to what their secrets/key-encryption.key holds.",
        ) from cause


async def _add_provisioner(parts: Parts, name: str, password: str) -> None:
    """A JWK provisioner whose private key only the password opens, as `step ca init` makes it."""
    public, sealed = new_sealed_jwk(password.encode(), ENTROPY)
    await parts.ca.provisioners.add({"type": "JWK", "name": name, "key": public, "encryptedKey": sealed}, SYSTEM)
