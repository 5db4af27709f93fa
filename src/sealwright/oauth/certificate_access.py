"""Access tokens as a credential at the certificate authority: those of service accounts, and those of clients themselves.

The authority decides which audience and scope it wants, and which names it gives; here is said whether a token is valid, whose it
is, and whether the one who shows it holds the key that it may be bound to.
"""

from __future__ import annotations

from sealwright.ca import CredentialRefused, LocalAccessToken, ShownProof
from sealwright.client_metadata import is_client_name
from sealwright.db import Database
from sealwright.identity import AccountKind
from sealwright.jose import audiences, instant_claim, require_text
from sealwright.oauth.access_tokens import AccessToken, AccessTokens
from sealwright.oauth.clients import store as client_store
from sealwright.oauth.confirmation import CERTIFICATE, PresentedToken, confirmation_in, require_certificate
from sealwright.oauth.confirmations import Confirmations
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.errors import AccessTokenRefused, AuthorizationEnded, TokenProofRefused
from sealwright.oauth.models import Client
from sealwright.oauth.subjects import SubjectLookup
from sealwright.oauth.token_families import TokenFamilies


class CertificateAccess:
    """Asks anew at every use, and once more before the key of an issuer is used."""

    def __init__(
        self,
        dependencies: OAuthDependencies,
        *,
        access_tokens: AccessTokens,
        confirmations: Confirmations,
        families: TokenFamilies,
        subjects: SubjectLookup,
    ) -> None:
        self._db = dependencies.db
        self._access_tokens = access_tokens
        self._confirmations = confirmations
        self._families = families
        self._subjects = subjects

    async def verify(self, text: str, shown: ShownProof) -> LocalAccessToken:
        """The token, where it is valid and its holder shows it; raises CredentialRefused."""
        try:
            return await self._verified(text, shown)
        except TokenProofRefused as cause:
            refused = CredentialRefused(cause.detail, hint="Send another proof in the header DPoP.")
            refused.nonce = cause.nonce
            raise refused from cause
        except AccessTokenRefused as cause:
            raise CredentialRefused(cause.detail, hint="Get another access token, and ask with that.") from cause

    async def _verified(self, text: str, shown: ShownProof) -> LocalAccessToken:
        name = self._access_tokens.client_name_in(text)
        client = await client_store.client_named(self._db, name) if is_client_name(name) else None
        if client is None:
            raise AccessTokenRefused("The access token is of no client of this server.")
        token = await self._access_tokens.verify(text, client)
        account = None if token.holder is None else token.holder.account
        if account is not None and account.kind is not AccountKind.SERVICE:
            raise AccessTokenRefused("The access token speaks of a person, who gets certificates by signing in.")
        if "act" in token.claims:
            raise AccessTokenRefused("The access token names someone who acts for another (act), whom no certificate would tell.")
        if account is None and token.family.subject != client.id:
            raise AccessTokenRefused("The access token speaks of another client than the one that it was made for.")
        ends_at = instant_claim(token.claims, "exp")
        if ends_at is None:
            raise AccessTokenRefused("The access token does not say when it ends.")
        return LocalAccessToken(
            client_id=client.id,
            client_name=client.name,
            account_id=None if account is None else account.id,
            account_name="" if account is None else account.name,
            family_id=token.family.id,
            token_id=require_text(token.claims, "jti"),
            audience=audiences(token.claims),
            scopes=await self._subjects.scopes_that_count(client, account, token.scopes),
            expires_at=ends_at,
            proof_key=await self._key_to_prove(token, text, shown, client),
        )

    async def _key_to_prove(self, token: AccessToken, text: str, shown: ShownProof, client: Client) -> str:
        """The key of which possession is still to be proven, by the signing request; raises AccessTokenRefused."""
        confirmation = confirmation_in(token.claims)
        if confirmation is None:
            return ""
        if confirmation.member == CERTIFICATE:
            require_certificate(confirmation, shown.peer)
            return ""
        if shown.dpop is None:
            return confirmation.thumbprint
        presented = PresentedToken(text, "dpop", shown.dpop, "POST", shown.path, shown.peer)
        await self._confirmations.require_possession(token.claims, presented, client)
        return ""

    async def why_invalid(self, token: LocalAccessToken) -> str:
        """Why a token that was verified is not valid any more, in words that follow a colon; empty where it is."""
        client = await client_store.client_with_id(self._db, token.client_id)
        if client is None:
            return "the client that the token was made for does not exist any more"
        family = await self._families.find(token.family_id)
        if family is None:
            return "the authorization that the token comes from is gone"
        try:
            holder = await self._families.holder_of(family)
        except AuthorizationEnded as over:
            return f"{over.detail[:1].lower()}{over.detail[1:].rstrip('.')}"
        still = await self._subjects.scopes_that_count(client, None if holder is None else holder.account, token.scopes)
        lost = [scope for scope in token.scopes if scope not in still]
        return f"it has not the scope {' '.join(lost)[:200]} any more" if lost else ""


async def client_name_of(db: Database, client_id: str) -> str | None:
    """The name of the client with this id; None where it is gone."""
    client = await client_store.client_with_id(db, client_id)
    return None if client is None else client.name
