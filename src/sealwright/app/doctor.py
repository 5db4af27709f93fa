"""`sealwright doctor`: checks a home directory and reports what is wrong and how to mend it. Changes nothing."""

from __future__ import annotations

import asyncio
import shlex
import stat
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from msgspec import Struct

from sealwright.app.addresses import listen_addresses
from sealwright.app.dependencies import real_dependencies
from sealwright.app.home import OTHERS_WRITE, Home
from sealwright.app.wiring import Parts, build
from sealwright.ca import IssuerKind, IssuerRecord, OidcProvisioner
from sealwright.clock import after, before, between, from_datetime, to_datetime
from sealwright.db import open_database, sqlite_file
from sealwright.db.migrate import NEWEST, require_known, revision_of
from sealwright.errors import Failure
from sealwright.keys import KEY_FILE, load_key_encryption_key, readers_of_key_file
from sealwright.runtime.listeners import AddressRefused, look_at
from sealwright.runtime.tls import server_context
from sealwright.secret_files import beyond_own_group
from sealwright.settings import Settings, load

WARN_BEFORE = timedelta(days=60)
STUCK_AFTER = timedelta(minutes=10)
"""A message that waits longer is worth a look; greylisting takes some minutes."""
_CLOCK_HINT = "Look at the clock of this machine: date -u"


class Finding(Struct, frozen=True):
    """One thing that was looked at."""

    subject: str
    ok: bool
    detail: str
    hint: str = ""


def doctor(home: Path) -> Sequence[Finding]:
    """Look at everything that a server needs; returns what was found, in words."""
    return asyncio.run(examine(Home(home)))


async def examine(home: Home) -> list[Finding]:
    """Everything in the order in which a server needs it; what rests on something broken is left out."""
    findings: list[Finding] = []
    subject = "home"
    try:
        findings.append(_examine_directory(home))
        subject = "settings"
        settings = load(home.path)
        findings.append(Finding("settings", ok=True, detail=str(home.settings_file)))
        subject = "key"
        load_key_encryption_key(settings.home, settings.key)
        source = "of the environment"
        if not settings.key:
            source = f"in {settings.home / KEY_FILE}, readable by {readers_of_key_file(settings.home)}"
        findings.append(Finding("key", ok=True, detail=f"key-encryption key {source}"))
        findings.extend(_examine_listeners(settings, home))
        subject = "database"
        revision = await revision_of(settings.database_url)
        require_known(revision, settings.database_url)
        if revision != NEWEST:
            detail = f"schema {revision}, this program speaks {NEWEST}"
            findings.append(Finding("database", ok=False, detail=detail, hint="It is brought up to date at: sealwright serve"))
            return findings
        db = await open_database(settings.database_url)
        try:
            await db.check()
            findings.append(_examine_database(settings))
            findings.extend([finding async for finding in _examine_parts(build(real_dependencies(settings, db)), home)])
        finally:
            await db.close()
    except Failure as failure:
        findings.append(Finding(subject, ok=False, detail=failure.detail, hint=failure.hint))
    return findings


def _examine_directory(home: Home) -> Finding:
    home.require()
    status = home.path.stat()
    mode = stat.S_IMODE(status.st_mode)
    if beyond_own_group(status) & OTHERS_WRITE:
        detail = f"{home.path} can be changed by others ({mode:04o})"
        return Finding("home", ok=False, detail=detail, hint=f"Run: chmod go-w {home.typed}")
    return Finding("home", ok=True, detail=str(home.path))


def _examine_listeners(settings: Settings, home: Home) -> list[Finding]:
    if (pid := home.server_pid()) is not None:
        return [Finding("listeners", ok=True, detail=f"a server of this home is running (pid {pid})")]
    refused = look_at(listen_addresses(settings, home.settings_file))
    return [_finding(each) for each in refused] or [Finding("listeners", ok=True, detail="all addresses are free")]


def _finding(refused: AddressRefused) -> Finding:
    if isinstance(refused.__cause__, PermissionError):  # no fault of the home: the service has it where its shell has not
        return Finding("listeners", ok=True, detail=f"{refused.detail} The systemd unit gives it.")
    return Finding("listeners", ok=False, detail=refused.detail, hint=refused.hint)


def _examine_database(settings: Settings) -> Finding:
    file = sqlite_file(settings.database_url)
    if file is None:
        return Finding("database", ok=True, detail=f"PostgreSQL, schema {NEWEST}")
    status = file.stat()
    mode = stat.S_IMODE(status.st_mode)
    if beyond_own_group(status):
        detail = f"{file} can be read or changed by others (mode {mode:04o})"
        return Finding("database", ok=False, detail=detail, hint=f"Run: chmod go= {shlex.quote(str(file))}*")
    return Finding("database", ok=True, detail=f"SQLite, schema {NEWEST}")


async def _examine_parts(parts: Parts, home: Home) -> AsyncIterator[Finding]:
    records = await parts.ca.issuers.records()
    if not records:
        yield await _examine_signing(parts, "authorities")
        return
    for record in records:
        yield _examine_authority(parts, record)
    yield _examine_root_file(home, await parts.ca.issuers.roots())
    yield await _examine_signing(parts, "signing key")
    yield await _examine_server_certificate(parts)
    try:
        await parts.ca.provisioners.reload()
        page = await parts.ca.provisioners.page(at_most=100)
        count = len(page.provisioners)
        yield Finding("provisioners", ok=True, detail=f"{count} usable" if count else "none yet")
        for each in page.provisioners:
            if isinstance(each, OidcProvisioner) and each.given_endpoint.startswith("/") and not each.definition.domains:
                detail = f"{each.name} signs any mail address that an account here has; --domain at provisioner add limits it"
                yield Finding("provisioners", ok=True, detail=detail)
    except Failure as failure:
        yield Finding("provisioners", ok=False, detail=failure.detail, hint=failure.hint)
    async for finding in _examine_mail(parts):
        yield finding
    async for finding in _examine_sinks(parts):
        yield finding
    try:
        heads = await parts.checkpoints.verify()
        total = sum(head.sequence for head in heads.values())
        chains = f"{len(heads)} chain{'' if len(heads) == 1 else 's'}"
        yield Finding("audit", ok=True, detail=f"{total:,} {'entry' if total == 1 else 'entries'} in {chains}, unbroken")
    except Failure as failure:
        hint = "Compare the database with a backup: someone or something changed it from outside."
        yield Finding("audit", ok=False, detail=failure.detail, hint=failure.hint or hint)


async def _examine_sinks(parts: Parts) -> AsyncIterator[Finding]:
    for sink, waiting in await parts.forwarding.all():
        if sink.tries:
            detail = f"{sink.name} has failed {sink.tries} times, {waiting:,} events wait: {sink.last_error}"
            yield Finding("audit sink", ok=False, detail=detail, hint="Mend the receiver, or delete the sink.")
        else:
            yield Finding("audit sink", ok=True, detail=f"{sink.name} has taken {sink.sent:,} events, {waiting:,} wait")


async def _examine_mail(parts: Parts) -> AsyncIterator[Finding]:
    waiting = await parts.outbox.status()
    if parts.outbox.is_on:
        try:
            yield Finding("mail", ok=True, detail=await parts.outbox.check())
        except Failure as failure:
            yield Finding("mail", ok=False, detail=failure.detail, hint=failure.hint)
    if waiting.oldest is None:
        return
    count = f"{waiting.count} message{' waits' if waiting.count == 1 else 's wait'}"
    detail = f"{count}, the oldest since {to_datetime(waiting.oldest):%d %b %Y %H:%M} UTC"
    if waiting.last_failure:
        detail += f". Last failure: {waiting.last_failure}"
    if not parts.outbox.is_on:
        yield Finding("outbox", ok=False, detail=detail, hint="Set mail.host, or pass the links on yourself.")
    else:
        stuck = waiting.oldest < before(parts.around.clock.now(), STUCK_AFTER)
        yield Finding("outbox", ok=not stuck, detail=detail, hint="Each is tried until its link ends." if stuck else "")


async def _examine_signing(parts: Parts, subject: str) -> Finding:
    try:
        await parts.ca.issuers.active()
    except Failure as failure:
        return Finding(subject, ok=False, detail=failure.detail, hint=failure.hint)
    return Finding(subject, ok=True, detail="the issuing CA's key opens")


def _examine_authority(parts: Parts, record: IssuerRecord) -> Finding:
    now = parts.around.clock.now()
    until = f"{to_datetime(record.not_after):%d %b %Y}"
    begin = x509.load_der_x509_certificate(record.certificate_der).not_valid_before_utc
    if from_datetime(begin) > now:
        detail = f"{record.name} is valid only from {begin:%d %b %Y %H:%M} UTC on"
        return Finding("authorities", ok=False, detail=detail, hint=_CLOCK_HINT)
    if record.retired_at is not None:
        return Finding("authorities", ok=True, detail=f"{record.name}, retired, until {until}")
    if record.not_after <= now:
        return Finding("authorities", ok=False, detail=f"{record.name} expired on {until}", hint=_renewal(record))
    if record.not_after < after(now, WARN_BEFORE):
        days = between(now, record.not_after).days
        return Finding("authorities", ok=False, detail=f"{record.name} expires in {days} days, on {until}", hint=_renewal(record))
    return Finding("authorities", ok=True, detail=f"{record.name}, until {until}")


def _renewal(record: IssuerRecord) -> str:
    return "Make another: sealwright issuer rotate" if record.kind is IssuerKind.ISSUING else ""


async def _examine_server_certificate(parts: Parts) -> Finding:
    subject = "server certificate"
    try:
        held = await parts.certificate.held()
        if held is None:
            return Finding(subject, ok=True, detail="made by the issuing CA when the server starts")
        server_context(held, client_certificates=False)
    except Failure as failure:
        return Finding(subject, ok=False, detail=failure.detail, hint=failure.hint)
    leaf = x509.load_pem_x509_certificate(held.chain_pem)
    until = f"until {leaf.not_valid_after_utc:%d %b %Y %H:%M} UTC"
    now = parts.around.clock.now()
    if from_datetime(leaf.not_valid_before_utc) > now:
        detail = f"it is valid only from {leaf.not_valid_before_utc:%d %b %Y %H:%M} UTC on"
        return Finding(subject, ok=False, detail=detail, hint=_CLOCK_HINT)
    if from_datetime(leaf.not_valid_after_utc) <= now:
        return Finding(
            subject, ok=False, detail=f"it was valid {until}", hint="Replace the files of tls.certificate and tls.key."
        )
    missing = parts.certificate.names_missing_in(leaf)
    if missing:
        hint = "Clients that use such a name will not trust the server. Get a certificate for it, or correct dns_names."
        return Finding(subject, ok=False, detail=f"it is not for {', '.join(sorted(missing))}", hint=hint)
    return Finding(subject, ok=True, detail=until)


def _examine_root_file(home: Home, roots: Sequence[IssuerRecord]) -> Finding:
    try:
        certificate = x509.load_pem_x509_certificate(home.root_certificate.read_bytes())
        known = {x509.load_der_x509_certificate(record.certificate_der) for record in roots}
    except (OSError, ValueError):
        return Finding("root file", ok=False, detail=f"{home.root_certificate} cannot be read", hint="Fetch it: step ca root")
    if certificate not in known:
        hint = "Commands on this machine trust the wrong root. Fetch it anew: step ca root"
        return Finding("root file", ok=False, detail=f"{home.root_certificate} is not the root of this database", hint=hint)
    return Finding("root file", ok=True, detail=str(home.root_certificate))
