"""The registration endpoint, and the addresses where a client manages what it registered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sealwright.access import Actor, NamedAuthorities, NameKind, anonymous, require_over_names
from sealwright.audit import Event, changes_between
from sealwright.client_metadata import SECRET_METHODS, is_client_name
from sealwright.clock import to_seconds
from sealwright.db import Transaction
from sealwright.entropy import token, uuid4
from sealwright.errors import Failure, NotPermitted
from sealwright.ip import network_of
from sealwright.keys import Sealer
from sealwright.oauth import store as oauth_store
from sealwright.oauth.clients import lookup
from sealwright.oauth.clients import store as client_store
from sealwright.oauth.clients.secrets import SECRET_BYTES, secret_context
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.digests import digest_of
from sealwright.oauth.errors import (
    IssuerUnknown,
    MetadataRefused,
    RegistrationClosed,
    RegistrationNotManaged,
    RegistrationTokenRefused,
    TooManyRegistered,
)
from sealwright.oauth.issuers import store as issuer_store
from sealwright.oauth.issuers.addresses import REGISTRATION_PATH
from sealwright.oauth.issuers.models import SharedIssuer
from sealwright.oauth.models import Client
from sealwright.oauth.registration import metadata, store

MOST_OPENLY_REGISTERED = 10_000
"""Clients that registered without a token: more are refused, so that no one fills the database."""
ACCESS_TOKEN_BYTES = 32


class RegistrationEndpoint:
    """Clients of the root issuer register themselves here."""

    def __init__(self, dependencies: OAuthDependencies, *, sealer: Sealer, named: NamedAuthorities) -> None:
        """`named`: the names that carry authority elsewhere; a client with such a name cannot change its own registration."""
        self._db = dependencies.db
        self._clock = dependencies.clock
        self._entropy = dependencies.entropy
        self._audit = dependencies.audit
        self._is_open = dependencies.lifetimes.open_registration
        self._budgets = dependencies.budgets
        self._outbound = dependencies.outbound
        self._sealer = sealer
        self._named = named

    async def register(self, document: Mapping[str, Any], bearer: str | None, origin: str, address: str) -> dict[str, Any]:
        """Register a client; the members of the response. Raises the errors of RFC 7591, section 3.2.2."""
        network = network_of(address)
        self._budgets.registrations.require("")
        self._budgets.registrations_by_network.require(network)
        self._budgets.token_failures_by_network.require(network)
        try:
            issuer = await self._root()
            await self._require_admission(bearer)
            name = uuid4(self._entropy)
            client, secret = self._new_client(metadata.requested_client(document, name), name, issuer)
        except Failure as refusal:
            self._budgets.token_failures_by_network.spend(network)
            await self._refused(refusal, anonymous(address), "client:unknown")
            raise
        access_token = token(self._entropy, ACCESS_TOKEN_BYTES)
        scopes = await self._stored(client, secret, digest_of(access_token), bearer, anonymous(address))
        self._budgets.registrations.spend("")
        self._budgets.registrations_by_network.spend(network)
        return self._response(client, secret, access_token, origin) | ({"scope": " ".join(scopes)} if scopes else {})

    async def read(self, name: str, bearer: str | None, origin: str, address: str) -> dict[str, Any]:
        """What is registered of a client; raises RegistrationTokenRefused."""
        client = await self._managed(name, bearer, address)
        return self._response(client, await self._secret(client), bearer or "", origin)

    async def update(
        self, name: str, document: Mapping[str, Any], bearer: str | None, origin: str, address: str
    ) -> dict[str, Any]:
        """Replace what a client registered: what is left out gets its default. The registration access token changes, too."""
        client = await self._managed(name, bearer, address)
        actor = _actor(client, address)
        secret = await self._secret(client)
        try:
            metadata.require_same_client(document, client, secret)
            requested = metadata.requested_client(document, client.name)
        except Failure as refusal:
            await self._refused(refusal, actor, f"client:{client.id}")
            raise
        usual_secret = token(self._entropy, SECRET_BYTES) if secret is None else None
        access_token = token(self._entropy, ACCESS_TOKEN_BYTES)

        async def body(tx: Transaction) -> tuple[Client, str | None]:
            now = self._clock.now()
            found = await lookup.locked(tx, client)  # an administrator may have changed it since
            await self._require_over(tx, found, actor)
            if not await store.replace_access_token(tx, found.id, digest_of(bearer or ""), digest_of(access_token)):
                raise _not_the_token()
            own = metadata.without_administrators_settings(requested, found)
            changed = metadata.registered(_emptied(found, own), own, self._outbound)
            await client_store.update_client(tx, changed, now)
            new_secret = usual_secret if found.secret_digest is None and _needs_secret(changed) else None
            if new_secret is not None:
                await client_store.set_secret(tx, found, digest_of(new_secret), self._sealed(found, new_secret), now)
            details: dict[str, Any] = {"name": found.name, "by": "the client itself", "members": sorted(own.members)}
            details["changes"] = changes_between(found, changed)
            await self._audit.record(tx, Event.CLIENT_UPDATED, actor=actor, target=f"client:{found.id}", details=details)
            return changed, new_secret

        try:
            changed, new_secret = await self._db.write(body)
        except (MetadataRefused, NotPermitted) as refusal:
            await self._refused(refusal, actor, f"client:{client.id}")
            raise
        return self._response(changed, new_secret or secret, access_token, origin)

    async def delete(self, name: str, bearer: str | None, address: str) -> None:
        """Delete a client with everything that it was given."""
        client = await self._managed(name, bearer, address)
        actor = _actor(client, address)

        async def body(tx: Transaction) -> None:
            await self._require_over(tx, client, actor)
            if not await store.replace_access_token(tx, client.id, digest_of(bearer or ""), None):
                raise _not_the_token()
            await client_store.delete_client(tx, client.id)
            details = {"name": client.name, "by": "the client itself"}
            await self._audit.record(tx, Event.CLIENT_DELETED, actor=actor, target=f"client:{client.id}", details=details)

        await self._db.write(body)

    # --- who may register ---

    async def _root(self) -> SharedIssuer:
        found = await issuer_store.root_issuer(self._db)
        if found is None:
            raise IssuerUnknown("Clients register with the root issuer, and this server has none.")
        return found

    async def _require_admission(self, bearer: str | None) -> None:
        if bearer is not None:
            if not await store.is_open(self._db, digest_of(bearer), self._clock.now()):
                raise RegistrationTokenRefused("The registration token is unknown, used up or expired. Ask for another one.")
        elif not self._is_open:
            raise RegistrationClosed("Clients need a registration token to register here. Send one as Authorization: Bearer.")
        elif await store.openly_registered(self._db, MOST_OPENLY_REGISTERED) >= MOST_OPENLY_REGISTERED:
            raise TooManyRegistered(
                f"{MOST_OPENLY_REGISTERED} clients have registered here without a token; no more are taken in that way.",
                retry_after=3600,
            )

    def _new_client(self, requested: metadata.RequestedClient, name: str, issuer: SharedIssuer) -> tuple[Client, str | None]:
        now = self._clock.now()
        base = Client(
            id=uuid4(self._entropy),
            name=name,
            kind=requested.kind,
            display_name=requested.display_name,
            landing_url=requested.landing_url,
            issuer=issuer,
            secret_digest=None,
            created_at=now,
            updated_at=now,
        )
        client: Client = metadata.registered(base, requested, self._outbound)
        secret = token(self._entropy, SECRET_BYTES) if _needs_secret(client) else None
        return replace(client, secret_digest=None if secret is None else digest_of(secret)), secret

    async def _stored(
        self, client: Client, secret: str | None, access_token_digest: bytes, bearer: str | None, actor: Actor
    ) -> tuple[str, ...]:
        """Store a client; the scopes that came with the token that let it in."""

        async def body(tx: Transaction) -> tuple[str, ...]:
            now = self._clock.now()
            admission = None if bearer is None else await store.use_token(tx, digest_of(bearer), now)
            if bearer is not None and admission is None:
                raise RegistrationTokenRefused("The registration token was used up meanwhile. Ask for another one.")
            sealed = None if secret is None else self._sealed(client, secret)
            await client_store.insert_client(tx, client, sealed, created_by=actor.id)
            token_id = None if admission is None else admission.token_id
            await store.insert_registration(tx, client.id, access_token_digest, token_id, now)
            await client_store.note_credential_holder(
                tx, client.id, "" if admission is None else admission.maker_id, client_store.KEYS
            )
            scopes = () if admission is None or admission.group_id is None else admission.scopes
            if admission is not None and admission.group_id is not None:
                await oauth_store.put_scope_map(tx, client.id, admission.group_id, scopes, now)
            details = {
                "name": client.name,
                "display_name": client.display_name,
                "authentication": client.authentication_methods[0],
                "grant_types": list(client.grant_types),
                "scopes": list(scopes),
                "registration_token": token_id,
            }
            await self._audit.record(tx, Event.CLIENT_REGISTERED, actor=actor, target=f"client:{client.id}", details=details)
            return scopes

        return await self._db.write(body)

    # --- who may manage ---

    async def _managed(self, name: str, bearer: str | None, address: str) -> Client:
        """The client with this name, for anyone who holds its registration access token.

        A token that is used on another client is destroyed: either it was stolen, or its holder is broken.
        """
        failures, network = self._budgets.token_failures_by_network, network_of(address)
        failures.require(network)
        client = await client_store.client_named(self._db, name) if is_client_name(name) else None
        owner = None if not bearer else await store.client_of_token(self._db, digest_of(bearer))
        if client is not None and owner == client.id:
            return client
        failures.spend(network)
        if owner is not None and bearer is not None:
            await self._destroy(owner, bearer, address)
        elif client is not None and bearer and not await store.is_registered(self._db, client.id):
            raise RegistrationNotManaged(f"{client.name} did not register itself; an administrator manages it.")
        elif client is not None:
            what = "another token than its registration access token" if bearer else "no registration access token"
            await self._record_refused_management(client.id, f"{what} was sent to manage it", address)
        raise _not_the_token()

    async def _destroy(self, client_id: str, bearer: str, address: str) -> None:
        reason = "the registration access token was used on another client, and is not valid any more"

        async def body(tx: Transaction) -> None:
            await store.replace_access_token(tx, client_id, digest_of(bearer), None)

        await self._db.write(body)
        await self._record_refused_management(client_id, reason, address)

    async def _record_refused_management(self, client_id: str, reason: str, address: str) -> None:
        await self._audit.refused(
            self._db,
            Event.CLIENT_UPDATED,
            actor=anonymous(address),
            target=f"client:{client_id}",
            reason=reason,
            details={"reason": reason},
        )

    async def _require_over(self, tx: Transaction, client: Client, actor: Actor) -> None:
        named = [each for each in await self._named(tx) if each.kind is NameKind.CLIENT and each.name == client.name]
        require_over_names(actor, named, f"change the client {client.name}")

    # --- parts ---

    async def _refused(self, refusal: Failure, actor: Actor, target: str) -> None:
        await self._audit.refused(
            self._db,
            Event.CLIENT_REGISTERED,
            actor=actor,
            target=target,
            reason=refusal.code,
            details={"reason": refusal.detail, "address": actor.address},
        )

    async def _secret(self, client: Client) -> str | None:
        sealed = await client_store.sealed_secret(self._db, client.id)
        return None if sealed is None else self._sealer.open(sealed, secret_context(client.id)).decode()

    def _sealed(self, client: Client, secret: str) -> bytes:
        return self._sealer.seal(secret.encode(), secret_context(client.id))

    def _response(self, client: Client, secret: str | None, access_token: str, origin: str) -> dict[str, Any]:
        response = metadata.registered_metadata(client) | {
            "client_id_issued_at": to_seconds(client.created_at),
            "registration_client_uri": f"{origin}{REGISTRATION_PATH}/{client.name}",
            "registration_access_token": access_token,
        }
        if secret is not None and _needs_secret(client):
            response |= {"client_secret": secret, "client_secret_expires_at": 0}
        return response


def _needs_secret(client: Client) -> bool:
    return client.token_endpoint_auth_method in SECRET_METHODS


def _emptied(client: Client, requested: metadata.RequestedClient) -> Client:
    """A client as it was when nothing was registered for it yet; what an administrator set stays."""
    return replace(
        client,
        display_name=requested.display_name,
        landing_url=requested.landing_url,
        **metadata.defaults_of_registration(),
    )


def _actor(client: Client, address: str) -> Actor:
    return Actor("client", client.id, client.name, address=address)


def _not_the_token() -> RegistrationTokenRefused:
    return RegistrationTokenRefused("This is not the registration access token of the client, or no longer.")
