"""Create, test, change and delete other identity providers, and map their groups to roles."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from msgspec.structs import replace

from sealwright.access import Actor, Permission, Permissions, require, require_at_least
from sealwright.audit import Audit, Event, Redacted, changes_between
from sealwright.clock import Clock
from sealwright.db import Database, Transaction
from sealwright.entropy import Entropy, uuid4
from sealwright.errors import Unavailable, in_member
from sealwright.identity.directory.authorized_changes import AuthorizedChanges, require_remaining_administrator
from sealwright.identity.directory.guarded_roles import require_no_approval
from sealwright.identity.directory.store import lock_directory
from sealwright.identity.policy import check_line, printable
from sealwright.identity.roles.roles import find_role
from sealwright.identity.sessions import Sessions
from sealwright.identity.upstream import store
from sealwright.identity.upstream.checks import check_provider
from sealwright.identity.upstream.email_domains import checked_domain
from sealwright.identity.upstream.errors import (
    MappingNotFound,
    MappingTaken,
    ProviderInUse,
    ProviderNameTaken,
    ProviderNotFound,
    ProviderRefused,
)
from sealwright.identity.upstream.models import (
    CALLBACK_PATH,
    USUAL_SCOPES,
    DowngradeRule,
    GroupMapping,
    ProviderCheck,
    UpstreamProvider,
)
from sealwright.keys import Sealer
from sealwright.openid_providers import KeySetStatus, TrustedProviders, origin_of

USUAL_IAT_WINDOW = 300
LONGEST_IAT_WINDOW = 600
USUAL_CACHE_TTL = 3_600
SHORTEST_CACHE_TTL, LONGEST_CACHE_TTL = 60, 43_200
LONGEST_NAME = 100
LONGEST_GROUP = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderInput:
    """What an administrator says of a provider. None keeps what is stored, or takes the default."""

    name: str | None = None
    issuer_url: str | None = None
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    """Blank: the stored one is kept."""
    redirect_uri: str | None = None
    groups_claim_path: str | None = None
    scopes: tuple[str, ...] | None = None
    downgrade_rule: DowngradeRule | None = None
    iat_window_seconds: int | None = None
    jwks_cache_ttl_seconds: int | None = None
    userinfo_groups: bool | None = None
    allowed_email_domains: tuple[str, ...] | None = None
    enabled: bool | None = None

    @property
    def members(self) -> Mapping[str, Any]:
        """The members of a provider that are given."""
        return {name: value for name, value in asdict(self).items() if value is not None and name not in _NOT_STORED}

    @property
    def new_secret(self) -> str | None:
        """The secret that takes the place of the stored one."""
        return self.client_secret or None


_NOT_STORED = frozenset({"client_secret", "redirect_uri"})


class UpstreamProviders:
    """Operations on identity providers. Each checks that `actor` is permitted, and leaves an audit row.

    Anyone who may change a provider decides who its people are. So they also need every permission that its mappings give.
    """

    def __init__(  # noqa: PLR0913 - what every operation needs comes in here once
        self,
        db: Database,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        sealer: Sealer,
        *,
        changes: AuthorizedChanges,
        sessions: Sessions,
        providers: TrustedProviders,
        origin: str,
    ) -> None:
        """`origin`: of the pages, to which a provider sends people back."""
        self._db = db
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._sealer = sealer
        self._changes = changes
        self._sessions = sessions
        self._providers = providers
        self.callback = origin + CALLBACK_PATH

    async def offered(self) -> list[UpstreamProvider]:
        """The providers that people can sign in with now; anyone may know."""
        return [each for each in await store.all_providers(self._db) if each.enabled]

    def is_here(self, provider: UpstreamProvider) -> bool:
        """Whether this very server is the provider."""
        return origin_of(provider.issuer_url) == origin_of(self.callback)

    async def list_providers(self, *, actor: Actor) -> list[UpstreamProvider]:
        """Every provider, by name."""
        require(actor, Permission.OIDC_PROVIDER_READ)
        return await store.all_providers(self._db)

    async def find(self, provider_id: str, *, actor: Actor) -> UpstreamProvider:
        """One provider, or ProviderNotFound."""
        require(actor, Permission.OIDC_PROVIDER_READ)
        return await self._known(self._db, provider_id)

    async def test(self, given: ProviderInput, *, actor: Actor) -> tuple[ProviderCheck, ...]:
        """The results of the checks that come before a provider is stored. Nothing is stored."""
        require(actor, Permission.OIDC_PROVIDER_WRITE)
        return await self._checks(self._new(given), given)

    async def create(self, given: ProviderInput, *, actor: Actor) -> UpstreamProvider:
        """Store a provider whose discovery document, algorithms, keys and redirect URI pass every check."""
        await self._require_to_vouch(Event.OIDC_PROVIDER_CREATED, actor, "oidc_provider:new")
        provider = self._new(given)
        await self._require_checks(provider, given)

        async def body(tx: Transaction) -> UpstreamProvider:
            await lock_directory(tx)
            await self._require_free(tx, provider)
            await store.insert_provider(tx, provider, self._sealed(provider, given))
            await self._record(tx, Event.OIDC_PROVIDER_CREATED, actor, provider.id, _details(provider))
            return provider

        return await self._changes.run(
            Event.OIDC_PROVIDER_CREATED, Permission.OIDC_PROVIDER_WRITE, actor, f"oidc_provider:{provider.id}", body
        )

    async def update(self, provider_id: str, given: ProviderInput, *, actor: Actor) -> UpstreamProvider:
        """Change what is given, if the provider still passes every check. A blank secret keeps the stored one.

        With another issuer, what the one before gave ends at once: sessions, and roles of its groups.
        """
        target = f"oidc_provider:{printable(provider_id)}"
        await self._require_to_vouch(Event.OIDC_PROVIDER_UPDATED, actor, target)
        changed = self._changed(await self._known(self._db, provider_id), given)
        await self._require_checks(changed, given)

        async def body(tx: Transaction) -> UpstreamProvider:
            await lock_directory(tx)
            before = await self._known(tx, provider_id)
            after = self._changed(before, given)
            await self._require_over_mappings(tx, actor, before, "change")
            await self._require_free(tx, after)
            _require_secret_for_issuer(before, after, given)
            sealed = self._sealed(after, given) or await store.sealed_secret(tx, after.id)
            async with require_remaining_administrator(tx, self._clock.now()):
                await store.update_provider(tx, replace(after, has_secret=sealed is not None), sealed)
            details: dict[str, Any] = {"changed": sorted([*given.members, *(["client_secret"] if given.new_secret else [])])}
            details["changes"] = changes_between(before, after, without={"updated_at", "has_secret"})
            if given.new_secret:
                secret = (Redacted(before.has_secret or None), Redacted(given.new_secret))
                details["changes"] |= changes_between({"client_secret": secret[0]}, {"client_secret": secret[1]})
            if after.issuer_url != before.issuer_url:
                details["sessions"] = await self._end_what_it_gave(tx, before, actor)
            await self._record(tx, Event.OIDC_PROVIDER_UPDATED, actor, before.id, details)
            return replace(after, has_secret=sealed is not None)

        return await self._changes.run(Event.OIDC_PROVIDER_UPDATED, Permission.OIDC_PROVIDER_WRITE, actor, target, body)

    async def secret_of(self, provider_id: str, *, actor: Actor) -> str | None:
        """The secret of this server at a provider, for the client of our own that it belongs to. Never shown."""
        require(actor, Permission.OIDC_PROVIDER_WRITE)
        sealed = await store.sealed_secret(self._db, provider_id)
        return None if sealed is None else self._sealer.open(sealed, secret_context(provider_id)).decode()

    async def refresh(self, provider_id: str, *, actor: Actor) -> tuple[ProviderCheck, ...]:
        """Fetch the discovery document and the key set again; returns the results of the checks."""
        require(actor, Permission.OIDC_PROVIDER_WRITE)
        provider = await self._known(self._db, provider_id)
        checks = await check_provider(provider, self.callback, self.callback, self._providers)

        async def body(tx: Transaction) -> None:
            failed = [each.name for each in checks if not each.passed]
            await self._record(tx, Event.OIDC_PROVIDER_REFRESHED, actor, provider.id, {"failed": failed})

        await self._db.write(body)
        return checks

    async def key_status(self, provider_id: str, *, actor: Actor) -> KeySetStatus:
        """What is cached of the provider's key set, which is fetched if it is not there, and why that failed last."""
        require(actor, Permission.OIDC_PROVIDER_READ)
        provider = await self._known(self._db, provider_id)
        with suppress(Unavailable):
            await self._providers.keys_for(provider.issuer_url, kept_at_most=provider.keys_kept_at_most)
        return await self._providers.status(provider.issuer_url)

    async def live_sessions(self, provider_id: str, *, actor: Actor) -> int:
        """How many sessions that began with a provider are valid."""
        require(actor, Permission.OIDC_PROVIDER_READ)
        return len(await store.live_sessions(self._db, printable(provider_id), self._clock.now()))

    async def delete(self, provider_id: str, *, end_sessions: bool = False, actor: Actor) -> None:
        """Delete a provider with its mappings and the roles that they gave. People stay.

        While sessions that began with it are valid, it is deleted only with `end_sessions`, which ends them first.
        """
        target = f"oidc_provider:{printable(provider_id)}"

        async def body(tx: Transaction) -> None:
            await lock_directory(tx)
            provider = await self._known(tx, provider_id)
            await self._require_over_mappings(tx, actor, provider, "delete")
            live = await store.live_sessions(tx, provider.id, self._clock.now())
            if live and not end_sessions:
                raise ProviderInUse(
                    f"{provider.name} is not deleted: {counted_sessions(len(live))} that began with it.",
                    hint="End them first, or delete it and end them at once.",
                )
            ended = await self._end_what_it_gave(tx, provider, actor)
            async with require_remaining_administrator(tx, self._clock.now()):
                await store.delete_provider(tx, provider.id)
            await self._record(tx, Event.OIDC_PROVIDER_DELETED, actor, provider.id, {"name": provider.name, "sessions": ended})

        await self._changes.run(Event.OIDC_PROVIDER_DELETED, Permission.OIDC_PROVIDER_WRITE, actor, target, body)

    # --- groups and roles ---

    async def mappings(self, provider_id: str, *, actor: Actor) -> list[GroupMapping]:
        """Which groups of a provider give which roles."""
        require(actor, Permission.OIDC_PROVIDER_READ)
        return await store.mappings_of(self._db, (await self._known(self._db, provider_id)).id)

    async def map_group(self, provider_id: str, group_name: str, role: str, *, actor: Actor) -> GroupMapping:
        """Let a group of a provider give a role, from each person's next sign-in on. The group is compared as it is written."""
        target = f"oidc_provider:{printable(provider_id)}"
        await self._require_to_vouch(Event.GROUP_MAPPING_ADDED, actor, target)
        name = check_line(group_name, "a group", 1, LONGEST_GROUP, pointer="/group_name")

        async def body(tx: Transaction) -> GroupMapping:
            await lock_directory(tx)
            provider = await self._known(tx, provider_id)
            with in_member("role_id"):
                found = await find_role(tx, role)
                gives = f"let a group give the role {found.id}"
                require_at_least(actor, Permissions(found.permissions), gives)
                await require_no_approval(tx, actor, found.permissions, gives, before=frozenset())
            mapping = GroupMapping(uuid4(self._entropy), provider.id, name, found.id, self._clock.now())
            if await store.mapping_exists(tx, mapping):
                detail = f"The group {name} of {provider.name} gives the role {found.id} already."
                raise MappingTaken(detail, pointer="/group_name")
            await store.insert_mapping(tx, mapping)
            details = {"group": name, "role": found.id}
            await self._record(tx, Event.GROUP_MAPPING_ADDED, actor, provider.id, details)
            return mapping

        return await self._changes.run(Event.GROUP_MAPPING_ADDED, Permission.OIDC_PROVIDER_WRITE, actor, target, body)

    async def unmap(self, mapping_id: str, *, actor: Actor) -> None:
        """Remove the mapping of a group to a role, from each person's next sign-in on."""

        async def body(tx: Transaction) -> None:
            await lock_directory(tx)
            mapping = await store.find_mapping(tx, printable(mapping_id))
            if mapping is None:
                raise MappingNotFound(f"There is no mapping {printable(mapping_id)!r}.")
            role = await find_role(tx, mapping.role)
            require_at_least(actor, Permissions(role.permissions), f"take the role {role.id} from a group")
            await store.delete_mapping(tx, mapping.id)
            details = {"group": mapping.group_name, "role": mapping.role}
            await self._record(tx, Event.GROUP_MAPPING_REMOVED, actor, mapping.provider_id, details)

        target = f"group_mapping:{printable(mapping_id)}"
        await self._changes.run(Event.GROUP_MAPPING_REMOVED, Permission.OIDC_PROVIDER_WRITE, actor, target, body)

    # --- parts ---

    async def _require_to_vouch(self, event: Event, actor: Actor, target: str) -> None:
        """Raise unless the actor may say whose word counts for who someone is, and does so themselves."""
        await self._changes.require(event, Permission.OIDC_PROVIDER_WRITE, actor, target)
        await self._changes.require_in_person(event, actor, target, "say whose word is taken for who someone is")

    def _new(self, given: ProviderInput) -> UpstreamProvider:
        now = self._clock.now()
        blank = UpstreamProvider(
            id=uuid4(self._entropy),
            name="",
            issuer_url="",
            client_id="",
            has_secret=given.new_secret is not None,
            groups_claim_path="groups",
            scopes=USUAL_SCOPES,
            downgrade_rule=DowngradeRule.STRICT,
            iat_window_seconds=USUAL_IAT_WINDOW,
            jwks_cache_ttl_seconds=USUAL_CACHE_TTL,
            userinfo_groups=False,
            allowed_email_domains=(),
            enabled=True,
            created_at=now,
            updated_at=now,
        )
        return self._changed(blank, given)

    def _changed(self, before: UpstreamProvider, given: ProviderInput) -> UpstreamProvider:
        changed = replace(before, updated_at=self._clock.now(), **given.members)
        check_line(changed.name, "the name of a provider", 1, LONGEST_NAME, pointer="/name")
        check_line(changed.client_id, "client_id", 1, LONGEST_GROUP, pointer="/client_id")
        check_line(changed.groups_claim_path, "groups_claim_path", 1, LONGEST_GROUP, pointer="/groups_claim_path")
        scheme, place = origin_of(changed.issuer_url)
        if scheme != "https" or not place:
            detail = f"The issuer_url {changed.issuer_url[:200]!r} is not an https URL."
            raise ProviderRefused(detail, pointer="/issuer_url")
        if "openid" not in changed.scopes:
            raise ProviderRefused("The scopes must hold openid, or the provider gives no ID token.", pointer="/scopes")
        if not 1 <= changed.iat_window_seconds <= LONGEST_IAT_WINDOW:
            detail = f"iat_window_seconds is {changed.iat_window_seconds}; it must be 1 to {LONGEST_IAT_WINDOW}."
            raise ProviderRefused(detail, pointer="/iat_window_seconds")
        if not SHORTEST_CACHE_TTL <= changed.jwks_cache_ttl_seconds <= LONGEST_CACHE_TTL:
            raise ProviderRefused(
                f"jwks_cache_ttl_seconds is {changed.jwks_cache_ttl_seconds}; "
                f"it must be {SHORTEST_CACHE_TTL} to {LONGEST_CACHE_TTL}.",
                pointer="/jwks_cache_ttl_seconds",
            )
        with in_member("allowed_email_domains"):
            return replace(changed, allowed_email_domains=tuple(map(checked_domain, changed.allowed_email_domains)))

    async def _checks(self, provider: UpstreamProvider, given: ProviderInput) -> tuple[ProviderCheck, ...]:
        return await check_provider(provider, given.redirect_uri or self.callback, self.callback, self._providers)

    async def _require_checks(self, provider: UpstreamProvider, given: ProviderInput) -> None:
        checks = await self._checks(provider, given)
        if not all(each.passed for each in checks):
            raise ProviderRefused.after(checks)

    def _sealed(self, provider: UpstreamProvider, given: ProviderInput) -> bytes | None:
        secret = given.new_secret
        return None if secret is None else self._sealer.seal(secret.encode(), secret_context(provider.id))

    async def _end_what_it_gave(self, tx: Transaction, provider: UpstreamProvider, actor: Actor) -> int:
        """End the sessions that began with a provider, and the roles that its groups gave; returns how many sessions."""
        live = await store.live_sessions(tx, provider.id, self._clock.now())
        for session_id, account_id in live:
            await self._sessions.end_in(tx, session_id, account_id, "its identity provider does not vouch for it any more", actor)
        await store.delete_grants_from(tx, provider.id)
        return len(live)

    async def _known(self, reader: Database | Transaction, provider_id: str) -> UpstreamProvider:
        found = await store.find_provider(reader, printable(provider_id))
        if found is None:
            raise ProviderNotFound(f"There is no identity provider {printable(provider_id)!r}.")
        return found

    @staticmethod
    async def _require_free(tx: Transaction, provider: UpstreamProvider) -> None:
        if await store.id_of_name(tx, provider.name) not in {None, provider.id}:
            raise ProviderNameTaken(f"There is an identity provider {provider.name!r} already.", pointer="/name")

    @staticmethod
    async def _require_over_mappings(tx: Transaction, actor: Actor, provider: UpstreamProvider, verb: str) -> None:
        for mapping in await store.mappings_of(tx, provider.id):
            role = await find_role(tx, mapping.role)
            require_at_least(actor, Permissions(role.permissions), f"{verb} the identity provider {provider.name}")

    async def _record(self, tx: Transaction, event: Event, actor: Actor, provider_id: str, details: Mapping[str, Any]) -> None:
        await self._audit.record(tx, event, actor=actor, target=f"oidc_provider:{provider_id}", details=details)


def _require_secret_for_issuer(before: UpstreamProvider, after: UpstreamProvider, given: ProviderInput) -> None:
    """A stored secret is sent to the issuer that it was typed for, and to no other."""
    if before.has_secret and after.issuer_url != before.issuer_url and given.new_secret is None:
        raise ProviderRefused(
            f"The issuer_url {after.issuer_url[:200]} is another than the stored client_secret was given for.",
            hint="Give the client_secret that this server has at the new issuer.",
            pointer="/client_secret",
        )


def counted_sessions(number: int) -> str:
    """How many sessions are valid, in words."""
    return "1 session is valid" if number == 1 else f"{number} sessions are valid"


def secret_context(provider_id: str) -> str:
    """What a provider's sealed secret is bound to."""
    return f"oidc_providers:{provider_id}"


def _details(provider: UpstreamProvider) -> dict[str, Any]:
    return {"name": provider.name, "issuer_url": provider.issuer_url, "client_id": provider.client_id}
