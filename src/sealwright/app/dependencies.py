"""The dependencies of one process; and identity alone, for commands that need no other part."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec import Struct, field

from sealwright import ca, identity
from sealwright.access import NamedAuthorities
from sealwright.audit import Audit
from sealwright.clock import Clock, SystemClock
from sealwright.db import Database, Transaction, open_database
from sealwright.db.migrate import migrate
from sealwright.entropy import Entropy, SystemEntropy
from sealwright.keys import Custody, Sealer, load_key_encryption_key
from sealwright.outbound import GuardedOutbound, Outbound
from sealwright.request_counts import RequestCounts
from sealwright.settings import Settings

CLOCK: Clock = SystemClock()
ENTROPY: Entropy = SystemEntropy()

HASHING_THREADS = 1
"""Threads that hash passwords in each worker; there is a worker for each processor."""


class Dependencies(Struct, frozen=True):
    """What comes from outside: real in a server, chosen in a test."""

    settings: Settings
    clock: Clock
    entropy: Entropy
    db: Database
    sealer: Sealer
    custody: Custody
    hashing: identity.Hashing
    outbound: Outbound
    crash_points: ca.CrashPoints = ca.pass_by
    request_counts: RequestCounts = field(default_factory=RequestCounts)


def real_dependencies(settings: Settings, db: Database, request_counts: RequestCounts | None = None) -> Dependencies:
    """Those of a real server on an open database."""
    sealer = Sealer(load_key_encryption_key(settings.home, settings.key), ENTROPY)
    outbound = GuardedOutbound(
        allow_private=settings.outbound.allow_private,
        allow_http=settings.outbound.allow_http,
        ca_file=settings.outbound.ca_file,
    )
    return Dependencies(
        settings=settings,
        clock=CLOCK,
        entropy=ENTROPY,
        db=db,
        sealer=sealer,
        custody=Custody(db, sealer, CLOCK),
        hashing=identity.Argon2Hashing(ENTROPY, threads=HASHING_THREADS),
        outbound=outbound,
        request_counts=request_counts or RequestCounts(),
    )


@asynccontextmanager
async def opened(settings: Settings, *, new: bool = False) -> AsyncIterator[Dependencies]:
    """Those of one command on the server's machine. The database is brought to the newest schema first.

    Where there is none, it is made only for a `new` server: else it was lost.
    """
    await migrate(settings.database_url, may_create=new)
    db = await open_database(settings.database_url)
    try:
        yield real_dependencies(settings, db)
    finally:
        await db.close()


def build_people(
    around: Dependencies,
    audit: Audit,
    named: NamedAuthorities,
    clients_of_group: identity.ClientsOfGroup,
    session_ended: identity.SessionEnded,
    *,
    origin: str,
) -> identity.Identity:
    """The part that knows people; what it asks of the others is passed to it."""
    settings = around.settings
    return identity.build_identity(
        around.db,
        audit=audit,
        clock=around.clock,
        entropy=around.entropy,
        sealer=around.sealer,
        hashing=around.hashing,
        rules=identity.SessionLifetimes(
            idle=settings.sessions.idle, absolute=settings.sessions.absolute, privileged=settings.sessions.privileged
        ),
        server_name=settings.name,
        origin=origin,
        domain=settings.domain,
        named=named,
        clients_of_group=clients_of_group,
        session_ended=session_ended,
        edit_own_mail=settings.accounts.edit_own_mail,
        first_administrator=identity.FirstAdministratorRules(
            token=settings.bootstrap_token,
            groups=frozenset(settings.bootstrap.admin_groups),
            provider_id=settings.bootstrap.oidc_provider_id,
        ),
        break_glass=settings.break_glass.enabled,
        certificates=ca.AccountCertificates(audit, around.clock),
    )


async def seed(around: Dependencies) -> None:
    """Make the built-in groups and accounts that are not there yet."""

    async def body(tx: Transaction) -> None:
        await identity.create_builtin_accounts(tx, around.clock.now())

    await around.db.write(body)
