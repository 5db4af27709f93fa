"""Access tokens as a credential at this server's own API: they may do what their person may, within their scope.

A token is for the API where it was asked for with the API as its resource (RFC 8707), which is the origin of this server. The
scope `sealwright_read` opens what only reads; `sealwright_change` opens changes as well. Scope maps say who may grant them.
"""

from __future__ import annotations

from sealwright.access import permissions_of_account
from sealwright.http import Request
from sealwright.identity import Session, SessionKind, SignedIn
from sealwright.jose import instant_claim
from sealwright.oauth.access_tokens import AccessToken, AccessTokens
from sealwright.oauth.clients import store as client_store
from sealwright.oauth.confirmation import presented_token
from sealwright.oauth.confirmations import Confirmations, proof_challenge
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.errors import AccessTokenRefused, ApiAccessRefused, TokenProofRefused
from sealwright.oauth.models import CHANGE_SCOPE, READ_SCOPE
from sealwright.oauth.opaque_tokens import PREFIX
from sealwright.oauth.subjects import SubjectLookup

_DOTS_OF_A_JWT = 2


class ApiAccess:
    """The kind of credential that an application shows, which a person let act for them."""

    def __init__(
        self,
        dependencies: OAuthDependencies,
        *,
        access_tokens: AccessTokens,
        confirmations: Confirmations,
        subjects: SubjectLookup,
    ) -> None:
        self._db = dependencies.db
        self._clock = dependencies.clock
        self._resource = dependencies.origin
        self._access_tokens = access_tokens
        self._confirmations = confirmations
        self._subjects = subjects

    def presented(self, request: Request) -> str | None:
        """The access token in the Authorization header; None where what is there is of another kind."""
        text = presented_token(request).text
        return text if text and (text.startswith(PREFIX) or text.count(".") == _DOTS_OF_A_JWT) else None

    async def holder(self, credential: str, request: Request) -> SignedIn | None:
        """The person for whom the token speaks; raises ApiAccessRefused with the reason where it opens nothing here."""
        try:
            return await self._holder(credential, request)
        except TokenProofRefused as cause:
            raise ApiAccessRefused(cause.detail, challenge=proof_challenge(cause), nonce=cause.nonce) from cause
        except AccessTokenRefused as cause:
            raise ApiAccessRefused(cause.detail) from cause

    async def _holder(self, credential: str, request: Request) -> SignedIn:
        name = self._access_tokens.client_name_in(credential)
        client = await client_store.client_named(self._db, name)
        if client is None:
            raise AccessTokenRefused("The access token is of no client of this server.")
        token = await self._access_tokens.verify(credential, client)
        if not token.is_for(self._resource):
            raise AccessTokenRefused(f"The access token was not asked for with the resource {self._resource}.")
        await self._confirmations.require_possession(token.claims, presented_token(request), client)
        if token.holder is None:
            raise AccessTokenRefused("The access token speaks of a client, which has no permissions here.")
        scopes, _ = await self._subjects.scopes_still_granted(token.holder.account, client, token.scopes)
        return await self._signed_in(token, scopes, client.name, request)

    async def _signed_in(self, token: AccessToken, scopes: tuple[str, ...], client_name: str, request: Request) -> SignedIn:
        if not {READ_SCOPE, CHANGE_SCOPE} & set(scopes) or token.holder is None:
            raise AccessTokenRefused(f"The access token has not the scope {READ_SCOPE} or {CHANGE_SCOPE}, or its person lost it.")
        account, session = token.holder.account, token.holder.session
        read_only = CHANGE_SCOPE not in scopes
        vouched_by = "" if session is None else session.id
        permissions = await permissions_of_account(self._db, account.id, self._clock.now(), session_id=vouched_by)
        actor = account.as_actor(
            permissions=permissions.only_reading() if read_only else permissions,
            session_id=vouched_by or token.family.id,
            address=request.peer.address,
            application=client_name,
        )
        return SignedIn(account, session or _without_sign_in(token, request), actor, read_only=read_only, by_application=True)


def _without_sign_in(token: AccessToken, request: Request) -> Session:
    """What stands where a person has a session: the token came of an API token. It is in no table."""
    family = token.family
    return Session(
        id=family.id,
        account_id=family.subject,
        kind=SessionKind.API_TOKEN,
        methods=(),
        address=request.peer.address,
        user_agent="access token",
        created_at=family.created_at,
        authenticated_at=family.created_at,
        last_seen_at=family.created_at,
        expires_at=instant_claim(token.claims, "exp") or family.created_at,
        ended_at=None,
    )
