"""Exchange a token for an access token of the client (RFC 8693)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from sealwright.access import Actor
from sealwright.audit import Event
from sealwright.client_metadata import ClientKind
from sealwright.clock import after
from sealwright.db import Transaction
from sealwright.entropy import uuid4
from sealwright.oauth import policy, store
from sealwright.oauth.authorization_details import allowed_details
from sealwright.oauth.client_scopes import scopes_of_client
from sealwright.oauth.errors import GrantRefused, MalformedTokenRequest, TokenRequestRefused
from sealwright.oauth.exchange import rules
from sealwright.oauth.exchange.models import PresentedParty
from sealwright.oauth.exchange.presented_tokens import ACCESS_TOKEN_TYPE, PresentedTokens
from sealwright.oauth.grants.grant import GrantDependencies
from sealwright.oauth.grants.grant_result import CompleteGrant, GrantResult, new_grant
from sealwright.oauth.grants.redemptions import audit_entry
from sealwright.oauth.grants.registered import TOKEN_EXCHANGE
from sealwright.oauth.models import CHANGE_SCOPE, Client, TokenFamily
from sealwright.oauth.token_request import TokenRequest


class TokenExchangeGrant:
    """What it makes is never wider than what was presented, keeps its binding to a key, and ends with it."""

    grant_type: ClassVar[str] = TOKEN_EXCHANGE
    standard: ClassVar[str] = "RFC 8693"
    open_to: ClassVar[frozenset[ClientKind]] = frozenset(ClientKind)

    def __init__(self, dependencies: GrantDependencies) -> None:
        self._db = dependencies.oauth.db
        self._clock = dependencies.oauth.clock
        self._entropy = dependencies.oauth.entropy
        self._audit = dependencies.oauth.audit
        self._directory = dependencies.directory
        self._presented = PresentedTokens(dependencies.oauth.db, dependencies.access_tokens, dependencies.api_tokens)

    async def redeem(self, client: Client, request: TokenRequest, actor: Actor, complete: CompleteGrant) -> GrantResult:
        """An authorization of its own for what was presented, which stays as it is and may be exchanged again."""
        about: dict[str, Any] = {}
        try:
            subject, acting = await self._parties(client, request, about)
            result = await complete(await self._decided(client, request, subject, acting))
        except TokenRequestRefused as refusal:
            await self._record_refusal(client, actor, refusal, about)
            raise

        async def body(tx: Transaction) -> None:
            await store.insert_families(tx, [result.family])
            await self._audit.record_all(tx, [audit_entry(result, client, actor, self.grant_type, **about)])

        await self._db.write(body)
        return result

    async def _parties(
        self, client: Client, request: TokenRequest, about: dict[str, Any]
    ) -> tuple[PresentedParty, PresentedParty | None]:
        """Whom the tokens are of, noted in `about` for the record."""
        if request.optional("requested_token_type") not in (None, ACCESS_TOKEN_TYPE):
            asked = request.required("requested_token_type")
            raise MalformedTokenRequest(
                f"The requested_token_type {asked[:100]!r} cannot be made. Leave it out, or send {ACCESS_TOKEN_TYPE}."
            )
        address = request.peer.address
        text, token_type = request.required("subject_token"), request.required("subject_token_type")
        subject = await self._presented.read("subject_token", text, token_type, address)
        about |= _as_recorded("subject", subject)
        actor_text, actor_type = request.optional("actor_token"), request.optional("actor_token_type")
        if (actor_text is None) != (actor_type is None):
            raise MalformedTokenRequest("One of actor_token and actor_token_type is missing. Send both, or neither.")
        acting = None
        if actor_text is not None and actor_type is not None:
            acting = await self._presented.read("actor_token", actor_text, actor_type, address)
            about |= _as_recorded("acting", acting)
        rules.require_subject(client, subject)
        rules.require_actor(client, subject, acting)
        for party in (subject, acting):
            if party is not None:
                rules.require_key(client, party, request.confirmation)
        return subject, acting

    async def _decided(
        self, client: Client, request: TokenRequest, subject: PresentedParty, acting: PresentedParty | None
    ) -> GrantResult:
        now = self._clock.now()
        ends_at = min(party.ends_at for party in (subject, acting) if party is not None)
        if ends_at < after(now, policy.SHORTEST_TOKEN):
            raise GrantRefused("The token that is exchanged ends within this second. Present a newer one.")
        audience = request.optional("audience")
        asked = [*request.resources, *([audience] if audience not in (None, client.name) else [])]
        resources = rules.resources_of(client, subject, [each for each in asked if each is not None])
        scopes = rules.scopes_of(await self._reached(client, subject), subject, request.optional("scope"))
        before = subject.family
        family = TokenFamily(
            id=uuid4(self._entropy),
            client_id=client.id,
            account_id=None if subject.holder is None else subject.holder.account.id,
            session_id=None if before is None else before.session_id,
            scope=scopes,
            nonce=None,
            authenticated_at=None if before is None else before.authenticated_at,
            created_at=now,
            revoked_at=None,
            methods=() if before is None else before.methods,
            resources=resources,
            authorization_details=allowed_details(subject.details, client),
            origin=rules.origin_of(subject, acting),
        )
        made = new_grant(self._entropy, family, subject.holder, scopes, confirmation=request.confirmation)
        return replace(made, ends_at=ends_at, issued_token_type=ACCESS_TOKEN_TYPE)

    async def _reached(self, client: Client, subject: PresentedParty) -> frozenset[str]:
        """The scopes that the subject may have now, at the client and at the one for whom its token was made."""
        clients = [client] if subject.client is None or subject.client.id == client.id else [client, subject.client]
        if subject.holder is None:
            return frozenset.intersection(*[await scopes_of_client(self._db, each) for each in clients])
        groups = {group.id for group in await self._directory.groups_of(subject.holder.account.id)}
        held = [await store.held_scopes_by_group(self._db, each.id) for each in clients]
        reached = frozenset.intersection(*[policy.available_scopes(each, groups) for each in held])
        return reached - {CHANGE_SCOPE} if subject.read_only else reached

    async def _record_refusal(self, client: Client, actor: Actor, refusal: TokenRequestRefused, about: dict[str, Any]) -> None:
        await self._audit.refused(
            self._db,
            Event.TOKEN_REFUSED,
            actor=actor,
            target=f"client:{client.id}",
            reason=f"{self.grant_type}: {refusal.error}",
            details={"client": client.name, "grant_type": self.grant_type, "reason": refusal.detail, **about},
        )


def _as_recorded(role: str, party: PresentedParty) -> dict[str, str]:
    """Who a party is, and by what, under names that begin with its role."""
    made_from = {"api_token": party.source.api_token, "family": party.source.family}
    made_for = {} if party.client is None else {f"{role}_client": party.client.name}
    return {role: party.subject, f"{role}_name": party.name, **made_for} | {
        f"{role}_{name}": value for name, value in made_from.items() if value
    }
