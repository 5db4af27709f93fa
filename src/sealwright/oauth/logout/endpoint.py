"""RP-initiated logout: what an application asks for is proven, kept by a handle, and done once the person is there.

The request may come by a form of another site, which comes without cookies. So it is checked first, and the browser is sent on
to a page of ours with a handle, where the session is known.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from sealwright.client_metadata import is_client_name
from sealwright.clock import Instant, after
from sealwright.jose import (
    JWT,
    TokenRefused,
    UnverifiedToken,
    audiences,
    optional_text,
    require_issuer,
    verification_keys,
    verify,
)
from sealwright.keys import Custody, SealedHandles, Sealer
from sealwright.oauth import redirects
from sealwright.oauth.clients import store as client_store
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.errors import LogoutRefused, RequestGone
from sealwright.oauth.issuers.addresses import issuer_url_of, key_owner_of
from sealwright.oauth.logout import policy, store
from sealwright.oauth.logout.models import AfterLogout, LogoutRequest, PendingLogout, SignedOut
from sealwright.oauth.models import Client
from sealwright.oauth.parameters import Parameters

LOGOUT_LASTS = timedelta(minutes=10)
LONGEST_LOGOUT_STATE = 2_048
_encode = msgspec.msgpack.Encoder().encode


class LogoutEndpoint:
    """Logout requests of every client, and what the browser does after one."""

    def __init__(self, dependencies: OAuthDependencies, *, custody: Custody, sealer: Sealer) -> None:
        self._db = dependencies.db
        self._clock = dependencies.clock
        self._origin = dependencies.origin
        self._custody = custody
        clock, entropy = dependencies.clock, dependencies.entropy
        self._requests = SealedHandles(sealer, clock, entropy, purpose="logout request")
        self._ends = SealedHandles(sealer, clock, entropy, purpose="after logout")

    async def begin(self, query_text: str) -> str:
        """Check a logout request; returns its handle. Raises LogoutRefused, which is shown and never redirected."""
        parameters = Parameters.read(query_text)
        if parameters.repeated:
            raise LogoutRefused(f"The parameter {min(parameters.repeated)[:64]!r} is given more than once.")
        client, session_id = await self._hinted(parameters.single("id_token_hint"))
        client = await self._named(parameters.single("client_id"), client)
        state = parameters.single("state")
        if state is not None and len(state.encode()) > LONGEST_LOGOUT_STATE:
            raise LogoutRefused(f"The state has {len(state.encode())} bytes; at most {LONGEST_LOGOUT_STATE} can be sent back.")
        request = LogoutRequest(
            expires_at=after(self._clock.now(), LOGOUT_LASTS),
            client_id="" if client is None else client.id,
            redirect_uri=_proven_redirect_uri(parameters.single("post_logout_redirect_uri"), client),
            state=state,
            session_id=session_id,
        )
        return self._requests.seal(_encode(request))

    async def pending(self, handle: str) -> PendingLogout:
        """The request behind a handle; raises RequestGone."""
        request = _held(self._requests.open(handle), LogoutRequest, self._clock.now())
        client = await client_store.client_with_id(self._db, request.client_id) if request.client_id else None
        if request.redirect_uri and (client is None or not policy.may_return_to(client, request.redirect_uri)):
            raise _gone()  # taken away meanwhile
        return PendingLogout(request, client)

    def is_proven(self, pending: PendingLogout, session_id: str) -> bool:
        """True where the application has shown an ID token of this session, so that the person need not be asked."""
        return policy.is_proven(pending.request, session_id)

    def after(self, session_id: str, pending: PendingLogout | None = None) -> str:
        """A handle for the page that comes after a logout. `session_id`: the session that ended; empty where there was none."""
        location, client_id = "", ""
        if pending is not None:
            client_id = pending.request.client_id
            if pending.request.redirect_uri:
                location = redirects.with_parameters(pending.request.redirect_uri, (("state", pending.request.state),))
        expires_at = after(self._clock.now(), LOGOUT_LASTS)
        return self._ends.seal(_encode(AfterLogout(expires_at, session_id, client_id, location)))

    async def signed_out(self, handle: str) -> SignedOut:
        """What that page shows; raises RequestGone."""
        end = _held(self._ends.open(handle), AfterLogout, self._clock.now())
        client = await client_store.client_with_id(self._db, end.client_id) if end.client_id else None
        frames = (
            ()
            if not end.session_id
            else tuple(
                policy.frame_url(each, issuer_url_of(self._origin, each), end.session_id)
                for each in await store.clients_of_session(self._db, end.session_id)
                if policy.is_told_in_frame(each)
            )
        )
        return SignedOut(frames, end.location, "" if client is None else client.display_name)

    async def _hinted(self, hint: str | None) -> tuple[Client | None, str]:
        """The client that an ID token was made for, and its session. An expired token is accepted, as the standard asks."""
        if hint is None:
            return None, ""
        try:
            unverified = UnverifiedToken(hint)
            names = [name for name in audiences(unverified.claims()) if is_client_name(name)]
            client = await client_store.client_named(self._db, names[0]) if names else None
            if client is None:
                raise _bad_hint()
            records = await self._custody.public_keys(*key_owner_of(client))
            algorithms = frozenset(record.algorithm for record in records)
            found = verify(unverified, verification_keys(*records), typ=JWT, algorithms=algorithms)
            require_issuer(found.claims, issuer_url_of(self._origin, client))
            return client, optional_text(found.claims, "sid") or ""
        except TokenRefused as cause:
            raise _bad_hint() from cause

    async def _named(self, name: str | None, hinted: Client | None) -> Client | None:
        if name is None:
            return hinted
        if hinted is not None:
            if hinted.name != name:
                raise LogoutRefused(f"The client_id {name[:80]!r} is not that of the id_token_hint.")
            return hinted
        client = await client_store.client_named(self._db, name) if is_client_name(name) else None
        if client is None:
            raise LogoutRefused(f"No application is registered here as {name[:80]!r}.")
        return client


def _proven_redirect_uri(uri: str | None, client: Client | None) -> str:
    """The address to come back to, where it is registered for the client exactly so; empty where none is asked for."""
    if uri is None:
        return ""
    if client is None:
        raise LogoutRefused(
            "The application asks to have you sent back, but the request does not say which application it is.",
            reasons=("a post_logout_redirect_uri needs an id_token_hint or a client_id",),
        )
    if not policy.may_return_to(client, uri):
        raise LogoutRefused(
            f"{client.display_name} asks to have you sent to {uri[:300]!r}, which is not registered for it.",
            reasons=("a post-logout redirect URI must be registered exactly as the application sends it",),
        )
    return uri


def _held(content: bytes | None, kind: type[Any], now: Instant) -> Any:
    """What a handle holds, where it is in time; raises RequestGone."""
    try:
        held = None if content is None else msgspec.msgpack.decode(content, type=kind)
    except msgspec.MsgspecError:  # sealed by another version of this program
        held = None
    if held is None or held.expires_at <= now:
        raise _gone()
    return held


def _bad_hint() -> LogoutRefused:
    return LogoutRefused(
        "The request does not come with an ID token of this server.",
        reasons=("the id_token_hint is not an ID token that was issued here",),
    )


def _gone() -> RequestGone:
    return RequestGone(
        "This request to sign out is no longer open.",
        reasons=("it waited too long, or its address is not complete",),
        hint="Sign out from the application again, or under your account here.",
    )
