"""What every grant type ends with: a new refresh token on record, and leave to make the other tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sealwright.access import Actor
from sealwright.audit import Audit, Event
from sealwright.clock import Clock, after
from sealwright.db import Transaction
from sealwright.entropy import Entropy, token, uuid4
from sealwright.oauth import store
from sealwright.oauth.digests import digest_of
from sealwright.oauth.errors import MalformedTokenRequest
from sealwright.oauth.families import Holder
from sealwright.oauth.models import Client, Family


@dataclass(frozen=True, slots=True)
class Granted:
    """Leave to make tokens: what was presented is used up, and this is on record."""

    family: Family
    holder: Holder
    scopes: tuple[str, ...]
    refresh_token: str = field(repr=False)
    access_token_id: str
    id_token_id: str
    nonce: str | None = None


def draw(entropy: Entropy, family: Family, holder: Holder, scopes: tuple[str, ...], *, nonce: str | None = None) -> Granted:
    """A grant with fresh identifiers; it counts once `record` is durable."""
    return Granted(family, holder, scopes, token(entropy), uuid4(entropy), uuid4(entropy), nonce)


async def record(
    tx: Transaction, granted: Granted, client: Client, grant_type: str, *, actor: Actor, audit: Audit, clock: Clock
) -> None:
    """Store the new refresh token and tell the audit record, in the transaction that used up what was presented."""
    now = clock.now()
    await store.insert_refresh_token(
        tx, digest_of(granted.refresh_token), granted.family.id, now, after(now, client.refresh_lifetime)
    )
    details: dict[str, Any] = {
        "client": client.name,
        "grant_type": grant_type,
        "account": granted.family.account_id,
        "session": granted.family.session_id,
        "family": granted.family.id,
        "scope": " ".join(granted.scopes),
        "access_token": granted.access_token_id,
    }
    if "openid" in granted.scopes:
        details["id_token"] = granted.id_token_id
    await audit.record(tx, Event.TOKEN_ISSUED, actor=actor, target=f"client:{client.id}", details=details)


def require_parameter(form: Mapping[str, str], name: str) -> str:
    """A parameter that must be there; an empty one is not (RFC 6749, section 3.2)."""
    value = form.get(name)
    if not value:
        raise MalformedTokenRequest(f"The parameter {name} is missing.")
    return value
