"""The URLs of issuers, and the key sets behind them. Pure.

A client has an issuer of its own, unless it was put on one that it shares with others.
"""

from __future__ import annotations

from typing import NamedTuple

from sealwright.keys import Purpose
from sealwright.oauth.issuers.models import SharedIssuer
from sealwright.oauth.models import Client

OWN_ISSUER_PATH = "/oauth2/openid/"
SHARED_ISSUER_PATH = "/oauth2/issuers/"
CONFIGURATION_PATH = "/.well-known/openid-configuration"
AUTHORIZATION_PATH = "/oauth2/authorise"
TOKEN_PATH = "/oauth2/token"  # noqa: S105 - an address
PUSH_PATH = "/oauth2/par"
DEVICE_PATH = "/oauth2/device"
INTROSPECTION_PATH = "/oauth2/token/introspect"
REVOCATION_PATH = "/oauth2/token/revoke"
LOGOUT_PATH = "/oauth2/logout"
USERINFO_PATH = "/userinfo"
KEYS_PATH = "/public_key.jwk"
ROOT_TOKEN_PATH = "/token"  # noqa: S105 - an address
ROOT_INTROSPECTION_PATH = "/token/introspection"
ROOT_REVOCATION_PATH = "/token/revocation"
ROOT_KEYS_PATH = "/jwks"
REGISTRATION_PATH = "/reg"


class KeyOwner(NamedTuple):
    """What signing keys belong to."""

    purpose: Purpose
    id: str


class IssuerAddresses(NamedTuple):
    """Where an issuer and its endpoints are."""

    issuer: str
    configuration: str
    token: str
    introspection: str
    revocation: str
    userinfo: str
    keys: str


def issuer_url_of(origin: str, client: Client) -> str:
    """The issuer of a client, without a slash at the end; `origin`: of the listener for people."""
    return issuer_url_named(origin, client.name, client.issuer)


def issuer_url_named(origin: str, client_name: str, issuer: SharedIssuer | None) -> str:
    """The same by a client's name and the issuer that it shares, if any."""
    return f"{origin}{OWN_ISSUER_PATH}{client_name}" if issuer is None else shared_issuer_url(origin, issuer)


def shared_issuer_url(origin: str, issuer: SharedIssuer) -> str:
    """The URL of an issuer that clients share."""
    return origin if issuer.is_root else f"{origin}{SHARED_ISSUER_PATH}{issuer.name}"


def configuration_url_of(issuer_url: str) -> str:
    """Where an issuer's metadata is."""
    return issuer_url + CONFIGURATION_PATH


def addresses_of(origin: str, issuer_url: str) -> IssuerAddresses:
    """Where an issuer is, with its endpoints: the root issuer has short addresses for what its clients call."""
    is_root = issuer_url == origin
    return IssuerAddresses(
        issuer=issuer_url,
        configuration=configuration_url_of(issuer_url),
        token=origin + (ROOT_TOKEN_PATH if is_root else TOKEN_PATH),
        introspection=origin + (ROOT_INTROSPECTION_PATH if is_root else INTROSPECTION_PATH),
        revocation=origin + (ROOT_REVOCATION_PATH if is_root else REVOCATION_PATH),
        userinfo=issuer_url + USERINFO_PATH,
        keys=issuer_url + (ROOT_KEYS_PATH if is_root else KEYS_PATH),
    )


def key_owner_of(client: Client) -> KeyOwner:
    """Whose keys sign a client's tokens: its own, or those of the issuer that it shares."""
    return KeyOwner(Purpose.OAUTH_CLIENT, client.id) if client.issuer is None else key_owner_of_shared(client.issuer)


def key_owner_of_shared(issuer: SharedIssuer) -> KeyOwner:
    """The owner of the keys of an issuer that clients share."""
    return KeyOwner(Purpose.OAUTH_ISSUER, issuer.id)


def own_issuer_in(origin: str, configuration_endpoint: str) -> tuple[str, str] | None:
    """The issuer of this server that a URL names, its own or that of its metadata; None for another provider's.

    Returns the name of the client whose issuer it is and the name of the shared issuer: one of them is empty, for the root issuer
    both are.
    """
    issuer_url = configuration_endpoint.removesuffix(CONFIGURATION_PATH).removesuffix("/")
    if issuer_url == origin:
        return "", ""
    for path, is_shared in ((OWN_ISSUER_PATH, False), (SHARED_ISSUER_PATH, True)):
        if issuer_url.startswith(origin + path):
            name = issuer_url.removeprefix(origin + path)
            return ("", name) if is_shared else (name, "")
    return None


def client_name_in(origin: str, configuration_endpoint: str) -> str | None:
    """The name of the client whose own issuer the URL names; empty for a shared issuer, None for another provider's."""
    meant = own_issuer_in(origin, configuration_endpoint)
    return None if meant is None else meant[0]
