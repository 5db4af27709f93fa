"""Register clients and change them. Every verb takes the actor, checks the permission and leaves an audit row."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

from sealwright.access import Actor, NamedAuthorities, NamedAuthority, NameKind, Permission, require, require_over_names
from sealwright.audit import Event
from sealwright.clock import Instant, after
from sealwright.db import DuplicateRow, Insertion, Transaction
from sealwright.entropy import token, uuid4
from sealwright.identity import Group
from sealwright.keys import PUBLISHED_BEFORE_USE, Custody, Purpose, Sealer
from sealwright.oauth import policy, redirects, store
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.digests import digest_of
from sealwright.oauth.discovery import configuration_url_of, issuer_url_of
from sealwright.oauth.errors import ClientExists, ClientInUse, ClientRefused, ClientUnknown, GroupUnknown, NotRegistered
from sealwright.oauth.lookups import PeopleLookup
from sealwright.oauth.models import AccessCounts, Client, ClientConfiguration, ClientKind, ScopeMap, SigningAlgorithm

SECRET_BYTES = 48
SHORTEST_REFRESH = timedelta(minutes=1)
LONGEST_REFRESH = timedelta(days=366)
GRACE_OF_CONFIDENTIAL = timedelta(seconds=10)
LONGEST_GRACE = timedelta(seconds=60)

Change = Callable[[Transaction, Instant], Awaitable[Any]]


class ClientRegistry:
    """The registered clients."""

    def __init__(
        self,
        dependencies: OAuthDependencies,
        *,
        custody: Custody,
        sealer: Sealer,
        directory: PeopleLookup,
        named: NamedAuthorities,
    ) -> None:
        """`named`: the names that carry authority elsewhere, such as the client that a provisioner trusts."""
        self._db = dependencies.db
        self._clock = dependencies.clock
        self._entropy = dependencies.entropy
        self._audit = dependencies.audit
        self._origin = dependencies.origin
        self._refresh_lifetime = dependencies.lifetimes.refresh_token
        self._custody = custody
        self._sealer = sealer
        self._directory = directory
        self._named = named

    # --- create, read, delete ---

    async def create_public(self, name: str, display_name: str, landing_url: str, *, actor: Actor) -> ClientConfiguration:
        """Register a client that runs where it cannot keep a secret. It must use PKCE."""
        return await self._create(name, display_name, landing_url, ClientKind.PUBLIC, None, actor)

    async def create_confidential(self, name: str, display_name: str, landing_url: str, *, actor: Actor) -> ClientConfiguration:
        """Register a client with a generated secret; `show_basic_secret` tells it."""
        secret = token(self._entropy, SECRET_BYTES)
        return await self._create(name, display_name, landing_url, ClientKind.CONFIDENTIAL, secret, actor)

    def prepared_public(
        self, name: str, display_name: str, landing_url: str, scopes_by_group: Mapping[str, tuple[str, ...]], *, actor: Actor
    ) -> Insertion:
        """A public client to be stored within a larger change, with its scope maps by the groups' ids."""
        client, insertion = self._prepared(name, display_name, landing_url, ClientKind.PUBLIC, None, actor)

        async def body(tx: Transaction) -> None:
            await insertion(tx)
            for group_id, scopes in scopes_by_group.items():
                await store.put_scope_map(tx, client.id, group_id, policy.require_scope_words(scopes), client.created_at)

        return body

    async def _create(
        self, name: str, display_name: str, landing_url: str, kind: ClientKind, secret: str | None, actor: Actor
    ) -> ClientConfiguration:
        client, insertion = self._prepared(name, display_name, landing_url, kind, secret, actor)
        require_over_names(actor, await self._trusting(name), f"create the client {name}")
        try:
            await self._db.write(insertion)
        except DuplicateRow as cause:
            raise ClientExists(
                f"There is a client named {name!r} already.", hint=f"See it with: sealwright system oauth2 get {name}"
            ) from cause
        return await self._configuration(client)

    def _prepared(
        self, name: str, display_name: str, landing_url: str, kind: ClientKind, secret: str | None, actor: Actor
    ) -> tuple[Client, Insertion]:
        """A client with its key, and what stores both."""
        require(actor, Permission.CLIENT_WRITE)
        policy.require_client_name(name)
        policy.require_display_name(display_name)
        redirects.require_landing_url(landing_url)
        now = self._clock.now()
        client = Client(
            id=uuid4(self._entropy),
            name=name,
            display_name=display_name.strip(),
            kind=kind,
            landing_url=landing_url,
            secret_digest=None if secret is None else digest_of(secret),
            signing_algorithm=SigningAlgorithm.ES256,
            require_pkce=True,
            localhost_redirects=False,
            http_redirects=False,
            consent_prompt=True,
            partial_scopes=False,
            short_username=False,
            refresh_lifetime=self._refresh_lifetime,
            refresh_grace=_usual_grace(kind),
            created_at=now,
            updated_at=now,
        )
        key = self._custody.generate(Purpose.OAUTH_CLIENT, client.id, client.signing_algorithm)
        sealed = None if secret is None else self._sealer.seal(secret.encode(), _secret_context(client.id))

        async def body(tx: Transaction) -> None:
            await store.insert_client(tx, client, sealed)
            await self._custody.insert(tx, key)
            details = {"name": name, "kind": str(kind), "landing_url": landing_url, "key": key.id}
            await self._audit.record(tx, Event.CLIENT_CREATED, actor=actor, target=_target(client), details=details)

        return client, body

    async def get(self, name: str, *, actor: Actor) -> ClientConfiguration:
        """The whole configuration of one client, without its secret and keys."""
        require(actor, Permission.CLIENT_READ)
        return await self._configuration(await self._found(name))

    async def list(self, *, actor: Actor) -> list[ClientConfiguration]:
        """Every client, by name."""
        require(actor, Permission.CLIENT_READ)
        found = [await store.client_named(self._db, name) for name in await store.client_names(self._db)]
        return [await self._configuration(client) for client in found if client is not None]

    async def name_of(self, client_id: str, *, actor: Actor) -> str | None:
        """The name of a client by its id, for someone who may read audit rows, which hold ids."""
        require(actor, Permission.AUDIT_READ)
        client = await store.client_with_id(self._db, client_id)
        return None if client is None else client.name

    async def id_of(self, name: str, *, actor: Actor) -> str | None:
        """The id of a client by its name, for the same."""
        require(actor, Permission.AUDIT_READ)
        client = await store.client_named(self._db, name) if policy.is_client_name(name) else None
        return None if client is None else client.id

    async def access_given_by(self, account_id: str, *, actor: Actor) -> AccessCounts:
        """What a person allowed to clients, for someone who may delete the person."""
        require(actor, Permission.PERSON_WRITE)
        return await store.access_given_by(self._db, account_id)

    async def impact_of_deletion(self, name: str, *, actor: Actor) -> tuple[ClientConfiguration, AccessCounts, tuple[str, ...]]:
        """A client, what people allowed it, and who else uses it: for someone who may delete it."""
        require(actor, Permission.CLIENT_WRITE)
        client = await self._found(name)
        return await self._configuration(client), await store.access_given_to(self._db, client.id), await self._users(client)

    async def _users(self, client: Client) -> tuple[str, ...]:
        return tuple(dict.fromkeys(each.named_by for each in await self._trusting(client.name)))

    async def delete(self, name: str, *, even_if_used: bool = False, actor: Actor) -> None:
        """Delete a client with its consents and tokens; its keys verify nothing any more.

        A client that a provisioner trusts is deleted only with `even_if_used`.
        """
        client = await self._to_change(name, actor)
        users = await self._users(client)
        if users and not even_if_used:
            raise ClientInUse(
                f"The client {client.name} is used by {' and '.join(users)}.",
                reasons=("without the client, no one gets a certificate by these",),
                hint="Remove them first, or delete it all the same: "
                f"sealwright system oauth2 delete {client.name} --even-if-used",
            )
        keys = await self._custody.public_keys(Purpose.OAUTH_CLIENT, client.id)

        async def body(tx: Transaction) -> None:
            for key in keys:
                await self._custody.revoke(tx, key.id)
            if await store.delete_client(tx, client.id):
                details = {"name": client.name, **({"used_by": users} if users else {})}
                await self._audit.record(tx, Event.CLIENT_DELETED, actor=actor, target=_target(client), details=details)

        await self._db.write(body)
        self._custody.forget()

    # --- redirect URIs ---

    async def set_landing_url(self, name: str, url: str, *, actor: Actor) -> ClientConfiguration:
        """Set the page that people are sent to; it counts as an allowed redirect URI, too."""
        client = await self._to_change(name, actor)
        redirects.require_landing_url(url, plain_http=client.http_redirects)
        return await self._set(name, "landing_url", url, actor)

    async def add_redirect_url(self, name: str, uri: str, *, actor: Actor) -> ClientConfiguration:
        """Register one redirect URI, compared exactly; of a public client's loopback address the port is free."""
        client = await self._to_change(name, actor)
        redirects.require_redirect_uri(uri, plain_http=client.http_redirects)
        return await self._apply(
            client, {"add_redirect_url": uri}, lambda tx, now: store.put_redirect_uri(tx, client.id, uri, now), actor
        )

    async def remove_redirect_url(self, name: str, uri: str, *, actor: Actor) -> ClientConfiguration:
        """Take one redirect URI away."""
        client = await self._to_change(name, actor)
        if uri not in await store.redirect_uris(self._db, client.id):
            raise NotRegistered(
                f"{uri!r} is not a redirect URI of {client.name}.",
                hint=f"See them with: sealwright system oauth2 get {client.name}",
            )
        return await self._apply(
            client, {"remove_redirect_url": uri}, lambda tx, now: store.delete_redirect_uri(tx, client.id, uri, now), actor
        )

    async def enable_localhost_redirects(self, name: str, *, actor: Actor) -> ClientConfiguration:
        """Allow any port and path of the person's own computer; to a confidential client, any port of what it registered."""
        return await self._set(name, "localhost_redirects", value=True, actor=actor)

    async def disable_localhost_redirects(self, name: str, *, actor: Actor) -> ClientConfiguration:
        """Allow only registered redirect URIs again."""
        return await self._set(name, "localhost_redirects", value=False, actor=actor)

    async def enable_http_redirects(self, name: str, *, actor: Actor) -> ClientConfiguration:
        """Let redirect URIs over plain http be registered and used, though whoever is on the way can read a code."""
        return await self._set(name, "http_redirects", value=True, actor=actor)

    async def disable_http_redirects(self, name: str, *, actor: Actor) -> ClientConfiguration:
        """Answer no more over plain http; addresses that were registered meanwhile stay in the list, and are refused."""
        return await self._set(name, "http_redirects", value=False, actor=actor)

    # --- scopes ---

    async def update_scope_map(self, name: str, group: str, scopes: Iterable[str], *, actor: Actor) -> ClientConfiguration:
        """Set the scopes that members of a group, direct or nested, may grant; replaces the ones before."""
        client = await self._to_change(name, actor)
        words = policy.require_scope_words(scopes)
        found = await self._group(group)
        details = {"scope_map": {"group": found.name, "scopes": list(words)}}
        return await self._apply(client, details, lambda tx, now: store.put_scope_map(tx, client.id, found.id, words, now), actor)

    async def delete_scope_map(self, name: str, group: str, *, actor: Actor) -> ClientConfiguration:
        """Take a group's scope map away."""
        client = await self._to_change(name, actor)
        found = await self._group(group)
        if all(one.group_id != found.id for one in await store.scope_maps(self._db, client.id)):
            raise NotRegistered(
                f"{client.name} has no scope map for the group {found.name}.",
                hint=f"See them with: sealwright system oauth2 get {client.name}",
            )
        details = {"delete_scope_map": {"group": found.name}}
        return await self._apply(client, details, lambda tx, now: store.delete_scope_map(tx, client.id, found.id, now), actor)

    async def enable_partial_scopes(self, name: str, *, actor: Actor) -> ClientConfiguration:
        """Grant what a person may grant of the scopes that are asked for, in place of all or nothing."""
        return await self._set(name, "partial_scopes", value=True, actor=actor)

    async def disable_partial_scopes(self, name: str, *, actor: Actor) -> ClientConfiguration:
        """Grant all of the scopes that are asked for, or refuse."""
        return await self._set(name, "partial_scopes", value=False, actor=actor)

    # --- switches ---

    async def set_display_name(self, name: str, display_name: str, *, actor: Actor) -> ClientConfiguration:
        """Set the name that people see."""
        policy.require_display_name(display_name)
        return await self._set(name, "display_name", display_name.strip(), actor)

    async def enable_pkce(self, name: str, *, actor: Actor) -> ClientConfiguration:
        """Demand PKCE from this client."""
        return await self._set(name, "require_pkce", value=True, actor=actor)

    async def disable_pkce(self, name: str, *, actor: Actor) -> ClientConfiguration:
        """Let one confidential client go without PKCE; where it sends a challenge, the challenge still binds."""
        client = await self._to_change(name, actor)
        if client.is_public:
            raise ClientRefused(
                f"{client.name} is a public client and must use PKCE.",
                reasons=("without a secret, PKCE alone keeps a stolen code from being used",),
            )
        return await self._set(name, "require_pkce", value=False, actor=actor)

    async def enable_consent_prompt(self, name: str, *, actor: Actor) -> ClientConfiguration:
        """Ask each person before this client learns of them."""
        return await self._set(name, "consent_prompt", value=True, actor=actor)

    async def disable_consent_prompt(self, name: str, *, actor: Actor) -> ClientConfiguration:
        """Do not ask; only for confidential clients, which prove that they are themselves."""
        client = await self._to_change(name, actor)
        if client.is_public:
            raise ClientRefused(
                f"{client.name} is a public client, so people are asked for consent.",
                reasons=("any program could pose as a public client",),
            )
        return await self._set(name, "consent_prompt", value=False, actor=actor)

    async def prefer_short_username(self, name: str, *, actor: Actor) -> ClientConfiguration:
        """Tell this client ``alice`` as `preferred_username`."""
        return await self._set(name, "short_username", value=True, actor=actor)

    async def prefer_spn_username(self, name: str, *, actor: Actor) -> ClientConfiguration:
        """Tell this client ``alice@example.org`` as `preferred_username`."""
        return await self._set(name, "short_username", value=False, actor=actor)

    async def set_refresh_token_expiry(self, name: str, lifetime: timedelta | None, *, actor: Actor) -> ClientConfiguration:
        """How long a refresh token of this client waits for its use; None for the server's default."""
        chosen = self._refresh_lifetime if lifetime is None else lifetime
        if not SHORTEST_REFRESH <= chosen <= LONGEST_REFRESH:
            raise ClientRefused(
                f"{chosen // timedelta(seconds=1)} seconds is no lifetime for a refresh token.",
                hint="Give 60 seconds to 366 days, in seconds.",
            )
        return await self._set(name, "refresh_seconds", chosen // timedelta(seconds=1), actor)

    async def set_refresh_token_grace(self, name: str, grace: timedelta | None, *, actor: Actor) -> ClientConfiguration:
        """How long a used refresh token still gets its successor, once more; None for what is usual for its kind."""
        client = await self._to_change(name, actor)
        chosen = _usual_grace(client.kind) if grace is None else grace
        if not timedelta(0) <= chosen <= LONGEST_GRACE:
            raise ClientRefused(
                f"{chosen // timedelta(seconds=1)} seconds is no grace for a used refresh token.",
                reasons=("a stolen refresh token goes unnoticed for as long as the grace lasts",),
                hint="Give 0 to 60 seconds.",
            )
        return await self._set(name, "refresh_grace_seconds", chosen // timedelta(seconds=1), actor)

    async def enable_legacy_crypto(self, name: str, *, actor: Actor) -> ClientConfiguration:
        """Sign this client's tokens with RSA (RS256) for applications that know nothing newer, once the key was published."""
        return await self._sign_with(name, SigningAlgorithm.RS256, actor)

    async def disable_legacy_crypto(self, name: str, *, actor: Actor) -> ClientConfiguration:
        """Sign this client's tokens with ES256 again, once the key was published."""
        return await self._sign_with(name, SigningAlgorithm.ES256, actor)

    async def _sign_with(self, name: str, algorithm: SigningAlgorithm, actor: Actor) -> ClientConfiguration:
        client = await self._to_change(name, actor)
        if client.signing_algorithm is algorithm:
            return await self._configuration(client)
        self._custody.forget()  # another node may have given it a key just now
        old = await self._custody.public_keys(Purpose.OAUTH_CLIENT, client.id)
        new = await asyncio.to_thread(self._custody.generate, Purpose.OAUTH_CLIENT, client.id, algorithm)

        async def change(tx: Transaction, now: Instant) -> None:
            for key in old:
                if key.retired_at is None:
                    await self._custody.retire(tx, key.id, after(now, PUBLISHED_BEFORE_USE))
            await self._custody.insert(tx, new)
            await store.set_client(tx, client.id, "signing_algorithm", str(algorithm), now)

        try:
            return await self._apply(client, {"signing_algorithm": str(algorithm), "key": new.id}, change, actor)
        finally:
            self._custody.forget()

    # --- secrets ---

    async def show_basic_secret(self, name: str, *, actor: Actor) -> str | None:
        """The secret of a confidential client; None for a public one. That it was shown is recorded."""
        client = await self._to_change(name, actor)
        sealed = await store.sealed_secret(self._db, client.id)
        if sealed is None:
            return None
        secret = self._sealer.open(sealed, _secret_context(client.id)).decode()

        async def body(tx: Transaction) -> None:
            await self._audit.record(
                tx, Event.CLIENT_SECRET_SHOWN, actor=actor, target=_target(client), details={"name": client.name}
            )

        await self._db.write(body)
        return secret

    async def reset_basic_secret(self, name: str, *, actor: Actor) -> str:
        """Give a confidential client a new secret. The old one and every token of this client stop working."""
        client = await self._to_change(name, actor)
        if client.is_public:
            raise ClientRefused(f"{client.name} is a public client and has no secret.")
        secret = token(self._entropy, SECRET_BYTES)
        sealed = self._sealer.seal(secret.encode(), _secret_context(client.id))

        async def body(tx: Transaction) -> None:
            now = self._clock.now()
            await store.set_secret(tx, client.id, digest_of(secret), sealed, now)
            revoked = await store.revoke_families_of_client(tx, client.id, "the client's secret was reset", now)
            details = {"name": client.name, "families_revoked": revoked}
            await self._audit.record(tx, Event.CLIENT_SECRET_RESET, actor=actor, target=_target(client), details=details)

        await self._db.write(body)
        return secret

    # --- parts of every verb ---

    async def _to_change(self, name: str, actor: Actor) -> Client:
        """The client, for whom may change it: whoever changes a client that a provisioner trusts can get any name by it."""
        require(actor, Permission.CLIENT_WRITE)
        client = await self._found(name)
        require_over_names(actor, await self._trusting(client.name), f"change the client {client.name}")
        return client

    async def _trusting(self, name: str) -> tuple[NamedAuthority, ...]:
        named = await self._named(self._db)
        return tuple(each for each in named if each.kind is NameKind.CLIENT and each.name == name)

    async def _found(self, name: str) -> Client:
        client = await store.client_named(self._db, name) if policy.is_client_name(name) else None
        if client is None:
            raise ClientUnknown(f"There is no client named {name[:80]!r}.", hint="See all with: sealwright system oauth2 list")
        return client

    async def _group(self, name: str) -> Group:
        found = await self._directory.find_group(name)
        if found is None:
            raise GroupUnknown(f"There is no group {name[:80]!r}.", hint="See all with: sealwright group list")
        return found

    async def _set(self, name: str, column: str, value: str | int | bool, actor: Actor) -> ClientConfiguration:
        client = await self._to_change(name, actor)
        stored = int(value) if isinstance(value, bool) else value
        return await self._apply(
            client, {column: value}, lambda tx, now: store.set_client(tx, client.id, column, stored, now), actor
        )

    async def _apply(self, client: Client, details: dict[str, Any], change: Change, actor: Actor) -> ClientConfiguration:
        async def body(tx: Transaction) -> None:
            await change(tx, self._clock.now())
            await self._audit.record(
                tx, Event.CLIENT_UPDATED, actor=actor, target=_target(client), details={"name": client.name, **details}
            )

        await self._db.write(body)
        return await self._configuration(await self._found(client.name))

    async def _configuration(self, client: Client) -> ClientConfiguration:
        issuer_url = issuer_url_of(self._origin, client.name)
        maps: tuple[ScopeMap, ...] = await store.scope_maps(self._db, client.id)
        shared = {name: getattr(client, name) for name in ClientConfiguration.__struct_fields__ if hasattr(client, name)}
        return ClientConfiguration(
            **shared,
            redirect_uris=await store.redirect_uris(self._db, client.id),
            scope_maps=maps,
            issuer_url=issuer_url,
            configuration_url=configuration_url_of(issuer_url),
        )


def _target(client: Client) -> str:
    return f"client:{client.id}"


def _usual_grace(kind: ClientKind) -> timedelta:
    """A confidential client's refresh token is of no use to a thief without the secret; a public client's is."""
    return GRACE_OF_CONFIDENTIAL if kind is ClientKind.CONFIDENTIAL else timedelta(0)


def _secret_context(client_id: str) -> str:
    return f"oauth_clients:{client_id}"
