"""Which client sends a request, and whether it has proven so (RFC 6749, section 2.3)."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from sealwright.access import anonymous
from sealwright.audit import Event
from sealwright.client_metadata import is_client_name
from sealwright.ip import network_of
from sealwright.oauth.clients import store as client_store
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.digests import digest_of
from sealwright.oauth.errors import ClientNotAuthenticated, MalformedTokenRequest
from sealwright.oauth.models import Client
from sealwright.oauth.token_request import TokenRequest

_NO_SECRET = bytes(32)


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """What a request says of its client. An empty secret counts as none: `step` always sends one."""

    name: str
    secret: str | None = field(repr=False)


class ClientAuthentication:
    """Authenticates clients at the token, introspection and revocation endpoints, by one rule and one budget of failures."""

    def __init__(self, dependencies: OAuthDependencies) -> None:
        self._db = dependencies.db
        self._clock = dependencies.clock
        self._audit = dependencies.audit
        self._failures = dependencies.budgets.token_failures_by_client

    async def authenticate(self, request: TokenRequest) -> Client:
        """The client that sends the request. Unknown clients and wrong secrets get the same error."""
        credentials, address = read_credentials(request.headers.get("authorization"), request.form), request.peer.address
        nameable = is_client_name(credentials.name)
        party = (credentials.name if nameable else "", network_of(address))
        self._failures.require(*party)
        client = await client_store.client_named(self._db, credentials.name) if nameable else None
        if client is not None and client.is_public:
            return client  # whatever secret it sends means nothing
        expected = () if client is None else client.secret_digests(self._clock.now())
        given = digest_of(credentials.secret or "")
        proven = any(hmac.compare_digest(given, digest) for digest in expected or (_NO_SECRET,))
        if client is None or not proven:
            self._failures.spend(*party)
            if client is not None:
                await self._record(client, address)
            raise ClientNotAuthenticated("The client is unknown, or its secret is missing or wrong.")
        return client

    async def _record(self, client: Client, address: str) -> None:
        reason = "the client's secret was missing or wrong"
        await self._audit.refused(
            self._db,
            Event.TOKEN_REFUSED,
            actor=anonymous(address),
            target=f"client:{client.id}",
            reason=reason,
            details={"client": client.name, "address": address, "reason": reason},
        )


def read_credentials(authorization: str | None, form: Mapping[str, str]) -> ClientCredentials:
    """The client's name and secret, from the one place that gives them; more than one mechanism is refused."""
    if form.get("client_assertion") or form.get("client_assertion_type"):
        raise ClientNotAuthenticated("Client assertions are not supported; use client_secret_basic or client_secret_post.")
    in_form = ClientCredentials(form.get("client_id", ""), form.get("client_secret") or None)
    if authorization is None:
        if not in_form.name:
            raise MalformedTokenRequest("The parameter 'client_id' is missing.")
        return in_form
    in_header = _read_basic(authorization)
    if in_header.secret is not None and in_form.secret is not None:
        raise MalformedTokenRequest("The client authenticates in the Authorization header and in the body; use one of them.")
    if in_form.name and in_form.name != in_header.name:
        raise MalformedTokenRequest("The Authorization header and the body name different clients.")
    return ClientCredentials(in_header.name, in_header.secret or in_form.secret)


def _read_basic(authorization: str) -> ClientCredentials:
    """Name and secret of a Basic header; both are form-encoded within (RFC 6749, section 2.3.1)."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise ClientNotAuthenticated("The Authorization header does not use the Basic scheme.")
    try:
        name, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError) as cause:
        raise ClientNotAuthenticated("The Authorization header cannot be read.") from cause
    if not colon:
        raise ClientNotAuthenticated("The Authorization header cannot be read.")
    return ClientCredentials(unquote_plus(name), unquote_plus(secret) or None)
