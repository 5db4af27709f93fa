"""What someone was not permitted to do with a client is on record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sealwright.access import Actor
from sealwright.audit import Event
from sealwright.client_metadata import is_client_name
from sealwright.errors import NotPermitted
from sealwright.oauth.dependencies import OAuthDependencies


@asynccontextmanager
async def recorded_refusals(dependencies: OAuthDependencies, event: Event, name: str, actor: Actor) -> AsyncIterator[None]:
    """Leave an audit row where the block raises NotPermitted. `name`: of the client, as it was given."""
    try:
        yield
    except NotPermitted as refusal:
        await dependencies.audit.refused(
            dependencies.db,
            event,
            actor=actor,
            target=f"client:{name if is_client_name(name) else 'unknown'}",
            reason=refusal.code,
            details={"reason": refusal.detail, "reasons": list(refusal.reasons)},
        )
        raise
