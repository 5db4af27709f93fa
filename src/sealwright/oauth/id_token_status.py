"""Whether an ID token of ours is still valid, for those parts of this server that accept one as a credential."""

from __future__ import annotations

from collections.abc import Collection

from sealwright.client_metadata import is_client_name
from sealwright.oauth import policy, store
from sealwright.oauth.claims import CLAIMS_OF_SCOPE
from sealwright.oauth.clients import store as client_store
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.errors import AuthorizationEnded
from sealwright.oauth.issuers.addresses import issuer_url_of
from sealwright.oauth.lookups import PeopleLookup
from sealwright.oauth.token_families import TokenFamilies


class IdTokenStatus:
    """Asks for the client, the family, the session, the person, and the scopes that the token's claims came of."""

    def __init__(self, dependencies: OAuthDependencies, *, families: TokenFamilies, directory: PeopleLookup) -> None:
        self._db = dependencies.db
        self._origin = dependencies.origin
        self._families = families
        self._directory = directory

    async def why_invalid(
        self, *, issuer_url: str, client_name: str, account_id: str, session_id: str, family_id: str, claims: Collection[str]
    ) -> str:
        """Why the token is not valid any more, in words that follow a colon; empty where it is valid."""
        client = await client_store.client_named(self._db, client_name) if is_client_name(client_name) else None
        if client is None or issuer_url != issuer_url_of(self._origin, client):
            return "the application that the token was made for does not exist any more"
        family = await self._families.find(family_id) if family_id else None
        if family is None or family.client_id != client.id:
            return "the authorization that the token comes from is gone"
        if (family.account_id, family.session_id) != (account_id, session_id):
            return "the authorization that the token names is another's"
        try:
            await self._families.holder_of(family, signed_in=True)
        except AuthorizationEnded as over:
            return f"{over.detail[:1].lower()}{over.detail[1:].rstrip('.')}"
        groups = {group.id for group in await self._directory.groups_of(account_id)}
        reached = policy.available_scopes(await store.held_scopes_by_group(self._db, client.id), groups)
        lost = scopes_lost([claim for claim in claims if claim not in client.always_included], reached)
        if lost:
            return f"they may not have the scope {' '.join(lost)} of {client.display_name} any more"
        return ""


def scopes_lost(claims: Collection[str], available: Collection[str]) -> tuple[str, ...]:
    """The scopes without which an ID token would not have these claims, where none that brings the claim is available."""
    lost = [] if "openid" in available else ["openid"]
    for claim in claims:
        bringing = [scope for scope, brought in CLAIMS_OF_SCOPE.items() if claim in brought]
        if bringing and not any(scope in available for scope in bringing):
            lost.append(bringing[0])
    return tuple(dict.fromkeys(lost))
