"""Sign in with another identity provider (OpenID Connect Core, section 3.1): we are its client, and it gives roles by groups.

Nothing is decided by a mail address: people are known by issuer and subject. Someone whose groups give no role is refused.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec

from sealwright.access import RoleGrant, anonymous
from sealwright.access import store as access_store
from sealwright.audit import Audit, Event
from sealwright.clock import Clock, Instant, after
from sealwright.db import Database, Transaction
from sealwright.entropy import Entropy, token, uuid4
from sealwright.errors import Unavailable
from sealwright.identity.devices import KnownDevices
from sealwright.identity.directory import store as directory_store
from sealwright.identity.directory.people import insert_person, new_person
from sealwright.identity.errors import NameRefused, NameTaken, TextRefused
from sealwright.identity.models import Account, CompletedSignIn, Session, SessionKind
from sealwright.identity.policy import printable
from sealwright.identity.sessions import Sessions
from sealwright.identity.upstream import store
from sealwright.identity.upstream.errors import ProviderNotFound, SignOnRefused
from sealwright.identity.upstream.id_tokens import UpstreamIdentity, verify_id_token
from sealwright.identity.upstream.models import RefusedSignOn, UpstreamProvider, groups_at, nearest
from sealwright.identity.upstream.providers import secret_context
from sealwright.jose import base64url
from sealwright.keys import Sealer
from sealwright.openid_providers import ProviderMetadata, TrustedProviders
from sealwright.outbound import Outbound

PRE_LOGIN_LIFETIME = timedelta(minutes=10)
LONGEST_PARAMETER = 4_096
LARGEST_ANSWER = 512 * 1024
PATIENCE = 10.0
METHOD = "fed"
"""In the methods of a session: another server vouched for the person."""
_OK = 200
_MOST_NAMES = 50


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
        callback: str,
    ) -> None:
        """`callback`: the address to which providers send people back."""
        self._db = db
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._sealer = sealer
        self._sessions = sessions
        self._devices = devices
        self._providers = providers
        self._outbound = outbound
        self._callback = callback

    async def begin(self, provider_id: str, *, return_to: str, again: bool = False) -> BegunSignOn:
        """The address at the provider. Raises ProviderNotFound, SignOnRefused where it is disabled, or Unavailable.

        `again`: someone is signed in here already, so that the provider is to ask for their credentials anew.
        """
        provider = await store.find_provider(self._db, printable(provider_id))
        if provider is None:
            raise ProviderNotFound(f"There is no identity provider {printable(provider_id)!r}.")
        if not provider.enabled:
            raise SignOnRefused(RefusedSignOn.PROVIDER_DISABLED, f"Signing in with {provider.name} is switched off.")
        metadata, _ = await self._providers.keys_for(provider.issuer_url)
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
        provider: UpstreamProvider | None = None
        try:
            provider, waiting = await self._take(query, cookie)
            identity = await self._identify(provider, waiting, query)
            return await self._accept(
                provider, identity, waiting.return_to, address, user_agent, held_token=held_token, device_token=device_token
            )
        except SignOnRefused as refusal:
            details: dict[str, Any] = {"failure_category": str(refusal.reason), "reason": refusal.detail}
            if provider is not None:
                details["provider_id"] = provider.id
            if refusal.groups:
                details["groups"] = [printable(each) for each in refusal.groups[:100]]
            await self._audit.refused(
                self._db,
                Event.OIDC_LOGIN_FAILED,
                actor=anonymous(address),
                target=f"oidc_provider:{'unknown' if provider is None else provider.id}",
                reason=str(refusal.reason),
                details=details,
            )
            raise

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
            raise _changed_meanwhile(provider)
        return provider, waiting

    async def _identify(self, provider: UpstreamProvider, waiting: _Waiting, query: Mapping[str, str]) -> UpstreamIdentity:
        try:
            metadata, _ = await self._providers.keys_for(provider.issuer_url)
        except Unavailable as cause:
            raise SignOnRefused(RefusedSignOn.JWKS_UNREACHABLE, cause.detail) from cause
        _check_response(provider, metadata, query)
        tokens = await self._redeem(provider, metadata, query["code"], waiting.verifier)
        return await verify_id_token(
            provider,
            tokens.get("id_token"),
            self._providers,
            self._clock.now(),
            nonce=waiting.nonce,
            access_token=tokens.get("access_token"),
        )

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

    async def _accept(
        self,
        provider: UpstreamProvider,
        identity: UpstreamIdentity,
        return_to: str,
        address: str,
        user_agent: str,
        *,
        held_token: str,
        device_token: str | None,
    ) -> CompletedSignOn:
        groups = groups_at(identity.claims, provider.groups_claim_path)
        if groups is None:
            raise SignOnRefused(
                RefusedSignOn.GROUPS_MISSING,
                f"{provider.name} named no groups: the claim {provider.groups_claim_path} is missing, or no list of strings.",
                hint="Let the provider put the groups of people into the ID token.",
            )

        async def body(tx: Transaction) -> tuple[Account, str, Session, str] | SignOnRefused:
            await directory_store.lock_directory(tx)
            if await store.find_provider(tx, provider.id) != provider:
                return _changed_meanwhile(provider)
            roles = await self._roles_for(tx, provider, groups)
            account = await self._account(tx, provider, identity, create=bool(roles))
            if account is not None:
                await self._set_roles(tx, provider, account, roles)
            if not roles or account is None:
                return await self._unmapped(tx, provider, groups)
            status = account.status(now := self._clock.now())
            if not status.active:
                return SignOnRefused(RefusedSignOn.USER_DEACTIVATED, f"{account.name} may not sign in: {status.reason}.")
            await directory_store.lock_account(tx, account.id)
            await store.link_account(
                tx, issuer_url=provider.issuer_url, subject=identity.subject, account_id=account.id, groups=groups, at=now
            )
            session_token, session = await self._sessions.begin(
                tx,
                account,
                SessionKind.BROWSER,
                (METHOD,),
                address=address,
                user_agent=user_agent,
                held_token=held_token,
                authenticated_at=identity.authenticated_at,
            )
            await store.insert_session(tx, session.id, provider.id, identity.session_id)
            actor = account.as_actor(session_id=session.id, address=address)
            details = {"provider_id": provider.id, "roles": roles, "session": session.id}
            await self._audit.record(tx, Event.OIDC_LOGIN_SUCCEEDED, actor=actor, target=account.reference, details=details)
            device = "" if device_token is None else await self._devices.remember(tx, account.id, device_token, user_agent)
            return account, session_token, session, device

        outcome = await self._db.write(body)
        if isinstance(outcome, SignOnRefused):
            raise outcome
        account, session_token, session, device = outcome
        signed_in = await self._sessions.signed_in(account, session, address)
        return CompletedSignOn(CompletedSignIn(session_token, signed_in, device_token=device), return_to)

    @staticmethod
    async def _roles_for(tx: Transaction, provider: UpstreamProvider, groups: Sequence[str]) -> list[str]:
        mappings = await store.mappings_of(tx, provider.id)
        return sorted({each.role for each in mappings if each.group_name in groups})

    @staticmethod
    async def _unmapped(tx: Transaction, provider: UpstreamProvider, groups: Sequence[str]) -> SignOnRefused:
        mapped = [each.group_name for each in await store.mappings_of(tx, provider.id)]
        near = [(each, found) for each in groups if (found := nearest(each, mapped)) is not None]
        hint = f"The group {near[0][0]} is mapped as {near[0][1]}: every character counts." if near else ""
        seen = ", ".join(printable(each, 80) for each in groups[:20]) or "none"
        return SignOnRefused(
            RefusedSignOn.UNMAPPED_GROUPS,
            f"No role is assigned to any of your groups at {provider.name}: {seen}.",
            groups=tuple(groups),
            hint=hint or "Ask an administrator to give one of these groups a role.",
        )

    async def _account(
        self, tx: Transaction, provider: UpstreamProvider, identity: UpstreamIdentity, *, create: bool
    ) -> Account | None:
        account_id = await store.linked_account(tx, provider.issuer_url, identity.subject)
        found = None if account_id is None else await directory_store.account(tx, account_id)
        if found is not None or not create:
            return found
        person = await self._insert(tx, identity)
        actor = anonymous("")
        details = {"name": person.name, "provider_id": provider.id}
        await self._audit.record(tx, Event.PERSON_CREATED, actor=actor, target=person.reference, details=details)
        return person

    async def _insert(self, tx: Transaction, identity: UpstreamIdentity) -> Account:
        """A new account, under the name that the provider gives, or the next one that is free."""
        wished = name_from(identity.user_name)
        account_id, now = uuid4(self._entropy), self._clock.now()
        for number in range(_MOST_NAMES):
            name = wished if number == 0 else f"{wished[:56]}-{number + 1}"
            try:
                person = new_person(account_id, name, identity.display_name or name, (), now)
            except TextRefused:
                person = new_person(account_id, name, name, (), now)
            except NameRefused:
                continue
            try:
                await insert_person(tx, person)
            except NameTaken:
                continue
            return person
        person = new_person(account_id, f"p{account_id.replace('-', '')[:20]}", wished, (), now)
        await insert_person(tx, person)
        return person

    async def _set_roles(self, tx: Transaction, provider: UpstreamProvider, account: Account, roles: Sequence[str]) -> None:
        """Grant the roles that the groups give now, and delete those that they gave before; grants made by hand stay."""
        held = await store.grants_from(tx, account.id, provider.id)
        for role in set(held) - set(roles):
            await access_store.delete_grant(tx, held[role])
        for role in [each for each in roles if each not in held]:
            grant = RoleGrant(
                id=uuid4(self._entropy),
                role=role,
                account_id=account.id,
                source=store.source_of(provider.id),
                created_by="",
                created_at=self._clock.now(),
            )
            await access_store.insert_grant(tx, grant)


def name_from(text: str) -> str:
    """The account name made of the user name at the provider: the part before the @, in the characters that names have."""
    plain = re.sub(r"[^a-z0-9._-]+", "-", text.partition("@")[0].lower()).lstrip("0123456789._-").rstrip("-._")[:60]
    return plain or "person"


def _changed_meanwhile(provider: UpstreamProvider) -> SignOnRefused:
    return SignOnRefused(
        RefusedSignOn.PROVIDER_DISABLED,
        f"{provider.name} was changed, switched off or deleted meanwhile.",
        hint="Begin again from the sign-in page.",
    )


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
