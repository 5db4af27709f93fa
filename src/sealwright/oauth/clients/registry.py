"""Register clients and change them. Every verb takes the actor, checks the permission and leaves an audit row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from sealwright.access import (
    Actor,
    NamedAuthorities,
    NamedAuthority,
    NameKind,
    Permission,
    require,
    require_current,
    require_in_person,
    require_over_names,
)
from sealwright.audit import Event, changes_between
from sealwright.client_metadata import (
    SECRET_METHODS,
    ClientKind,
    ServerDefaults,
    effective,
    is_client_name,
    rows,
)
from sealwright.client_metadata.rows_of_authentication import AuthenticationRows
from sealwright.clock import Instant
from sealwright.db import Database, DuplicateRow, Insertion, Transaction
from sealwright.entropy import token, uuid4
from sealwright.errors import Action, Remedy
from sealwright.identity import Group
from sealwright.keys import Custody, Sealer
from sealwright.oauth import policy
from sealwright.oauth import store as oauth_store
from sealwright.oauth.clients import lookup, store
from sealwright.oauth.clients.called_urls import require_callable
from sealwright.oauth.clients.changes import list_row, require_allowed, with_element, with_members, without_element
from sealwright.oauth.clients.guarded_changes import ClientChanges
from sealwright.oauth.clients.images import ClientImages
from sealwright.oauth.clients.keys import ClientKeys
from sealwright.oauth.clients.names_and_issuers import NamesAndIssuers, require_issuer_there, shared_issuer
from sealwright.oauth.clients.recorded_refusals import recorded_refusals
from sealwright.oauth.clients.secrets import SECRET_BYTES, ClientSecrets, secret_context
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.digests import digest_of
from sealwright.oauth.errors import ClientExists, ClientInUse, GroupUnknown, NotRegistered
from sealwright.oauth.issuers.addresses import configuration_url_of, issuer_url_of, key_owner_of
from sealwright.oauth.issuers.models import SharedIssuer
from sealwright.oauth.lookups import PeopleLookup
from sealwright.oauth.maps import store as maps_store
from sealwright.oauth.models import AccessCounts, Client, ClientConfiguration, ScopeMap
from sealwright.oauth.recycle_bin import store as bin_store
from sealwright.oauth.recycle_bin.clients import DeletedClients, require_not_in_bin

EVERY_CLIENT = 1_000_000
_PROOFS = frozenset(AuthenticationRows.__dataclass_fields__)
"""Members that say by what a client proves itself."""

Work = Callable[[Transaction, Instant], Awaitable[Any]]
Change = Callable[[Client], Client]
MapsWork = Callable[[Transaction, Client], Awaitable[Mapping[str, Any]]]


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
        self._dependencies = dependencies
        self._db = dependencies.db
        self._clock = dependencies.clock
        self._entropy = dependencies.entropy
        self._audit = dependencies.audit
        self._origin = dependencies.origin
        self._defaults = ServerDefaults(
            refresh_seconds=int(dependencies.lifetimes.refresh_token.total_seconds()),
            offline_seconds=int(dependencies.lifetimes.offline_access.total_seconds()),
        )
        changes = ClientChanges(to_change=self._to_change, require_over=self._require_over, write=self._write_change)
        self.keys = ClientKeys(dependencies, custody, found=self._found, changes=changes)
        self.secrets = ClientSecrets(dependencies, sealer, self.keys, changes)
        self.names = NamesAndIssuers(
            dependencies, self.keys, changes=changes, trusting=self._trusting, configuration=self._configuration_of
        )
        self.images = ClientImages(dependencies, changes)
        self.deleted = DeletedClients(dependencies, self.keys, changes)
        self._custody = custody
        self._sealer = sealer
        self._directory = directory
        self._named = named

    # --- create, read, delete ---

    async def create_public(
        self,
        name: str,
        display_name: str,
        landing_url: str,
        *,
        members: Mapping[str, Any] | None = None,
        issuer: str | None = None,
        actor: Actor,
    ) -> ClientConfiguration:
        """Register a client that runs where it cannot keep a secret. It must use PKCE. `members`: what else is set on it.

        `issuer`: the name of the issuer that it shares with others; without, it has one of its own.
        """
        basics = _basics(name, display_name, landing_url, ClientKind.PUBLIC)
        return await self._create(basics, members or {}, None, issuer, actor)

    async def create_confidential(
        self,
        name: str,
        display_name: str,
        landing_url: str,
        *,
        members: Mapping[str, Any] | None = None,
        issuer: str | None = None,
        actor: Actor,
    ) -> ClientConfiguration:
        """Register a client, with a generated secret where its authentication method needs one; `show_basic_secret` tells it.

        The rest is as of `create_public`.
        """
        method = (members or {}).get("token_endpoint_auth_method")
        secret = token(self._entropy, SECRET_BYTES) if method is None or method in SECRET_METHODS else None
        basics = _basics(name, display_name, landing_url, ClientKind.CONFIDENTIAL)
        return await self._create(basics, members or {}, secret, issuer, actor)

    def prepared_public(
        self, name: str, display_name: str, landing_url: str, scopes_by_group: Mapping[str, tuple[str, ...]], *, actor: Actor
    ) -> Insertion:
        """A public client to be stored within a larger change, with its scope maps by the groups' ids."""
        client, insertion = self._prepared(_basics(name, display_name, landing_url, ClientKind.PUBLIC), {}, None, actor)

        async def body(tx: Transaction) -> None:
            await insertion(tx)
            for group_id, scopes in scopes_by_group.items():
                await oauth_store.put_scope_map(tx, client.id, group_id, policy.require_scope_words(scopes), client.created_at)

        return body

    async def _create(
        self, basics: Mapping[str, Any], members: Mapping[str, Any], secret: str | None, issuer: str | None, actor: Actor
    ) -> ClientConfiguration:
        async with recorded_refusals(self._dependencies, Event.CLIENT_CREATED, basics["name"], actor):
            require(actor, Permission.CLIENT_WRITE)
            shared = None if issuer is None else await shared_issuer(self._dependencies, issuer)
            client, insertion = await self._custody.beside_the_loop(self._prepared, basics, members, secret, actor, shared)

            async def body(tx: Transaction) -> None:
                await self._require_over(tx, client.name, actor, f"create the client {client.name}")
                await require_not_in_bin(tx, client.name)
                await insertion(tx)

            try:
                await self._db.write(body)
            except DuplicateRow as cause:
                raise ClientExists(
                    f"There is a client named {client.name!r} already.", remedy=Remedy(Action.SHOW_CLIENT, client.name)
                ) from cause
        return await self._configuration(client)

    def _prepared(
        self,
        basics: Mapping[str, Any],
        members: Mapping[str, Any],
        secret: str | None,
        actor: Actor,
        issuer: SharedIssuer | None = None,
    ) -> tuple[Client, Insertion]:
        """A client with its key, and what stores both."""
        require(actor, Permission.CLIENT_WRITE)
        _require_in_person(members, actor)
        now = self._clock.now()
        digest = None if secret is None else digest_of(secret)
        client = with_members(
            Client(id=uuid4(self._entropy), secret_digest=digest, created_at=now, updated_at=now, issuer=issuer, **basics),
            members,
        )
        for member in rows():
            require_allowed(client, member)
        require_callable(client, members, self._dependencies.outbound)
        keys = [] if issuer else [self._custody.generate(*key_owner_of(client), client.id_token_signed_response_alg)]
        sealed = None if secret is None else self._sealer.seal(secret.encode(), secret_context(client.id))

        async def body(tx: Transaction) -> None:
            if issuer is not None:
                await require_issuer_there(tx, issuer)
            await store.insert_client(tx, client, sealed, created_by=actor.id)
            await self.keys.insert(tx, keys)
            signing = {"issuer": issuer.name} if issuer else {"key": keys[0].id}
            details = {**basics, "kind": str(client.kind), **members, **signing}
            await self._audit.record(tx, Event.CLIENT_CREATED, actor=actor, target=_target(client), details=details)

        return client, body

    async def get(self, name: str, *, actor: Actor) -> ClientConfiguration:
        """The whole configuration of one client, without its secret and keys."""
        require(actor, Permission.CLIENT_READ)
        return await self._configuration(await self._found(name))

    async def list(self, *, after: str = "", at_most: int = EVERY_CLIENT, actor: Actor) -> list[ClientConfiguration]:
        """Clients whose names come after `after`, by name."""
        require(actor, Permission.CLIENT_READ)
        found = await store.clients(self._db, after, at_most)
        scopes = await store.scope_maps_of(self._db, found, after)
        maps = await maps_store.maps_of_clients(self._db, after, found[-1].name) if found else {}
        return [self._configured(client, scopes[client.id], maps.get(client.id, maps_store.Maps())) for client in found]

    async def name_of(self, client_id: str, *, actor: Actor) -> str | None:
        """The name of a client by its id, for someone who may read audit rows, which hold ids."""
        require(actor, Permission.AUDIT_READ)
        client = await store.client_with_id(self._db, client_id)
        return None if client is None else client.name

    async def id_of(self, name: str, *, actor: Actor) -> str | None:
        """The id of a client by its name, for the same."""
        require(actor, Permission.AUDIT_READ)
        client = await store.client_named(self._db, name) if is_client_name(name) else None
        return None if client is None else client.id

    async def access_given_by(self, account_id: str, *, actor: Actor) -> AccessCounts:
        """What a person allowed to clients, for someone who may delete the person."""
        require(actor, Permission.PERSON_WRITE)
        return await oauth_store.access_given_by(self._db, account_id)

    async def impact_of_deletion(self, name: str, *, actor: Actor) -> tuple[ClientConfiguration, AccessCounts, tuple[str, ...]]:
        """A client, what people allowed it, and who else uses it: for someone who may delete it."""
        require(actor, Permission.CLIENT_WRITE)
        client = await self._found(name)
        return (
            await self._configuration(client),
            await oauth_store.access_given_to(self._db, client.id),
            await self._users(client),
        )

    async def _users(self, client: Client) -> tuple[str, ...]:
        return tuple(dict.fromkeys(each.named_by for each in await self._trusting(client.name, self._db)))

    async def delete(self, name: str, *, even_if_used: bool = False, actor: Actor) -> None:
        """Delete a client with its consents and tokens; its keys verify nothing any more. It stays in the recycle bin.

        A client that a provisioner trusts is deleted only with `even_if_used`.
        """
        client = await self._to_change(name, actor)
        users = await self._users(client)
        if users and not even_if_used:
            raise ClientInUse(
                f"The client {client.name} is used by {' and '.join(users)}.",
                reasons=("without the client, no one gets a certificate or signs in by these",),
                remedy=Remedy(Action.DELETE_CLIENT_IN_USE, client.name),
            )
        keys = await self.keys.own_ids(client)

        async def body(tx: Transaction) -> None:
            await self._require_over(tx, client.name, actor, f"delete the client {client.name}")
            ended = await self.keys.replace(tx, keys, [])
            await bin_store.keep(tx, client.id, ended, self._clock.now(), actor.name)
            if await store.delete_client(tx, client.id):
                details = {"name": client.name, **({"used_by": users} if users else {})}
                await self._audit.record(tx, Event.CLIENT_DELETED, actor=actor, target=_target(client), details=details)

        await self._write_change(client, actor, body)
        self.keys.forget()

    # --- what is set on a client: the rows of `client_metadata` ---

    async def change(self, name: str, members: Mapping[str, Any], *, actor: Actor) -> ClientConfiguration:
        """Set members of a client, all of them or none; None brings a default back."""
        client = await self._to_change(name, actor)
        async with recorded_refusals(self._dependencies, Event.CLIENT_UPDATED, name, actor):
            _require_in_person(members, actor)
        wanted = with_members(client, members)
        require_callable(wanted, members, self._dependencies.outbound)
        new = await self.keys.missing(client, wanted.id_token_signed_response_alg)

        async def store_keys(tx: Transaction, _: Instant) -> None:
            await self.keys.insert(tx, new)
            if not _PROOFS.isdisjoint(members):
                await store.note_credential_holder(tx, client.id, actor.id, store.KEYS)

        details = {**members, **({"key": new[0].id} if new else {})}
        try:
            return await self._apply(client, lambda found: with_members(found, members), details, actor, store_keys)
        finally:
            if new:
                self.keys.forget()

    async def add(self, name: str, member: str, element: str, *, actor: Actor) -> ClientConfiguration:
        """Add one element to a list, such as `redirect_uris`; no change where it is in there."""
        client = await self._to_change(name, actor)
        with_element(client, member, element)
        return await self._apply(client, lambda found: with_element(found, member, element), {f"{member}_added": element}, actor)

    async def remove(self, name: str, member: str, element: str, *, actor: Actor) -> ClientConfiguration:
        """Take one element out of a list; raises NotRegistered where it is not in there."""
        client = await self._to_change(name, actor)
        label = list_row(member).declared.label

        def without(found: Client) -> Client:
            if element not in getattr(found, member):
                raise NotRegistered(
                    f"{element!r} is not among the {label} of {client.name}.", remedy=Remedy(Action.SHOW_CLIENT, client.name)
                )
            return without_element(found, member, element)

        return await self._apply(client, without, {f"{member}_removed": element}, actor)

    # --- scopes ---

    async def update_scope_map(self, name: str, group: str, scopes: Iterable[str], *, actor: Actor) -> ClientConfiguration:
        """Set the scopes that members of a group, direct or nested, may grant; replaces the ones before."""
        client = await self._to_change(name, actor)
        words = policy.require_scope_words(scopes)
        found = await group_named(self._directory, group)
        details = {"scope_map": {"group": found.name, "scopes": list(words)}}

        async def put(tx: Transaction, now: Instant) -> None:
            await oauth_store.put_scope_map(tx, client.id, found.id, words, now)

        return await self._apply(client, None, details, actor, put)

    async def delete_scope_map(self, name: str, group: str, *, actor: Actor) -> ClientConfiguration:
        """Take a group's scope map away."""
        client = await self._to_change(name, actor)
        found = await group_named(self._directory, group)
        if all(one.group_id != found.id for one in await oauth_store.scope_maps(self._db, client.id)):
            raise NotRegistered(
                f"{client.name} has no scope map for the group {found.name}.",
                remedy=Remedy(Action.SHOW_CLIENT, client.name),
            )
        details = {"delete_scope_map": {"group": found.name}}

        async def delete(tx: Transaction, now: Instant) -> None:
            await oauth_store.delete_scope_map(tx, client.id, found.id, now)

        return await self._apply(client, None, details, actor, delete)

    async def change_maps(self, name: str, work: MapsWork, *, actor: Actor) -> ClientConfiguration:
        """Change what groups bring at a client; `work` returns what the audit row tells of it."""
        client = await self._to_change(name, actor)

        async def body(tx: Transaction) -> None:
            found = await self._locked(tx, client, actor)
            details = {"name": client.name, **await work(tx, found)}
            await store.touch_client(tx, client.id, self._clock.now())
            await self._audit.record(tx, Event.CLIENT_UPDATED, actor=actor, target=_target(client), details=details)

        await self._write_change(client, actor, body)
        return await self._configuration(await self._found(client.name))

    async def require_may_change(self, name: str, *, actor: Actor) -> None:
        """Raise unless `actor` may change the client; a refusal is on record."""
        await self._to_change(name, actor)

    # --- parts of every verb ---

    async def _to_change(self, name: str, actor: Actor) -> Client:
        """The client, for whom may change it: anyone who changes a client that a provisioner trusts can get any name by it."""
        async with recorded_refusals(self._dependencies, Event.CLIENT_UPDATED, name, actor):
            require(actor, Permission.CLIENT_WRITE)
            client = await self._found(name)
            require_over_names(actor, await self._trusting(client.name, self._db), f"change the client {client.name}")
        return client

    async def _locked(self, tx: Transaction, client: Client, actor: Actor) -> Client:
        found = await lookup.locked(tx, client)
        await self._require_over(tx, found.name, actor, f"change the client {found.name}")
        return found

    async def _write_change(
        self, client: Client, actor: Actor, body: Callable[[Transaction], Awaitable[Any]], event: Event = Event.CLIENT_UPDATED
    ) -> Any:
        async with recorded_refusals(self._dependencies, event, client.name, actor):
            return await self._db.write(body)

    async def _require_over(self, tx: Transaction, name: str, actor: Actor, what: str) -> None:
        """The same within the transaction of the change.

        The permission may have ended since, and a provisioner may have begun to trust the name.
        """
        actor = await require_current(tx, actor, Permission.CLIENT_WRITE, self._clock.now())
        require_over_names(actor, await self._trusting(name, tx), what)

    async def _trusting(self, name: str, reader: Database | Transaction) -> tuple[NamedAuthority, ...]:
        named = await self._named(reader)
        return tuple(each for each in named if each.kind is NameKind.CLIENT and each.name == name)

    async def _found(self, name: str) -> Client:
        return await lookup.named(self._db, name)

    async def _apply(
        self, client: Client, change: Change | None, details: dict[str, Any], actor: Actor, also: Work | None = None
    ) -> ClientConfiguration:
        async def body(tx: Transaction) -> None:
            now = self._clock.now()
            found = await self._locked(tx, client, actor)
            told: dict[str, Any] = {"name": client.name, **details}
            if change is not None:
                changed = change(found)
                await store.update_client(tx, changed, now)
                told["changes"] = changes_between(found, changed)
            if also is not None:
                await also(tx, now)
            await self._audit.record(tx, Event.CLIENT_UPDATED, actor=actor, target=_target(client), details=told)

        await self._write_change(client, actor, body)
        return await self._configuration(await self._found(client.name))

    async def _configuration_of(self, name: str) -> ClientConfiguration:
        return await self._configuration(await self._found(name))

    async def _configuration(self, client: Client) -> ClientConfiguration:
        scopes = await oauth_store.scope_maps(self._db, client.id)
        return self._configured(client, scopes, await maps_store.maps_of(self._db, client.id))

    def _configured(self, client: Client, scopes: tuple[ScopeMap, ...], maps: maps_store.Maps) -> ClientConfiguration:
        issuer_url = issuer_url_of(self._origin, client)
        return ClientConfiguration(
            **effective(client, self._defaults),
            scope_maps=scopes,
            supplementary_scope_maps=maps.scopes,
            claim_maps=maps.claims,
            issuer=None if client.issuer is None else client.issuer.name,
            issuer_url=issuer_url,
            configuration_url=configuration_url_of(issuer_url),
            created_at=client.created_at,
            updated_at=client.updated_at,
        )


def _basics(name: str, display_name: str, landing_url: str, kind: ClientKind) -> dict[str, Any]:
    return {"name": name, "display_name": display_name.strip(), "landing_url": landing_url, "kind": kind}


async def group_named(directory: PeopleLookup, name: str) -> Group:
    """The group; raises GroupUnknown."""
    found = await directory.find_group(name)
    if found is None:
        raise GroupUnknown(f"There is no group {name[:80]!r}.", remedy=Remedy(Action.LIST_GROUPS))
    return found


def _target(client: Client) -> str:
    return f"client:{client.id}"


def _require_in_person(members: Mapping[str, Any], actor: Actor) -> None:
    if not _PROOFS.isdisjoint(members):
        require_in_person(actor, "say by what a client proves itself")
