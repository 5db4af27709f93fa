"""What a proven client asked for and was refused is on record, at every endpoint that clients call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sealwright.access import Actor
from sealwright.audit import Event
from sealwright.errors import RateLimited, Refused
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.errors import (
    AuthorizationPending,
    AuthorizationRefused,
    DpopNonceNeeded,
    GrantRefused,
    TokenRequestRefused,
)
from sealwright.oauth.models import Client
from sealwright.oauth.token_request import TokenRequest

_NO_REFUSALS = (RateLimited, AuthorizationPending, DpopNonceNeeded)
"""What clients are told on their way to what they ask for."""
_RECORDED_BY_GRANT = (GrantRefused,)
"""Recorded where it is known whose authorization it was."""


@asynccontextmanager
async def recorded_requests(dependencies: OAuthDependencies, client: Client, request: TokenRequest) -> AsyncIterator[None]:
    """Leave an audit row where the block refuses a request of this client."""
    try:
        yield
    except (*_NO_REFUSALS, *_RECORDED_BY_GRANT):
        raise
    except Refused as refusal:
        error = refusal.error if isinstance(refusal, TokenRequestRefused | AuthorizationRefused) else refusal.code
        reason = "; ".join(refusal.reasons) or refusal.detail
        await record_refused_request(dependencies, client, request, error, reason)
        raise


async def record_refused_request(
    dependencies: OAuthDependencies, client: Client, request: TokenRequest, error: str, reason: str
) -> None:
    """Leave the row; for what is refused without an error. `error`: the kind that it counts with."""
    await dependencies.audit.refused(
        dependencies.db,
        Event.TOKEN_REFUSED,
        actor=Actor("client", client.id, client.name, address=request.peer.address),
        target=f"client:{client.id}",
        reason=f"{request.path}: {error}",
        details={
            "client": client.name,
            "address": request.peer.address,
            "endpoint": request.path,
            "error": error,
            "reason": reason,
        },
    )
