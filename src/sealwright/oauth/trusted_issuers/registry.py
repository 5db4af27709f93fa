"""List trusted issuers, and say what their tokens are accepted for. Each verb asks for the permission and is recorded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, NamedTuple

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from sealwright.access import (
    Actor,
    NamedAuthorities,
    NameKind,
    Permission,
    require,
    require_current,
    require_in_person,
    require_over_names,
)
from sealwright.audit import Event, changes_between
from sealwright.client_metadata import is_client_name, require_client_name, require_fetchable
from sealwright.db import DuplicateRow, Transaction, reading_in
from sealwright.entropy import uuid4
from sealwright.errors import Action, InvalidInput, NotPermitted, Remedy, in_member
from sealwright.identity import Account, AccountKind
from sealwright.oauth.clients.lookup import named
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.errors import TrustedIssuerExists, TrustedIssuerUnknown
from sealwright.oauth.lookups import IdentityLookups
from sealwright.oauth.policy import require_scope_words
from sealwright.oauth.trusted_issuers import store
from sealwright.oauth.trusted_issuers.conditions import require_conditions
from sealwright.oauth.trusted_issuers.models import IssuerRule, TrustedIssuer
from sealwright.oauth.trusted_issuers.policy import (
    placed_last,
    recorded_issuer,
    recorded_rule,
    require_audience,
    require_keys,
    require_lifetime,
    still_gives,
    still_verifies,
)


class IssuerWithRules(NamedTuple):
    """A trusted issuer, and what its tokens are accepted for."""

    issuer: TrustedIssuer
    rules: list[IssuerRule]


class TrustedIssuers:
    """The issuers whose tokens clients may present."""

    def __init__(self, dependencies: OAuthDependencies, people: IdentityLookups, named: NamedAuthorities) -> None:
        """`named`: the names that carry authority elsewhere."""
        self._db = dependencies.db
        self._clock = dependencies.clock
        self._entropy = dependencies.entropy
        self._audit = dependencies.audit
        self._origin = dependencies.origin
        self.usual_lifetime = dependencies.lifetimes.client_credentials
        self._directory = people.directory
        self._authority = people.authority
        self._named = named

    async def create(
        self,
        name: str,
        issuer_url: str,
        *,
        audience: str | None = None,
        jwks_uri: str | None = None,
        jwks: Mapping[str, Any] | None = None,
        reusable: bool = False,
        actor: Actor,
    ) -> TrustedIssuer:
        """List an issuer. Without `jwks_uri` and `jwks` its keys are found by discovery; `audience` is this server otherwise."""
        async with self._recorded_refusals(Event.TRUSTED_ISSUER_CREATED, name, actor):
            require(actor, Permission.CLIENT_WRITE)
            require_in_person(actor, "say whose tokens are trusted")
        with in_member("name"):
            require_client_name(name)
        with in_member("issuer_url"):
            self._require_url(issuer_url)
        require_keys(jwks_uri, jwks)
        wanted = self._origin if audience is None else audience
        require_audience(wanted)
        issuer = TrustedIssuer(
            id=uuid4(self._entropy),
            name=name,
            issuer_url=issuer_url,
            audience=wanted,
            jwks_uri=jwks_uri,
            jwks=jwks,
            reusable=reusable,
            created_at=self._clock.now(),
            created_by=actor.id,
        )

        async def body(tx: Transaction) -> None:
            await store.insert_issuer(tx, issuer)
            details = {"issuer_url": issuer_url, **recorded_issuer(issuer)}
            await self._record(tx, Event.TRUSTED_ISSUER_CREATED, issuer, details, actor)

        try:
            async with self._recorded_refusals(Event.TRUSTED_ISSUER_CREATED, name, actor):
                await self._db.write(body)
        except DuplicateRow as cause:
            member, words = "name", f"{name!r}"
            if await store.issuer_named(self._db, name) is None:
                member, words = "issuer_url", f"with the URL {issuer_url}"
            detail = f"There is a trusted issuer {words} already."
            raise TrustedIssuerExists(detail, remedy=Remedy(Action.LIST_TRUSTED_ISSUERS), pointer=f"/{member}") from cause
        return issuer

    async def list(self, *, actor: Actor) -> list[TrustedIssuer]:
        """All of them, by name."""
        require(actor, Permission.CLIENT_READ)
        return await store.issuers(self._db)

    async def get(self, name: str, *, actor: Actor) -> IssuerWithRules:
        """One of them, with its rules."""
        require(actor, Permission.CLIENT_READ)
        issuer = await self._found(name)
        return IssuerWithRules(issuer, await store.rules(self._db, issuer.id))

    async def update(
        self,
        name: str,
        *,
        audience: str | UnsetType | None = UNSET,
        jwks_uri: str | UnsetType | None = UNSET,
        jwks: Mapping[str, Any] | UnsetType | None = UNSET,
        reusable: bool | UnsetType = UNSET,
        actor: Actor,
    ) -> IssuerWithRules:
        """Change how tokens of an issuer are verified; what is UNSET stays. Its rules stay, and so do tokens that were used.

        What its rules gave ends at once, unless every token that was verified before would be verified still: it may have come
        of a key that is trusted no more. To choose its keys takes what adding each of its rules takes.
        """
        async with self._recorded_refusals(Event.TRUSTED_ISSUER_UPDATED, name, actor):
            require(actor, Permission.CLIENT_WRITE)
            require_in_person(actor, "say whose tokens are trusted")
        given: dict[str, Any] = {"jwks_uri": jwks_uri, "jwks": jwks, "reusable": reusable}
        given["audience"] = self._origin if audience is None else audience
        given = {member: value for member, value in given.items() if value is not UNSET}

        async def body(tx: Transaction) -> IssuerWithRules:
            before, rules = await self._found_in(tx, name)
            after = replace(before, **given)
            require_audience(after.audience)
            require_keys(after.jwks_uri, after.jwks)
            for rule in rules:
                await self._require_over(tx, actor, rule)
            if after == before:
                return IssuerWithRules(before, rules)
            await store.update_issuer(tx, after)
            await store.note_editor(tx, after.id, actor.id)
            ended = not still_verifies(before, after)
            if ended:
                await store.end_tokens(tx, after.id)
            details = {"changes": changes_between(recorded_issuer(before), recorded_issuer(after)), "tokens_ended": ended}
            await self._record(tx, Event.TRUSTED_ISSUER_UPDATED, after, details, actor)
            return IssuerWithRules(after, rules)

        async with self._recorded_refusals(Event.TRUSTED_ISSUER_UPDATED, name, actor):
            return await self._db.write(body)

    async def delete(self, name: str, *, actor: Actor) -> None:
        """Trust an issuer no more: its rules are gone, and what was made by them ends at once."""
        async with self._recorded_refusals(Event.TRUSTED_ISSUER_DELETED, name, actor):
            require(actor, Permission.CLIENT_WRITE)
        issuer = await self._found(name)

        async def body(tx: Transaction) -> None:
            if not await store.delete_issuer(tx, issuer.id):
                raise _unknown(name)
            await self._record(tx, Event.TRUSTED_ISSUER_DELETED, issuer, {"issuer_url": issuer.issuer_url}, actor)

        async with self._recorded_refusals(Event.TRUSTED_ISSUER_DELETED, name, actor):
            await self._db.write(body)

    async def add_rule(
        self,
        name: str,
        *,
        client: str,
        conditions: Mapping[str, str],
        service_account: str | None = None,
        scopes: tuple[str, ...] = (),
        lifetime: timedelta | None = None,
        actor: Actor,
    ) -> IssuerRule:
        """Say which tokens of an issuer are accepted for access tokens of a client, and of whom those speak.

        Anyone who lets tokens speak of a service account has to be someone who may make API tokens of it as well, and of a client
        itself someone who holds what a provisioner gives for the client's name.
        """
        async with self._recorded_refusals(Event.TRUSTED_ISSUER_RULE_ADDED, name, actor):
            require(actor, Permission.CLIENT_WRITE)
            if service_account is not None:
                with in_member("service_account"):
                    require(actor, Permission.PERSON_WRITE)
            require_in_person(actor, "say what tokens of others are accepted for")
        issuer = await self._found(name)
        with in_member("client"):
            for_client = await named(self._db, client)
        lasts = self.usual_lifetime if lifetime is None else lifetime
        wanted_scopes = _allowed(name, conditions, scopes, lasts)
        account = None if service_account is None else await self._service_account(service_account)
        rule = IssuerRule(
            id=uuid4(self._entropy),
            issuer_id=issuer.id,
            client_id=for_client.id,
            client_name=for_client.name,
            account_id=None if account is None else account.id,
            account_name=None if account is None else account.name,
            conditions=dict(conditions),
            scopes=wanted_scopes,
            lifetime=lasts,
            created_at=self._clock.now(),
            created_by=actor.id,
        )

        async def body(tx: Transaction) -> IssuerRule:
            _, others = await self._found_in(tx, name)
            with in_member("client" if rule.account_id is None else "service_account"):
                await self._require_over(tx, actor, rule)
            added = placed_last(rule, others)
            await store.insert_rule(tx, added)
            details = _about(rule) | recorded_rule(rule)
            await self._record(tx, Event.TRUSTED_ISSUER_RULE_ADDED, issuer, details, actor)
            return added

        async with self._recorded_refusals(Event.TRUSTED_ISSUER_RULE_ADDED, name, actor):
            return await self._db.write(body)

    async def update_rule(
        self,
        name: str,
        rule_id: str,
        *,
        conditions: Mapping[str, str] | UnsetType = UNSET,
        scopes: tuple[str, ...] | UnsetType = UNSET,
        lifetime: timedelta | UnsetType | None = UNSET,
        actor: Actor,
    ) -> IssuerRule:
        """Change a rule in its place; what is UNSET stays. With other conditions or scopes, what it gave before ends at once."""
        async with self._recorded_refusals(Event.TRUSTED_ISSUER_RULE_UPDATED, name, actor):
            require(actor, Permission.CLIENT_WRITE)
            require_in_person(actor, "say what tokens of others are accepted for")
        given: dict[str, Any] = {"conditions": conditions, "scopes": scopes}
        given["lifetime"] = self.usual_lifetime if lifetime is None else lifetime
        given = {member: value for member, value in given.items() if value is not UNSET}

        async def body(tx: Transaction) -> IssuerRule:
            issuer, rules = await self._found_in(tx, name)
            before = next((each for each in rules if each.id == rule_id), None)
            if before is None:
                raise _no_rule(name, rule_id)
            after = replace(before, **given)
            after = replace(after, scopes=_allowed(name, after.conditions, after.scopes, after.lifetime))
            await self._require_over(tx, actor, before)
            if after == before:
                return before
            ended = not still_gives(before, after)
            after = replace(after, revision=before.revision + ended)
            await store.update_rule(tx, after)
            await store.note_editor(tx, issuer.id, actor.id)
            changes = changes_between(recorded_rule(before), recorded_rule(after))
            details = _about(after) | {"changes": changes, "tokens_ended": ended}
            await self._record(tx, Event.TRUSTED_ISSUER_RULE_UPDATED, issuer, details, actor)
            return after

        async with self._recorded_refusals(Event.TRUSTED_ISSUER_RULE_UPDATED, name, actor):
            return await self._db.write(body)

    async def delete_rule(self, name: str, rule_id: str, *, actor: Actor) -> None:
        """Remove a rule; what was made by it ends at once."""
        async with self._recorded_refusals(Event.TRUSTED_ISSUER_RULE_DELETED, name, actor):
            require(actor, Permission.CLIENT_WRITE)
        issuer = await self._found(name)

        async def body(tx: Transaction) -> None:
            await self._found_in(tx, name)
            if not await store.delete_rule(tx, rule_id[:64], issuer.id):
                raise _no_rule(name, rule_id)
            await self._record(tx, Event.TRUSTED_ISSUER_RULE_DELETED, issuer, {"rule": rule_id}, actor)

        async with self._recorded_refusals(Event.TRUSTED_ISSUER_RULE_DELETED, name, actor):
            await self._db.write(body)

    async def _service_account(self, name: str) -> Account:
        found = await self._directory.find(name)
        if found is None or found.kind is not AccountKind.SERVICE:
            remedy = Remedy(Action.LIST_SERVICE_ACCOUNTS)
            raise InvalidInput(f"There is no service account {name[:80]!r}.", remedy=remedy, pointer="/service_account")
        return found

    async def _require_over(self, tx: Transaction, actor: Actor, rule: IssuerRule) -> None:
        """Raise unless `actor` may let tokens speak of the one whom the rule names."""
        if rule.account_id is None:
            await self._require_over_client(tx, actor, rule.client_name)
            return
        actor = await require_current(tx, actor, Permission.PERSON_WRITE, self._clock.now())
        with reading_in(tx):
            account = await self._directory.account(rule.account_id)
        if account is not None:
            await self._authority.require_over_account(tx, actor, account, "make tokens of")

    async def _require_over_client(self, tx: Transaction, actor: Actor, client_name: str) -> None:
        actor = await require_current(tx, actor, Permission.CLIENT_WRITE, self._clock.now())
        named = [each for each in await self._named(tx) if each.kind is NameKind.CLIENT and each.name == client_name]
        require_over_names(actor, named, f"let tokens speak of the client {client_name}")

    def _require_url(self, issuer_url: str) -> None:
        require_fetchable(issuer_url, "issuer_url")
        if issuer_url == self._origin or issuer_url.startswith(self._origin + "/"):
            raise InvalidInput(
                f"{issuer_url[:200]} is an issuer of this server.",
                hint="Its access tokens are exchanged (RFC 8693), by a client that may exchange tokens.",
            )

    async def _found(self, name: str) -> TrustedIssuer:
        found = await store.issuer_named(self._db, name) if is_client_name(name) else None
        if found is None:
            raise _unknown(name)
        return found

    async def _found_in(self, tx: Transaction, name: str) -> IssuerWithRules:
        """As it is in a transaction that changes it."""
        found = await store.issuer_to_change(tx, name) if is_client_name(name) else None
        if found is None:
            raise _unknown(name)
        return IssuerWithRules(found, await store.rules(tx, found.id))

    @asynccontextmanager
    async def _recorded_refusals(self, event: Event, name: str, actor: Actor) -> AsyncIterator[None]:
        try:
            yield
        except NotPermitted as refusal:
            target = f"trusted_issuer:{name if is_client_name(name) else 'unknown'}"
            details = {"reason": refusal.detail, "reasons": list(refusal.reasons)}
            await self._audit.refused(self._db, event, actor=actor, target=target, reason=refusal.code, details=details)
            raise

    async def _record(
        self, tx: Transaction, event: Event, issuer: TrustedIssuer, details: Mapping[str, Any], actor: Actor
    ) -> None:
        await require_current(tx, actor, Permission.CLIENT_WRITE, self._clock.now())
        target = f"trusted_issuer:{issuer.id}"
        await self._audit.record(tx, event, actor=actor, target=target, details={"name": issuer.name, **details})


def _allowed(name: str, conditions: Mapping[str, str], scopes: tuple[str, ...], lasts: timedelta) -> tuple[str, ...]:
    """The scopes of a rule, where that may say what it says."""
    with in_member("conditions"):
        require_conditions(conditions)
    require_lifetime(name, lasts)
    with in_member("scopes"):
        return require_scope_words(scopes) if scopes else ()


def _about(rule: IssuerRule) -> dict[str, Any]:
    """Which rule it is, and of which account or client it speaks."""
    about = {"rule": rule.id, "client": rule.client_name}
    return about | ({} if rule.account_name is None else {"service_account": rule.account_name})


def _no_rule(name: str, rule_id: str) -> TrustedIssuerUnknown:
    return TrustedIssuerUnknown(
        f"The trusted issuer {name} has no rule {rule_id[:64]!r}.", remedy=Remedy(Action.SHOW_TRUSTED_ISSUER, name)
    )


def _unknown(name: str) -> TrustedIssuerUnknown:
    return TrustedIssuerUnknown(f"There is no trusted issuer {name[:80]!r}.", remedy=Remedy(Action.LIST_TRUSTED_ISSUERS))
