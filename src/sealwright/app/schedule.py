"""What a worker does with the parts: the routes it serves and the jobs it runs."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from functools import partial

from sealwright import api, ca, identity, oauth
from sealwright.access import SYSTEM
from sealwright.app.routes import serve_all
from sealwright.app.wiring import Parts
from sealwright.audit import NothingToPurge
from sealwright.clock import before
from sealwright.db import Database
from sealwright.entropy import uuid4
from sealwright.runtime.application import Application
from sealwright.runtime.jobs import Job, Leases
from sealwright.traces import Tracer


def application(parts: Parts, tracer: Tracer | None = None) -> Application:
    """What a worker serves and runs; `tracer` collects its traces."""
    around, served = parts.around, serve_all(parts)

    async def close() -> None:
        try:
            await parts.outbox.settle()
            await parts.oauth.backchannel_logout.settle()
            await parts.audit.write_repeated(around.db, unfinished=True)
        finally:
            await around.db.close()
            if tracer is not None:
                await tracer.close()

    return Application(
        routes=served.routes,
        failures=served.failures,
        jobs=_jobs(parts),
        leases=Leases(around.db, around.clock, uuid4(around.entropy)),
        tls=parts.certificate.material,
        close=close,
        request_counts=around.request_counts,
        tracer=tracer,
    )


def _jobs(parts: Parts) -> tuple[Job, ...]:
    around, hourly = parts.around, timedelta(hours=1)

    async def purge_identity() -> None:
        await identity.purge(around.db, around.clock)
        await api.purge(around.db, around.clock.now())

    async def purge_oauth() -> None:
        await oauth.purge(parts.oauth_dependencies)

    async def purge_tokens() -> None:
        await parts.ca.recovery.purge_tokens()

    async def close_intents() -> None:
        await parts.ca.recovery.close_intents(older_than=ca.PATIENCE)

    async def close_expired() -> None:
        await parts.approvals.close_expired()

    async def write_repeated() -> None:
        await parts.audit.write_repeated(around.db)

    async def checkpoint() -> None:
        await parts.checkpoints.make(SYSTEM)

    async def purge_record() -> None:
        keep = around.settings.audit.keep
        if keep:
            with suppress(NothingToPurge):
                taken = await parts.forwarding.taken_by_all()
                await parts.checkpoints.purge(before(around.clock.now(), keep), SYSTEM, taken=taken)

    return (
        Job("purge sessions", hourly, purge_identity, once_per_cluster=True),
        Job("purge authorization requests", hourly, purge_oauth, once_per_cluster=True),
        Job("purge used tokens", hourly, purge_tokens, once_per_cluster=True),
        Job("close open intents", timedelta(minutes=10), close_intents, once_per_cluster=True),
        Job("close expired requests for approval", timedelta(minutes=1), close_expired, once_per_cluster=True),
        Job(
            "tell applications of sign-outs",
            timedelta(seconds=10),
            parts.oauth.backchannel_logout.deliver_due,
            once_per_cluster=True,
        ),
        Job("send mail", timedelta(seconds=10), parts.outbox.send_due, once_per_cluster=True),
        Job("write repeated refusals", timedelta(seconds=10), write_repeated),
        Job("forward events", timedelta(seconds=5), parts.forwarding.deliver_due, once_per_cluster=True),
        Job("audit checkpoint", hourly, checkpoint, once_per_cluster=True),
        Job("add missing words", hourly, partial(_add_missing_words, around.db), once_per_cluster=True),
        Job("purge audit record", hourly, purge_record, once_per_cluster=True),
    )


async def _add_missing_words(db: Database) -> None:
    await identity.add_missing_words(db)
