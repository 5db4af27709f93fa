"""The secret of a confidential client: show it, replace it, and replace it together with the signing keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

from sealwright.access import Actor, require_in_person
from sealwright.audit import Event
from sealwright.client_metadata import ClientRefused
from sealwright.clock import CLOCKS_DIFFER, Instant, after
from sealwright.db import Transaction
from sealwright.entropy import token
from sealwright.keys import Sealer
from sealwright.oauth import store as oauth_store
from sealwright.oauth.clients import lookup, store
from sealwright.oauth.clients.guarded_changes import ClientChanges
from sealwright.oauth.clients.keys import ClientKeys
from sealwright.oauth.clients.recorded_refusals import recorded_refusals
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.digests import digest_of
from sealwright.oauth.models import Client

SECRET_BYTES = 48
LONGEST_OVERLAP = timedelta(days=30)
SHORTEST_SECRET = 32
LONGEST_SECRET = 512
"""Characters of a secret that was made elsewhere."""


class NewSecret(NamedTuple):
    """A client's new secret, and until when the one before works on; None where it does not."""

    secret: str
    old_until: Instant | None


class ClientSecrets:
    """The secrets of every client."""

    def __init__(self, dependencies: OAuthDependencies, sealer: Sealer, keys: ClientKeys, changes: ClientChanges) -> None:
        self._dependencies = dependencies
        self._clock = dependencies.clock
        self._entropy = dependencies.entropy
        self._audit = dependencies.audit
        self._sealer = sealer
        self._keys = keys
        self._changes = changes
        self._longest_token = max(dependencies.lifetimes.client_credentials, dependencies.lifetimes.access_token)

    async def show_basic_secret(self, name: str, *, actor: Actor) -> str | None:
        """The secret of a confidential client; None for a public one. That it was shown is recorded."""
        client = await self._to_change(name, Event.CLIENT_SECRET_SHOWN, actor)

        async def body(tx: Transaction) -> bytes | None:
            await self._require_over(tx, client, actor, "show")
            sealed = await store.sealed_secret(tx, client.id)
            if sealed is not None:
                await store.note_credential_holder(tx, client.id, actor.id, store.SECRET)
                details = {"name": client.name}
                await self._audit.record(
                    tx, Event.CLIENT_SECRET_SHOWN, actor=actor, target=f"client:{client.id}", details=details
                )
            return sealed

        sealed = await self._changes.write(client, actor, body, Event.CLIENT_SECRET_SHOWN)
        return None if sealed is None else self._sealer.open(sealed, secret_context(client.id)).decode()

    async def reset_basic_secret(self, name: str, *, overlap: timedelta = timedelta(0), actor: Actor) -> NewSecret:
        """Give a confidential client a new secret. The old one works on for `overlap`; without it, every token ends, too."""
        client = await self._to_change(name, Event.CLIENT_SECRET_RESET, actor)
        if client.is_public:
            raise ClientRefused(f"{client.name} is a public client and has no secret.")
        if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
            raise ClientRefused(
                f"The old secret cannot work on for {int(overlap.total_seconds())} seconds.",
                hint=f"Give 0 seconds to {LONGEST_OVERLAP.days} days.",
            )
        secret = token(self._entropy, SECRET_BYTES)
        now = self._clock.now()
        old_until = after(now, overlap) if overlap else None

        async def body(tx: Transaction) -> None:
            await self._require_over(tx, client, actor, "reset")
            details: dict[str, Any] = {"name": client.name, "old_until": old_until}
            await self._put_secret(tx, client, secret, old_until, actor)
            if old_until is None:
                reason = "the client's secret was reset"
                details["families_revoked"] = await oauth_store.revoke_families_of_client(tx, client.id, reason, now)
            await self._audit.record(tx, Event.CLIENT_SECRET_RESET, actor=actor, target=f"client:{client.id}", details=details)

        await self._changes.write(client, actor, body, Event.CLIENT_SECRET_RESET)
        return NewSecret(secret, old_until)

    async def put(self, name: str, secret: str, *, actor: Actor) -> bool:
        """Give a confidential client a secret that was made elsewhere; false where it is the one that it has.

        The one before ends at once, and every token with it.
        """
        client = await self._to_change(name, Event.CLIENT_SECRET_RESET, actor)
        if client.is_public:
            raise ClientRefused(f"{client.name} is a public client and has no secret.")
        if not SHORTEST_SECRET <= len(secret) <= LONGEST_SECRET or not secret.isascii() or not secret.isprintable():
            raise ClientRefused(
                f"The secret for {client.name} has {len(secret)} characters, or some that no secret has.",
                hint=f"Give {SHORTEST_SECRET} to {LONGEST_SECRET} random characters of printable ASCII.",
            )
        digest = digest_of(secret)

        async def body(tx: Transaction) -> bool:
            await self._require_over(tx, client, actor, "set")
            if (await lookup.locked(tx, client)).secret_digest == digest:
                await store.note_credential_holder(tx, client.id, actor.id, store.SECRET)
                return False
            await self._put_secret(tx, client, secret, None, actor)
            reason = "the client got another secret"
            ended = await oauth_store.revoke_families_of_client(tx, client.id, reason, self._clock.now())
            details: dict[str, Any] = {"name": client.name, "old_until": None, "families_revoked": ended}
            await self._audit.record(tx, Event.CLIENT_SECRET_RESET, actor=actor, target=f"client:{client.id}", details=details)
            return True

        return bool(await self._changes.write(client, actor, body, Event.CLIENT_SECRET_RESET))

    async def reset_secrets(self, name: str, *, actor: Actor) -> str | None:
        """Replace a client's secret and signing keys and end its tokens, at once. The new secret; None for a public client."""
        client = await self._to_change(name, Event.CLIENT_SECRETS_RESET, actor)
        secret = None if client.is_public else token(self._entropy, SECRET_BYTES)
        old, new = await self._keys.replacements(client)

        async def body(tx: Transaction) -> None:
            now = self._clock.now()
            await self._require_over(tx, client, actor, "reset")
            if secret is not None:
                await self._put_secret(tx, client, secret, None, actor)
            await self._keys.replace(tx, old, new)
            ended = await oauth_store.revoke_families_of_client(tx, client.id, "the client's secrets were reset", now)
            await store.touch_client(tx, client.id, now)
            details = {"name": client.name, "families_revoked": ended, "keys_revoked": old, "keys": [key.id for key in new]}
            await self._audit.record(tx, Event.CLIENT_SECRETS_RESET, actor=actor, target=f"client:{client.id}", details=details)

        try:
            await self._changes.write(client, actor, body, Event.CLIENT_SECRETS_RESET)
        finally:
            self._keys.forget()
        return secret

    async def _to_change(self, name: str, event: Event, actor: Actor) -> Client:
        async with recorded_refusals(self._dependencies, event, name, actor):
            require_in_person(actor, "make, set or see the secret of a client")
        return await self._changes.to_change(name, actor)

    async def _require_over(self, tx: Transaction, client: Client, actor: Actor, verb: str) -> None:
        found = await lookup.locked(tx, client)
        await self._changes.require_over(tx, found.name, actor, f"{verb} the secret of the client {found.name}")

    async def _put_secret(self, tx: Transaction, client: Client, secret: str, old_until: Instant | None, actor: Actor) -> None:
        found = await lookup.locked(tx, client)
        sealed = self._sealer.seal(secret.encode(), secret_context(client.id))
        await store.set_secret(
            tx,
            found,
            digest_of(secret),
            sealed,
            self._clock.now(),
            previous_ends_at=old_until,
            tokens_end_at=None if old_until is None else after(old_until, self._longest_token + CLOCKS_DIFFER),
        )
        await store.note_credential_holder(tx, client.id, actor.id, store.SECRET)


def secret_context(client_id: str) -> str:
    """What a sealed secret belongs to: it opens in no other place."""
    return f"oauth_clients:{client_id}"
