"""A token for the client itself, without a person (RFC 6749, section 4.4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

from sealwright.access import Actor
from sealwright.client_metadata import ClientKind
from sealwright.db import Transaction, WriteBatcher
from sealwright.entropy import uuid4
from sealwright.oauth import policy, store
from sealwright.oauth.authorization_details import DetailsMalformed, read_details
from sealwright.oauth.client_scopes import scopes_of_client
from sealwright.oauth.errors import DetailsRefused, ScopeRefused, TargetRefused
from sealwright.oauth.grants.grant import GrantDependencies
from sealwright.oauth.grants.grant_result import CompleteGrant, GrantResult, new_grant
from sealwright.oauth.grants.redemptions import audit_entry
from sealwright.oauth.models import Client, TokenFamily
from sealwright.oauth.token_request import TokenRequest


class _Issue(NamedTuple):
    result: GrantResult
    client: Client
    actor: Actor


class ClientCredentialsGrant:
    """A confidential client gets an access token that speaks of the client; it asks again where others would refresh."""

    grant_type: ClassVar[str] = "client_credentials"
    standard: ClassVar[str] = "RFC 6749, section 4.4"
    open_to: ClassVar[frozenset[ClientKind]] = frozenset({ClientKind.CONFIDENTIAL})
    """A public client proves nothing by its name, so there is no one to make a token for."""

    def __init__(self, dependencies: GrantDependencies) -> None:
        self._db = dependencies.oauth.db
        self._clock = dependencies.oauth.clock
        self._entropy = dependencies.oauth.entropy
        self._audit = dependencies.oauth.audit
        self._batcher: WriteBatcher[_Issue, None] = WriteBatcher(self._db, self._write)

    async def redeem(self, client: Client, request: TokenRequest, actor: Actor, complete: CompleteGrant) -> GrantResult:
        """An authorization of the client's own; each request begins one, so that it can be revoked by itself."""
        scopes = await self._scopes(client, request.optional("scope"))
        refused = policy.refused_resource(client, request.resources)
        if refused:
            raise TargetRefused(refused)
        family = TokenFamily(
            id=uuid4(self._entropy),
            client_id=client.id,
            account_id=None,
            session_id=None,
            scope=scopes,
            nonce=None,
            authenticated_at=None,
            created_at=self._clock.now(),
            revoked_at=None,
            resources=request.resources,
            authorization_details=_details(client, request),
        )
        result = await complete(new_grant(self._entropy, family, None, scopes, confirmation=request.confirmation))
        await self._batcher.add(_Issue(result, client, actor))
        return result

    async def _scopes(self, client: Client, asked: str | None) -> tuple[str, ...]:
        """The scopes asked for, else all that the client's maps name; those that tell of a person mean nothing here."""
        open_to_it = await scopes_of_client(self._db, client)
        if asked is None:
            return tuple(sorted(open_to_it))
        scopes = policy.scopes_of(asked)
        if not scopes:
            raise ScopeRefused("The scope is malformed.")
        beyond = [scope for scope in scopes if scope not in open_to_it]
        if beyond:
            raise ScopeRefused(
                f"The scope {' '.join(beyond)[:200]} is not for a client itself: it tells of a person, or no map names it."
            )
        return scopes

    async def _write(self, tx: Transaction, issues: Sequence[_Issue]) -> Sequence[None]:
        await store.insert_families(tx, [each.result.family for each in issues])
        await self._audit.record_all(tx, [audit_entry(each.result, each.client, each.actor, self.grant_type) for each in issues])
        return [None] * len(issues)


def _details(client: Client, request: TokenRequest) -> tuple[dict[str, Any], ...]:
    try:
        return read_details(request.optional("authorization_details"), client)
    except DetailsMalformed as cause:
        raise DetailsRefused(str(cause)) from cause
