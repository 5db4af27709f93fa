"""How a certificate came about, link by link: who signed in, what they were given, why it was allowed, what became of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from msgspec import Struct

from sealwright.access import Actor, Permission
from sealwright.audit import Audit, AuditedEvent, Event, EventFilter
from sealwright.ca import CertificateRecord
from sealwright.clock import Instant, after, before
from sealwright.db import Database
from sealwright.oauth import ClientRegistry

_SIGN_INS = 50
_TOKENS = 100
_TOKEN_AGE = timedelta(minutes=15)
"""How long before a certificate the token was given that it was asked for with."""
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class ChainLink(Struct, frozen=True):
    """One step."""

    at: Instant
    title: str
    details: tuple[str, ...] = ()
    path: str = ""
    """The page of what the title names."""


class CertificateChain:
    """Reads the chain from the audit record, for those who may read it; from the certificate itself for others."""

    def __init__(self, db: Database, audit: Audit, clients: ClientRegistry) -> None:
        self._db = db
        self._audit = audit
        self._clients = clients

    async def of(self, record: CertificateRecord, *, holder: str, issuer: str, actor: Actor) -> tuple[ChainLink, ...]:
        """The links in their order. `holder`: name of the person; `issuer`: name of the authority."""
        if not actor.holds(Permission.AUDIT_READ):
            return _without_record(record, issuer)
        links = await self._sign_in(record, holder)
        links += await self._tokens(record, actor)
        target = f"certificate:{record.serial.hex()}"
        rows = await self._audit.search(self._db, EventFilter(targets=(target,)), at_most=20)
        links += [_about(row, record, issuer) for row in reversed(rows)]
        return tuple(links) if rows else (*links, *_without_record(record, issuer))

    async def _sign_in(self, record: CertificateRecord, holder: str) -> list[ChainLink]:
        if record.account_id is None or record.session_id is None:
            return []
        wanted = EventFilter(
            targets=(f"person:{record.account_id}",),
            events=(str(Event.SIGN_IN),),
            until=after(record.intended_at, timedelta(seconds=1)),
        )
        for row in await self._audit.search(self._db, wanted, at_most=_SIGN_INS):
            details = _decode(row.details)
            if row.outcome == "done" and details.get("session") == record.session_id:
                methods = ", ".join(map(str, details.get("methods", ())))
                return [
                    ChainLink(
                        Instant(row.at),
                        f"{holder} signed in",
                        (f"{methods} from {details.get('address', 'an unknown address')}", f"session {record.session_id}"),
                        f"/ui/people/{holder}",
                    )
                ]
        return []

    async def _tokens(self, record: CertificateRecord, actor: Actor) -> list[ChainLink]:
        """What the client was given whose name is the provisioner's id: the token that the certificate was asked for with."""
        client_id = await self._clients.id_of(record.provisioner_id or "", actor=actor)
        if record.session_id is None or client_id is None:
            return []
        wanted = EventFilter(
            targets=(f"client:{client_id}",),
            events=(str(Event.TOKEN_ISSUED),),
            since=before(record.intended_at, _TOKEN_AGE),
            until=after(record.intended_at, timedelta(seconds=1)),
        )
        for row in await self._audit.search(self._db, wanted, at_most=_TOKENS):
            details = _decode(row.details)
            if details.get("session") == record.session_id and "id_token" in details:
                client = str(details.get("client", ""))
                return [
                    ChainLink(
                        Instant(row.at),
                        f"{client} was given an ID token",
                        (f"for {details.get('scope', '')}",),
                        f"/ui/clients/{client}",
                    )
                ]
        return []


def _about(row: AuditedEvent, record: CertificateRecord, issuer: str) -> ChainLink:
    details, at = _decode(row.details), Instant(row.at)
    if row.event == Event.CERTIFICATE_INTENDED:
        provisioner = str(details.get("provisioner", ""))
        reasons = tuple(map(str, details.get("reasons", ())))
        by = f"the provisioner {provisioner}" if provisioner else row.actor_name or "this server"
        return ChainLink(at, f"Allowed by {by}", (*reasons, f"profile {details.get('profile', record.profile)}"))
    if row.event == Event.CERTIFICATE_ISSUED:
        entry = f"entry {row.sequence} of the audit chain {row.writer_id[:8]}"
        return ChainLink(at, f"Recorded, then signed by {issuer}", (entry, f"serial number {record.serial.hex()}"))
    if row.event == Event.CERTIFICATE_REVOKED:
        who = row.actor_name or "this server"
        tried = "Revoked by" if row.outcome == "done" else "Revocation refused to"
        return ChainLink(at, f"{tried} {who}", tuple(filter(None, (str(details.get("reason", "")),))))
    words = {
        Event.CERTIFICATE_FAILED: "Not signed",
        Event.CERTIFICATE_UNRESOLVED: "The process ended before the signature was recorded",
    }
    known = {str(event): text for event, text in words.items()}
    return ChainLink(at, known.get(row.event, row.event), tuple(filter(None, (str(details.get("detail", "")),))))


def _without_record(record: CertificateRecord, issuer: str) -> tuple[ChainLink, ...]:
    links = [ChainLink(record.intended_at, "Decided and recorded", (f"profile {record.profile}",))]
    if record.issued_at is not None:
        links.append(ChainLink(record.issued_at, f"Signed by {issuer}"))
    if record.revoked_at is not None:
        links.append(ChainLink(record.revoked_at, "Revoked"))
    return tuple(links)
