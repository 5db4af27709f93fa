"""Which values may stand in a client's metadata. Pure; redirect URIs have a module of their own."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from sealwright.client_metadata.errors import ClientRefused
from sealwright.client_metadata.loopback import LONGEST_URI

SHORTEST_REFRESH_SECONDS = 60
LONGEST_REFRESH_SECONDS = 366 * 86_400
LONGEST_GRACE_SECONDS = 60
GRACE_SECONDS_OF_CONFIDENTIAL = 10
LONGEST_DISPLAY_NAME = 200
MOST_URIS = 200
LARGEST_IMAGE = 256 * 1024
"""Bytes."""

_GRANT_TYPE = re.compile(r"[a-z][a-z0-9:._-]{0,99}")
_SUBJECT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_GROUP_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,127}")
_CLIENT_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


def is_client_name(text: str) -> bool:
    """True where `text` has the form of a client's name; anything else is not a client and is not looked up."""
    return _CLIENT_NAME.fullmatch(text) is not None


def require_client_name(name: str, _client: object = None) -> None:
    """Raise ClientRefused unless `name` can be a client's name: it is its `client_id` and a part of its issuer URL."""
    if not is_client_name(name):
        raise ClientRefused(
            f"{name[:80]!r} cannot be the name of a client.",
            reasons=("it is the client_id and a part of the issuer URL",),
            hint="Use 1 to 64 of a-z, 0-9, '-', '_' and '.', beginning with a letter or digit.",
        )


def require_display_name(text: str, _client: object = None) -> None:
    """Raise ClientRefused unless `text` can be shown as an application's name."""
    if not 0 < len(text.strip()) <= LONGEST_DISPLAY_NAME or not text.isprintable():
        raise ClientRefused(
            f"{text[:80]!r} cannot be shown as a name.", hint=f"Use 1 to {LONGEST_DISPLAY_NAME} printable characters."
        )


def require_pkce_of_public(required: bool, client: Any) -> None:
    """Raise ClientRefused where a public client would do without PKCE."""
    if client.is_public and not required:
        raise ClientRefused(
            f"{client.name} is a public client and must use PKCE.",
            reasons=("without a secret, PKCE alone keeps a stolen code from being used",),
        )


def require_consent_of_public(asks: bool, client: Any) -> None:
    """Raise ClientRefused where a public client would be let in without asking the person."""
    if client.is_public and not asks:
        raise ClientRefused(
            f"{client.name} is a public client, so people are asked for consent.",
            reasons=("any program could pose as a public client",),
        )


def require_one_binding(bound: bool, client: Any) -> None:
    """Raise ClientRefused where tokens would be bound to a certificate and to a key of DPoP proofs at once."""
    if bound and client.dpop_bound_access_tokens and client.tls_client_certificate_bound_access_tokens:
        raise ClientRefused(
            f"Access tokens of {client.name} would be bound to its certificate and to the key of its DPoP proofs.",
            reasons=("a token is bound to one key, so that anyone who takes it knows which to ask for",),
            hint=f"Choose one: disable-certificate-bound-tokens or disable-dpop-bound-tokens {client.name}.",
        )


def require_resource(url: str, _client: object = None) -> None:
    """Raise ClientRefused unless `url` can name another server in a request for tokens (RFC 8707, section 2)."""
    try:
        sound = bool(urlsplit(url).scheme) and "#" not in url
    except ValueError:
        sound = False
    if not sound or not url.isascii() or not url.isprintable() or " " in url or len(url) > LONGEST_URI:
        raise ClientRefused(
            f"{url[:200]!r} is not a resource.",
            reasons=("it is an absolute URI without a fragment (RFC 8707, section 2)",),
            hint="Give it exactly as applications send it, such as https://api.example.org/.",
        )


def require_subject_id(text: str, _client: object = None) -> None:
    """Raise ClientRefused unless `text` can be the `sub` of a client or an account."""
    if _SUBJECT_ID.fullmatch(text) is None:
        raise ClientRefused(
            f"{text[:80]!r} cannot be the sub of a client or an account.",
            reasons=("it is an identifier, such as 0b9c8a52-3a55-4a36-9d35-6f0a2f0d1c11, and no name",),
            hint="Its tokens say it, and service-account get shows that of a service account.",
        )


def require_group_name(name: str, _client: object = None) -> None:
    """Raise ClientRefused unless `name` can be the name of a group."""
    if _GROUP_NAME.fullmatch(name) is None:
        raise ClientRefused(
            f"{name[:80]!r} cannot be the name of a group.",
            hint="Give the name alone, such as operators.",
        )


def require_details_type(text: str, _client: object = None) -> None:
    """Raise ClientRefused unless `text` can be a type of authorization_details."""
    if not 0 < len(text) <= LONGEST_DISPLAY_NAME or not text.isprintable():
        raise ClientRefused(
            f"{text[:80]!r} is not a type of authorization_details.",
            hint=f"Use 1 to {LONGEST_DISPLAY_NAME} printable characters.",
        )


def require_refresh_seconds(seconds: int, _client: object = None) -> None:
    """Raise ClientRefused unless a refresh token may last so long."""
    if not SHORTEST_REFRESH_SECONDS <= seconds <= LONGEST_REFRESH_SECONDS:
        raise ClientRefused(
            f"{seconds} seconds is not a lifetime for a refresh token.", hint="Give 60 seconds to 366 days, in seconds."
        )


def require_grace_seconds(seconds: int, _client: object = None) -> None:
    """Raise ClientRefused unless a used refresh token may be answered so long."""
    if not 0 <= seconds <= LONGEST_GRACE_SECONDS:
        raise ClientRefused(
            f"{seconds} seconds is not a grace for a used refresh token.",
            reasons=("a stolen refresh token goes unnoticed for as long as the grace lasts",),
            hint=f"Give 0 to {LONGEST_GRACE_SECONDS} seconds.",
        )


def usual_grace_seconds(client: Any, _defaults: object = None) -> int:
    """A confidential client's refresh token is of no use to a thief without the secret; a public client's is."""
    return 0 if client.is_public else GRACE_SECONDS_OF_CONFIDENTIAL


def require_grant_type(text: str, _client: object = None) -> None:
    """Raise ClientRefused where a text is not a name of a grant type."""
    if _GRANT_TYPE.fullmatch(text) is None:
        raise ClientRefused(f"{text[:100]!r} is not a grant type.", hint="Give one such as client_credentials.")
