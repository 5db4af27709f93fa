"""Pure decisions of logout: whether to ask first, where the browser goes on to, what is loaded, when to try again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sealwright.client_metadata import has_origin_of_redirect, has_permitted_scheme
from sealwright.clock import Instant, after, to_seconds
from sealwright.oauth.logout.models import LogoutRequest
from sealwright.oauth.models import Client
from sealwright.oauth.redirects import with_parameters

LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
LOGOUT_TOKEN_TYPE = "logout+jwt"  # noqa: S105 - a media type
LOGOUT_TOKEN_LASTS = timedelta(minutes=2)
DELIVERED_WITHIN = timedelta(hours=24)
"""After that no logout token is sent any more: its own session will have ended."""
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(minutes=15)


def is_proven(request: LogoutRequest, session_id: str) -> bool:
    """True where the application has shown an ID token of this session, so that the person need not be asked."""
    return bool(request.session_id) and request.session_id == session_id


def may_return_to(client: Client, uri: str) -> bool:
    """True where the browser may be sent to `uri` after a logout that the client asked for: judged anew at each use."""
    return uri in client.post_logout_redirect_uris and has_permitted_scheme(uri, client)


def backchannel_url(client: Client) -> str:
    """Where logout tokens of the client are sent; empty where it has no such URL, or one that is no longer allowed."""
    url = client.backchannel_logout_uri or ""
    return url if has_permitted_scheme(url, client) else ""


def is_told_in_frame(client: Client) -> bool:
    """True where the browser loads a frame for the client: its address may be of a redirect URL that was removed since."""
    url = client.frontchannel_logout_uri or ""
    return bool(url) and has_permitted_scheme(url, client) and has_origin_of_redirect(url, client)


def frame_url(client: Client, issuer_url: str, session_id: str) -> str:
    """What the browser loads for a client (OpenID Connect Front-Channel Logout, section 2)."""
    url = client.frontchannel_logout_uri or ""
    if not client.frontchannel_logout_session_required:
        return url
    return with_parameters(url, (("iss", issuer_url), ("sid", session_id)))


def logout_token_claims(
    issuer_url: str, client: Client, *, account_id: str, session_id: str, token_id: str, now: Instant
) -> dict[str, Any]:
    """The claims of a logout token (OpenID Connect Back-Channel Logout, section 2.4); never a nonce."""
    return {
        "iss": issuer_url,
        "sub": account_id,
        "aud": client.name,
        "iat": to_seconds(now),
        "exp": to_seconds(after(now, LOGOUT_TOKEN_LASTS)),
        "jti": token_id,
        "events": {LOGOUT_EVENT: {}},
        "sid": session_id,
    }


def next_try(now: Instant, tries: int, expires_at: Instant) -> Instant:
    """When a delivery is tried again that failed `tries` times: ever later, and once more at its end."""
    pause = min(FIRST_PAUSE * 2 ** min(tries - 1, 10), LONGEST_PAUSE)
    return min(after(now, pause), expires_at)
