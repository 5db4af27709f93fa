"""A token of a trusted issuer for an access token of the client (RFC 7523, section 2.1)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from sealwright.access import Actor
from sealwright.audit import Event
from sealwright.client_metadata import ClientKind
from sealwright.db import Transaction
from sealwright.entropy import uuid4
from sealwright.oauth import policy, store
from sealwright.oauth.client_scopes import scopes_of_client
from sealwright.oauth.errors import GrantRefused, ScopeRefused, TargetRefused, TokenRequestRefused
from sealwright.oauth.grants.grant import GrantDependencies
from sealwright.oauth.grants.grant_result import CompleteGrant, GrantResult, new_grant
from sealwright.oauth.grants.redemptions import audit_entry
from sealwright.oauth.grants.registered import JWT_BEARER
from sealwright.oauth.models import Client, TokenFamily, TokenOrigin, TokenSource
from sealwright.oauth.requested_scopes import require_open
from sealwright.oauth.token_families import FamilyHolder
from sealwright.oauth.token_request import TokenRequest
from sealwright.oauth.trusted_issuers import store as trust_store
from sealwright.oauth.trusted_issuers.issuer_assertions import IssuerAssertion, IssuerAssertions
from sealwright.oauth.trusted_issuers.models import IssuerRule

_NEVER_GRANTED = frozenset({"openid"}) | policy.PROTOCOL_SCOPES


class JwtBearerGrant:
    """A rule of an administrator says which tokens are taken, of whom the new one speaks, and how far it reaches."""

    grant_type: ClassVar[str] = JWT_BEARER
    standard: ClassVar[str] = "RFC 7523, section 2.1"
    open_to: ClassVar[frozenset[ClientKind]] = frozenset(ClientKind)

    def __init__(self, dependencies: GrantDependencies) -> None:
        self._db = dependencies.oauth.db
        self._clock = dependencies.oauth.clock
        self._entropy = dependencies.oauth.entropy
        self._audit = dependencies.oauth.audit
        self._directory = dependencies.directory
        self._assertions = IssuerAssertions(dependencies.oauth, dependencies.key_sets)

    async def redeem(self, client: Client, request: TokenRequest, actor: Actor, complete: CompleteGrant) -> GrantResult:
        """Use the assertion up, where its issuer is not one whose tokens are taken more than once."""
        about: dict[str, Any] = {}
        try:
            assertion = await self._assertions.read(request.required("assertion"), client, about)
            result = await complete(await self._decided(client, request, assertion.rule))

            async def body(tx: Transaction) -> None:
                await self._use(tx, assertion)
                await store.insert_families(tx, [result.family])
                await self._audit.record_all(tx, [audit_entry(result, client, actor, self.grant_type, **about)])

            await self._db.write(body)
        except TokenRequestRefused as refusal:
            await self._audit.refused(
                self._db,
                Event.TOKEN_REFUSED,
                actor=actor,
                target=f"client:{client.id}",
                reason=f"{self.grant_type}: {refusal.error}",
                details={"client": client.name, "grant_type": self.grant_type, "reason": refusal.detail, **about},
            )
            raise
        return result

    @staticmethod
    async def _use(tx: Transaction, assertion: IssuerAssertion) -> None:
        # A change meanwhile ended what the rule had given, and this would not be among it: the rule was read after the keys.
        if await trust_store.issuer_at(tx, assertion.issuer.issuer_url) != assertion.issuer:
            raise GrantRefused(
                f"The trusted issuer {assertion.issuer.name} was changed while the assertion was verified. Present it again."
            )
        if assertion.issuer.reusable or await store.use_jwt(tx, assertion.digest, assertion.kept_until):
            return
        known_by = f" (jti {assertion.token_id[:80]})" if assertion.token_id else ""
        raise GrantRefused(f"The assertion{known_by} was used before, and each counts once. Let the issuer make another.")

    async def _decided(self, client: Client, request: TokenRequest, rule: IssuerRule) -> GrantResult:
        refused = policy.refused_resource(client, request.resources)
        if refused:
            raise TargetRefused(refused)
        holder, now = await self._holder(rule), self._clock.now()
        source = TokenSource(rule=rule.id, rule_revision=rule.revision)
        scopes = await self._scopes(client, rule, holder, request.optional("scope"))
        family = TokenFamily(
            id=uuid4(self._entropy),
            client_id=client.id,
            account_id=rule.account_id,
            session_id=None,
            scope=scopes,
            nonce=None,
            authenticated_at=None,
            created_at=now,
            revoked_at=None,
            resources=request.resources,
            origin=TokenOrigin(rule.account_id or client.id, (source,), exchanges=0),
        )
        made = new_grant(self._entropy, family, holder, scopes, confirmation=request.confirmation)
        return replace(made, lasts=rule.lifetime)

    async def _holder(self, rule: IssuerRule) -> FamilyHolder | None:
        if rule.account_id is None:
            return None
        account = await self._directory.account(rule.account_id)
        if account is None:
            raise GrantRefused("The service account of the rule is gone. An administrator adds another rule.")
        status = account.status(self._clock.now())
        if not status.active:
            raise GrantRefused(
                f"The service account {account.name} may not act now: {status.reason}. An administrator enables it."
            )
        return FamilyHolder(account, None)

    async def _scopes(self, client: Client, rule: IssuerRule, holder: FamilyHolder | None, asked: str | None) -> tuple[str, ...]:
        if holder is None:
            reached = await scopes_of_client(self._db, client)
        else:
            groups = {group.id for group in await self._directory.groups_of(holder.account.id)}
            reached = policy.available_scopes(await store.held_scopes_by_group(self._db, client.id), groups) - _NEVER_GRANTED
        open_to_it = tuple(sorted(scope for scope in reached if not rule.scopes or scope in rule.scopes))
        if asked is None:
            if not open_to_it:
                raise ScopeRefused(
                    f"The rule gives no scope: no scope map of {client.name} gives {' '.join(rule.scopes)[:200] or 'any'} to "
                    f"{client.name if holder is None else holder.account.name}. See: sealwright system oauth2 get {client.name}."
                )
            return open_to_it
        return require_open(asked, open_to_it, "The rule does not give the scope {}.")
