"""Sign in with another identity provider (OpenID Connect Core, section 3.1): we are its client, and it gives roles by groups.

Nothing is decided by a mail address: people are known by issuer and subject. Someone whose groups give no role is refused.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec

from sealwright.access import anonymous
from sealwright.audit import Audit, Event
from sealwright.clock import Clock, Instant, after
from sealwright.db import Database, Transaction
from sealwright.entropy import Entropy, token, uuid4
from sealwright.errors import Unavailable
from sealwright.identity.devices import KnownDevices
from sealwright.identity.emergency.first_administrator import FirstAdministrator
from sealwright.identity.models import CompletedSignIn
from sealwright.identity.policy import printable
from sealwright.identity.sessions import Sessions
from sealwright.identity.sign_on_records import store as records
from sealwright.identity.upstream import store
from sealwright.identity.upstream.acceptance import (
    SignOnAcceptance,
    SignOnBrowser,
    SignOnProgress,
    changed_meanwhile,
)
from sealwright.identity.upstream.checks import check_metadata
from sealwright.identity.upstream.errors import ProviderNotFound, SignOnRefused
from sealwright.identity.upstream.groups import GroupSource
from sealwright.identity.upstream.id_tokens import verify_id_token
from sealwright.identity.upstream.models import RefusedSignOn, SeenGroups, SignInRecord, UpstreamProvider
from sealwright.identity.upstream.providers import secret_context
from sealwright.jose import base64url
from sealwright.keys import Sealer
from sealwright.openid_providers import ProviderMetadata, TrustedProviders
from sealwright.outbound import Outbound

PRE_LOGIN_LIFETIME = timedelta(minutes=10)
LONGEST_PARAMETER = 4_096
LARGEST_ANSWER = 512 * 1024
PATIENCE = 10.0
_OK = 200
_CHANGED_THERE = "Ask an administrator to look at what the provider says of itself: test it again, as it was when it was stored."


class _Waiting(msgspec.Struct):
    """What is kept, sealed, while a person is at the provider."""

    nonce: str
    verifier: str
    return_to: str
    provider_of: Instant = Instant(0)
    """When the provider was changed last: the answer is for it as it was."""


@dataclass(frozen=True, slots=True)
class BegunSignOn:
    """Where the browser goes, and the cookie that ties the answer to it."""

    location: str
    cookie: str


@dataclass(frozen=True, slots=True)
class CompletedSignOn:
    """A session, and the page that the sign-in was for."""

    completed: CompletedSignIn
    return_to: str


class UpstreamSignOn:
    """One-time state, PKCE and a nonce tie each answer to the sign-in that was begun in the same browser."""

    def __init__(  # noqa: PLR0913 - every part of a sign-in has its own owner
        self,
        db: Database,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        sealer: Sealer,
        *,
        sessions: Sessions,
        devices: KnownDevices,
        providers: TrustedProviders,
        outbound: Outbound,
        first: FirstAdministrator,
        callback: str,
    ) -> None:
        """`callback`: the address to which providers send people back."""
        self._db = db
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._sealer = sealer
        self._acceptance = SignOnAcceptance(db, audit, clock, entropy, sessions, devices, first)
        self._groups = GroupSource(outbound)
        self._providers = providers
        self._outbound = outbound
        self._callback = callback

    async def begin(self, provider_id: str, *, return_to: str, address: str = "", again: bool = False) -> BegunSignOn:
        """The address at the provider. Raises ProviderNotFound, SignOnRefused where it is disabled, or Unavailable.

        The last two leave an audit row with the reason.
        `again`: someone is signed in here already, so that the provider is to ask for their credentials anew.
        """
        provider = await store.find_provider(self._db, printable(provider_id))
        if provider is None:
            raise ProviderNotFound(f"There is no identity provider {printable(provider_id)!r}.")
        try:
            metadata = await self._ready(provider)
        except SignOnRefused as refusal:
            await self._record_refusal(refusal, self._progress(provider), address)
            raise
        except Unavailable as cause:
            unreachable = SignOnRefused(RefusedSignOn.JWKS_UNREACHABLE, cause.detail)
            await self._record_refusal(unreachable, self._progress(provider), address)
            raise
        state, cookie = token(self._entropy), token(self._entropy)
        waiting = _Waiting(token(self._entropy), token(self._entropy), return_to, provider.updated_at)
        digest = _digest(state)
        now = self._clock.now()

        async def body(tx: Transaction) -> None:
            await store.insert_waiting(
                tx,
                state_digest=digest,
                provider_id=provider.id,
                cookie_digest=_digest(cookie),
                sealed=self._sealer.seal(msgspec.json.encode(waiting), _context(digest)),
                expires_at=after(now, PRE_LOGIN_LIFETIME),
            )

        await self._db.write(body)
        query = {
            "response_type": "code",
            "client_id": provider.client_id,
            "redirect_uri": self._callback,
            "scope": " ".join(provider.scopes),
            "state": state,
            "nonce": waiting.nonce,
            "code_challenge": base64url(hashlib.sha256(waiting.verifier.encode()).digest()),
            "code_challenge_method": "S256",
            **({"prompt": "login", "max_age": "0"} if again else {}),
        }
        joint = "&" if "?" in metadata.authorization_endpoint else "?"
        return BegunSignOn(f"{metadata.authorization_endpoint}{joint}{urlencode(query)}", cookie)

    async def _ready(self, provider: UpstreamProvider) -> ProviderMetadata:
        if not provider.enabled:
            raise SignOnRefused(RefusedSignOn.PROVIDER_DISABLED, f"Signing in with {provider.name} is switched off.")
        metadata, _ = await self._providers.keys_for(provider.issuer_url, kept_at_most=provider.keys_kept_at_most)
        issuer, endpoints = check_metadata(provider, metadata)
        if not issuer.passed:
            raise SignOnRefused(RefusedSignOn.ISSUER_MISMATCH, issuer.detail, hint=_CHANGED_THERE)
        if not endpoints.passed:
            raise SignOnRefused(RefusedSignOn.ENDPOINTS, endpoints.detail, hint=_CHANGED_THERE)
        return metadata

    async def complete(
        self,
        query: Mapping[str, str],
        *,
        cookie: str,
        address: str,
        user_agent: str,
        held_token: str,
        device_token: str | None,
    ) -> CompletedSignOn:
        """Check what the provider sent the browser back with. Raises SignOnRefused, and leaves an audit row with the reason."""
        browser = SignOnBrowser(address, user_agent, held_token, device_token)
        progress: SignOnProgress | None = None
        try:
            provider, waiting = await self._take(query, cookie)
            progress = self._progress(provider)
            completed = await self._finish(provider, waiting, query, browser, progress)
            return CompletedSignOn(completed, waiting.return_to)
        except SignOnRefused as refusal:
            await self._record_refusal(refusal, progress, address)
            raise

    async def _finish(
        self,
        provider: UpstreamProvider,
        waiting: _Waiting,
        query: Mapping[str, str],
        browser: SignOnBrowser,
        progress: SignOnProgress,
    ) -> CompletedSignIn:
        try:
            metadata = await self._ready(provider)
        except Unavailable as cause:
            raise SignOnRefused(RefusedSignOn.JWKS_UNREACHABLE, cause.detail) from cause
        _check_response(provider, metadata, query)
        tokens = await self._redeem(provider, metadata, query["code"], waiting.verifier)
        access_token = tokens.get("access_token")
        identity = await verify_id_token(
            provider,
            tokens.get("id_token"),
            self._providers,
            self._clock.now(),
            nonce=waiting.nonce,
            access_token=access_token,
        )
        progress.note(subject=identity.subject)
        groups, source = await self._groups.groups_of(provider, metadata, identity, access_token)
        return await self._acceptance.accept(provider, identity, groups, source, browser, progress)

    def _progress(self, provider: UpstreamProvider) -> SignOnProgress:
        record = SignInRecord(
            id=uuid4(self._entropy),
            at=self._clock.now(),
            provider_id=provider.id,
            provider_name=provider.name,
            seen=SeenGroups(claim=provider.groups_claim_path),
        )
        return SignOnProgress(record)

    async def _record_refusal(self, refusal: SignOnRefused, progress: SignOnProgress | None, address: str) -> None:
        """In the audit record, and for the explanation where it is known of which provider."""
        details: dict[str, Any] = {"failure_category": str(refusal.reason), "reason": refusal.detail}
        target = "oidc_provider:unknown"
        if progress is not None:
            progress.note(reason=str(refusal.reason), detail=refusal.detail, hint=refusal.hint)
            record = progress.record
            details |= {"provider_id": record.provider_id, "sign_in": record.id}
            target = f"oidc_provider:{record.provider_id}"
            refusal.sign_in_id = record.id

            async def body(tx: Transaction) -> None:
                await records.insert_record(tx, record)

            await self._db.write(body)
        if refusal.groups:
            details["groups"] = [printable(each) for each in refusal.groups[:100]]
        await self._audit.refused(
            self._db,
            Event.OIDC_LOGIN_FAILED,
            actor=anonymous(address),
            target=target,
            reason=str(refusal.reason),
            details=details,
        )

    async def _take(self, query: Mapping[str, str], cookie: str) -> tuple[UpstreamProvider, _Waiting]:
        """Consume the sign-in that was begun: once, whatever comes of it."""
        state = query.get("state", "")
        if not state or not cookie:
            reason = RefusedSignOn.MISSING_PRE_LOGIN_COOKIE if state else RefusedSignOn.STATE_MISMATCH
            raise SignOnRefused(reason, "This sign-in was not begun in this browser.", hint="Begin again from the sign-in page.")
        digest = _digest(state[:LONGEST_PARAMETER])

        async def body(tx: Transaction) -> tuple[str, str, bytes] | None:
            return await store.take_waiting(tx, digest, self._clock.now())

        taken = await self._db.write(body)
        if taken is None:
            raise SignOnRefused(
                RefusedSignOn.PRE_LOGIN_CONSUME_FAILED,
                "This sign-in was finished already, or took longer than ten minutes.",
                hint="Begin again from the sign-in page.",
            )
        provider_id, cookie_digest, sealed = taken
        provider = await store.find_provider(self._db, provider_id)
        if provider is None or not provider.enabled:
            raise SignOnRefused(RefusedSignOn.PROVIDER_DISABLED, "The identity provider was switched off meanwhile.")
        if not hmac.compare_digest(cookie_digest, _digest(cookie)):
            raise SignOnRefused(
                RefusedSignOn.STATE_MISMATCH,
                "This sign-in was begun in another browser.",
                hint="Begin again from the sign-in page.",
            )
        waiting = msgspec.json.decode(self._sealer.open(sealed, _context(digest)), type=_Waiting)
        if waiting.provider_of != provider.updated_at:
            raise changed_meanwhile(provider)
        return provider, waiting

    async def _redeem(
        self, provider: UpstreamProvider, metadata: ProviderMetadata, code: str, verifier: str
    ) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._callback,
            "client_id": provider.client_id,
            "code_verifier": verifier,
        }
        sealed = await store.sealed_secret(self._db, provider.id)
        if sealed is not None:
            form["client_secret"] = self._sealer.open(sealed, secret_context(provider.id)).decode()
        try:
            answer = await self._outbound.post_form(metadata.token_endpoint, form, max_bytes=LARGEST_ANSWER, timeout=PATIENCE)
        except Unavailable as cause:
            raise SignOnRefused(RefusedSignOn.TOKEN_ENDPOINT, cause.detail) from cause
        try:
            decoded = msgspec.json.decode(answer.body, type=dict[str, Any])
        except (msgspec.MsgspecError, ValueError, RecursionError):
            decoded = {}
        if answer.status != _OK or not decoded:
            error = decoded.get("error")
            with_error = f" with {printable(error, 80)}" if isinstance(error, str) else ""
            raise SignOnRefused(
                RefusedSignOn.TOKEN_ENDPOINT,
                f"{provider.name} gave no tokens: it answered with status {answer.status}{with_error}.",
            )
        return decoded


def _check_response(provider: UpstreamProvider, metadata: ProviderMetadata, query: Mapping[str, str]) -> None:
    """The answer comes from this provider (RFC 9207), and holds a code."""
    issuer = query.get("iss")
    if issuer is None and metadata.names_itself:
        raise SignOnRefused(RefusedSignOn.ISS_PARAM_MISSING, f"The answer does not say that it comes from {provider.name}.")
    if issuer is not None and issuer != provider.issuer_url:
        raise SignOnRefused(RefusedSignOn.ISS_PARAM_MISMATCH, f"The answer comes from another provider than {provider.name}.")
    if "error" in query:
        raise SignOnRefused(
            RefusedSignOn.PROVIDER_REFUSED, f"{provider.name} refused the sign-in with {printable(query['error'], 80)}."
        )
    if not query.get("code"):
        raise SignOnRefused(RefusedSignOn.UNSPECIFIED, f"The answer of {provider.name} holds no code.")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _context(state_digest: str) -> str:
    return f"oidc_pre_login_sessions:{state_digest}"
