"""Sealwright as the supervisor runs it: how settings are read, where to listen, what each worker builds."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from sealwright import __version__
from sealwright.access import SYSTEM
from sealwright.app.addresses import listen_addresses
from sealwright.app.dependencies import CLOCK, real_dependencies, seed
from sealwright.app.home import Home, write_whole
from sealwright.app.memory import is_in_memory
from sealwright.app.open_telemetry import tracer
from sealwright.app.schedule import application
from sealwright.app.wiring import Parts, build, public_urls
from sealwright.audit import Event
from sealwright.clock import to_datetime
from sealwright.db import Transaction, open_database, sqlite_file
from sealwright.db.migrate import migrate
from sealwright.http import Listener
from sealwright.identity import OneTimeLink
from sealwright.request_counts import RequestCounts
from sealwright.runtime.application import Application
from sealwright.runtime.logs import Log, open_log
from sealwright.runtime.proxies import ListedProxies
from sealwright.runtime.supervisor import Plan, Program
from sealwright.runtime.tls import TlsMaterial
from sealwright.settings import Settings, SettingsRefused, line_of, load


class ServeReport(Struct, frozen=True):
    """What serves, as soon as it does."""

    home: Path
    database: str
    workers: int
    urls: Mapping[str, str]
    welcome: str | None
    welcome_until: datetime | None


def program(home: Home, tell: Callable[[ServeReport], None]) -> Program[Settings]:
    """The server whose home directory is `home`. `tell` is called once, when every worker serves."""
    welcome: list[OneTimeLink] = []
    built: list[Settings] = []  # in each worker its own: empty at the start, not so at a reload
    started: list[Settings] = []
    counts: list[RequestCounts] = []  # made before there are workers, for all of them

    def read() -> Settings:
        settings = load(home.path)
        started[:] = started or [settings]
        counts[:] = counts or [RequestCounts(settings.workers)]
        _require_same_database(started[0], settings, home)
        return settings

    def tls(settings: Settings, listening: Mapping[Listener, str]) -> TlsMaterial:
        material, link = asyncio.run(_prepare(settings, listening))
        if link:
            welcome.append(link)
        return material

    async def build_application(settings: Settings, listening: Mapping[Listener, str]) -> Application:
        db = await open_database(settings.database_url)
        try:
            parts = build(real_dependencies(settings, db, counts[0]), listening, _log(settings))
            await parts.ca.provisioners.reload()
            if built:
                await _record(parts, Event.SETTINGS_RELOADED)
            built[:] = [settings]
            return application(parts, tracer(settings.traces))
        except BaseException:
            await db.close()
            raise

    def ready(settings: Settings, listening: Mapping[Listener, str]) -> None:
        urls = public_urls(settings, listening)
        _write_addresses(home, urls)
        link = welcome.pop() if welcome else None
        report = ServeReport(
            home=settings.home,
            database=_database_in_words(settings, home),
            workers=settings.workers,
            urls={str(listener): url for listener, url in urls.items()},
            welcome=f"{urls[Listener.PEOPLE]}/welcome/{link.token}" if link else None,
            welcome_until=to_datetime(link.expires_at) if link else None,
        )
        tell(report)

    return Program(
        load=read,
        plan=lambda settings: _plan(settings, home),
        tls=tls,
        build=build_application,
        open_log=_log,
        ready=ready,
    )


def _database_in_words(settings: Settings, home: Home) -> str:
    if sqlite_file(settings.database_url) is None:
        return "PostgreSQL"
    return "SQLite in memory" if is_in_memory(settings, home) else "SQLite"


def _require_same_database(before: Settings, settings: Settings, home: Home) -> None:
    """A running server stays with its database; only as whom it signs in there may change."""
    if _without_user(settings.database_url) != _without_user(before.database_url):
        raise SettingsRefused(
            "database_url",
            "",
            "names another database than the one in use",
            file=home.settings_file,
            line=line_of("database_url", home.settings_file),
            hint="Restart the server to change to it.",
        )


def _without_user(url: str) -> str:
    scheme, _, rest = url.partition("://")
    place, slash, more = rest.partition("/")
    name, _, query = more.partition("?")
    others = sorted(each for each in query.split("&") if each.partition("=")[0] not in ("user", "password"))
    return f"{scheme}://{place.rpartition('@')[2]}{slash}{name}?{'&'.join(others)}"


async def _record(parts: Parts, event: Event) -> None:
    target = f"server:{parts.urls[Listener.PEOPLE]}"

    async def body(tx: Transaction) -> None:
        await parts.audit.record(tx, event, actor=SYSTEM, target=target, details={"version": __version__})

    await parts.around.db.write(body)


async def _prepare(settings: Settings, listening: Mapping[Listener, str]) -> tuple[TlsMaterial, OneTimeLink | None]:
    """What happens once per start, before there are workers: schema, seeds, open intents, certificate, first administrator."""
    await migrate(settings.database_url, may_create=False)
    db = await open_database(settings.database_url)
    try:
        parts = build(real_dependencies(settings, db), listening)
        await seed(parts.around)
        if sqlite_file(settings.database_url) is not None:  # no other process works with it
            await parts.ca.recovery.close_intents()
        await parts.ca.provisioners.reload()
        await parts.ca.issuers.active()  # a wrong key-encryption key shows here, not at the first signature
        material = await parts.certificate.material()
        link = await parts.identity.bootstrap.begin()
        await _record(parts, Event.SERVER_STARTED)
    finally:
        await db.close()
    return material, link


def _plan(settings: Settings, home: Home) -> Plan:
    if any(network.prefixlen == 0 for network in settings.certificate_proxies):
        _log(settings).warning(
            "certificate_proxies covers every address",
            hint=f"Anyone can claim any certificate with {settings.certificate_header}; list the addresses of your proxies only.",
        )
    return Plan(
        addresses=listen_addresses(settings, home.settings_file),
        workers=settings.workers,
        proxies=ListedProxies(settings.trusted_proxies, settings.certificate_proxies, settings.certificate_header),
        look_for_certificate=settings.tls.look_every,
        strict_transport=settings.tls.strict_transport,
    )


def _log(settings: Settings) -> Log:
    return open_log(settings.log.level, CLOCK)


def _write_addresses(home: Home, urls: Mapping[Listener, str]) -> None:
    document = {str(listener): url for listener, url in urls.items()} | {"pid": os.getpid()}
    write_whole(home.addresses_file, json.dumps(document).encode() + b"\n", mode=0o644)
