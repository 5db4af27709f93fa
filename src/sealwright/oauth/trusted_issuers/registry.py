"""List trusted issuers, and say what their tokens are accepted for. Each verb asks for the permission and is recorded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec
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
from sealwright.audit import Event
from sealwright.client_metadata import is_client_name, require_client_name, require_fetchable, require_jwks_uri, require_key_set
from sealwright.clock import Instant
from sealwright.db import DuplicateRow, Transaction
from sealwright.entropy import uuid4
from sealwright.errors import Action, InvalidInput, NotPermitted, Remedy, in_member
from sealwright.identity import Account, AccountKind
from sealwright.jose import keys_of_jwks
from sealwright.oauth import policy
from sealwright.oauth.clients.lookup import named
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.errors import TrustedIssuerExists, TrustedIssuerUnknown
from sealwright.oauth.lookups import IdentityLookups
from sealwright.oauth.trusted_issuers import store
from sealwright.oauth.trusted_issuers.conditions import require_conditions
from sealwright.oauth.trusted_issuers.models import IssuerRule, TrustedIssuer

SHORTEST_TOKEN, LONGEST_TOKEN = timedelta(minutes=1), timedelta(hours=1)
MOST_RULES = 200


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
        _require_keys(jwks_uri, jwks)
        wanted = self._origin if audience is None else audience
        if not 0 < len(wanted) <= policy.LONGEST_AUDIENCE or not wanted.isprintable():
            raise InvalidInput(
                f"{wanted[:80]!r} is not an audience.", hint="Give the text that the issuer puts into aud.", pointer="/audience"
            )
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
            keys = "listed" if jwks is not None else jwks_uri or "by discovery"
            details = {"issuer_url": issuer_url, "audience": wanted, "keys": keys, "reusable": reusable}
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
        with in_member("conditions"):
            require_conditions(conditions)
        lasts = _allowed_lifetime(name, self.usual_lifetime if lifetime is None else lifetime)
        account = None if service_account is None else await self._service_account(service_account)
        with in_member("scopes"):
            wanted_scopes = policy.require_scope_words(scopes) if scopes else ()
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
            if account is not None:
                with in_member("service_account"):
                    await require_current(tx, actor, Permission.PERSON_WRITE, self._clock.now())
                    await self._authority.require_over_account(tx, actor, account, "make tokens of")
            else:
                with in_member("client"):
                    await self._require_over_client(tx, actor, for_client.name)
            added = _placed_last(rule, await store.rules(tx, issuer.id))
            await store.insert_rule(tx, added)
            await self._record(tx, Event.TRUSTED_ISSUER_RULE_ADDED, issuer, _recorded_rule(rule), actor)
            return added

        async with self._recorded_refusals(Event.TRUSTED_ISSUER_RULE_ADDED, name, actor):
            return await self._db.write(body)

    async def delete_rule(self, name: str, rule_id: str, *, actor: Actor) -> None:
        """Remove a rule; what was made by it ends at once."""
        async with self._recorded_refusals(Event.TRUSTED_ISSUER_RULE_DELETED, name, actor):
            require(actor, Permission.CLIENT_WRITE)
        issuer = await self._found(name)

        async def body(tx: Transaction) -> None:
            if not await store.delete_rule(tx, rule_id[:64], issuer.id):
                raise TrustedIssuerUnknown(
                    f"The trusted issuer {name} has no rule {rule_id[:64]!r}.",
                    remedy=Remedy(Action.SHOW_TRUSTED_ISSUER, name),
                )
            await self._record(tx, Event.TRUSTED_ISSUER_RULE_DELETED, issuer, {"rule": rule_id}, actor)

        async with self._recorded_refusals(Event.TRUSTED_ISSUER_RULE_DELETED, name, actor):
            await self._db.write(body)

    async def _service_account(self, name: str) -> Account:
        found = await self._directory.find(name)
        if found is None or found.kind is not AccountKind.SERVICE:
            remedy = Remedy(Action.LIST_SERVICE_ACCOUNTS)
            raise InvalidInput(f"There is no service account {name[:80]!r}.", remedy=remedy, pointer="/service_account")
        return found

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


def _allowed_lifetime(name: str, lasts: timedelta) -> timedelta:
    if not SHORTEST_TOKEN <= lasts <= LONGEST_TOKEN:
        raise InvalidInput(
            f"An access token for a token of {name} cannot last {int(lasts.total_seconds())} seconds.",
            hint="Give 60 to 3600 seconds.",
            pointer="/lifetime_seconds",
        )
    return lasts


def _require_keys(jwks_uri: str | None, jwks: Mapping[str, Any] | None) -> None:
    if jwks_uri is not None and jwks is not None:
        raise InvalidInput(
            "Both jwks_uri and jwks are given.",
            hint="Give one of them, or neither: then discovery finds the keys.",
            pointer="/jwks_uri",
        )
    if jwks_uri is not None:
        with in_member("jwks_uri"):
            require_jwks_uri(jwks_uri)
    if jwks is not None:
        with in_member("jwks"):
            require_key_set(jwks)
        if not keys_of_jwks(msgspec.json.encode(jwks)):
            raise InvalidInput(
                "jwks holds no key that can verify a signature.", hint="Give the public keys of the issuer.", pointer="/jwks"
            )


def _placed_last(rule: IssuerRule, others: Sequence[IssuerRule]) -> IssuerRule:
    """The rule as the newest: the oldest that fits a token counts, and several may be added within a millisecond."""
    if len(others) >= MOST_RULES:
        raise InvalidInput(f"The trusted issuer has {MOST_RULES} rules, which is the most.", hint="Delete one first.")
    newest = max((each.created_at for each in others), default=rule.created_at - 1)
    return replace(rule, created_at=Instant(max(rule.created_at, newest + 1)))


def _recorded_rule(rule: IssuerRule) -> dict[str, Any]:
    about = {"rule": rule.id, "client": rule.client_name, "conditions": dict(rule.conditions), "scope": " ".join(rule.scopes)}
    return about | ({} if rule.account_name is None else {"service_account": rule.account_name})


def _unknown(name: str) -> TrustedIssuerUnknown:
    return TrustedIssuerUnknown(f"There is no trusted issuer {name[:80]!r}.", remedy=Remedy(Action.LIST_TRUSTED_ISSUERS))
