"""Authenticates clients at every endpoint that they call by themselves, by one rule and one budget of failures."""

from __future__ import annotations

import hmac

from sealwright.access import anonymous
from sealwright.audit import Event
from sealwright.ca import ClientCertificates
from sealwright.client_metadata import CERTIFICATE_METHODS, is_client_name
from sealwright.ip import network_of
from sealwright.keys import Sealer
from sealwright.oauth.client_authentication.assertions import ClientAssertions
from sealwright.oauth.client_authentication.certificates import CertificateProof
from sealwright.oauth.client_authentication.credentials import PresentedCredentials, read_credentials
from sealwright.oauth.client_authentication.errors import NotProven
from sealwright.oauth.client_authentication.key_sets import ClientKeySets
from sealwright.oauth.clients import store as client_store
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.digests import digest_of
from sealwright.oauth.errors import ClientNotAuthenticated, MalformedTokenRequest, TokenRequestRefused
from sealwright.oauth.models import Client
from sealwright.oauth.token_request import TokenRequest

_NO_SECRET = bytes(32)
_ASSERTION_METHODS = ("private_key_jwt", "client_secret_jwt")
_UNREADABLE = "the client's credentials cannot be read"
_NOT_AUTHENTICATED = "The client is unknown, or did not prove itself in the way that is registered for it."


class ClientAuthentication:
    """One client, proven in the way that is registered for it and in no other."""

    def __init__(
        self, dependencies: OAuthDependencies, *, certificates: ClientCertificates, key_sets: ClientKeySets, sealer: Sealer
    ) -> None:
        self._db = dependencies.db
        self._clock = dependencies.clock
        self._audit = dependencies.audit
        self._failures = dependencies.budgets.token_failures_by_client
        self._assertions = ClientAssertions(dependencies, key_sets=key_sets, sealer=sealer)
        self._certificates = CertificateProof(certificates, key_sets, dependencies.clock)

    async def authenticate(self, request: TokenRequest) -> Client:
        """The client that sends the request. Why a client was refused is in the audit record, not in the response."""
        try:
            presented = read_credentials(request.headers.get("authorization"), request.form)
        except TokenRequestRefused as refusal:
            await self._record(request, None, request.form.get("client_id", ""), _UNREADABLE, refusal.detail)
            raise
        nameable = is_client_name(presented.name)
        party = (presented.name if nameable else "", network_of(request.peer.address))
        self._failures.require(*party)
        client = await client_store.client_named(self._db, presented.name) if nameable else None
        try:
            await self._require_proof(client, presented, request)
        except NotProven as why:
            self._failures.spend(*party)
            await self._record(request, client, presented.name if nameable else "", why.kind, why.detail)
            raise ClientNotAuthenticated(_NOT_AUTHENTICATED) from why
        except MalformedTokenRequest as refusal:
            await self._record(request, client, presented.name, "the client authenticates in two ways", refusal.detail)
            raise
        if client is None:
            raise ClientNotAuthenticated(_NOT_AUTHENTICATED)
        return client

    async def _require_proof(self, client: Client | None, presented: PresentedCredentials, request: TokenRequest) -> None:
        if client is None:
            raise NotProven("there is no such client")
        methods = client.authentication_methods
        if presented.assertion is not None:
            method = methods[0]
            if method not in _ASSERTION_METHODS:
                _require_one_method(method)
                raise NotProven(f"the client sent an assertion, and is registered for {' or '.join(methods)}")
            await self._assertions.use(client, presented.assertion, method)
        elif methods[0] in CERTIFICATE_METHODS:
            if presented.secret is not None or presented.in_header:
                _require_one_method(methods[0])
            await self._certificates.require(client, request.peer, methods[0])
        elif not client.is_public:  # whatever secret a public client sends means nothing
            self._require_secret(client, presented)

    def _require_secret(self, client: Client, presented: PresentedCredentials) -> None:
        methods = client.authentication_methods
        if methods[0] in _ASSERTION_METHODS:
            raise NotProven(f"the client sent no assertion, and is registered for {methods[0]}")
        expected = client.secret_digests(self._clock.now())
        given = digest_of(presented.secret or "")
        proven = any(hmac.compare_digest(given, digest) for digest in expected or (_NO_SECRET,))
        if not proven:
            raise NotProven("the client's secret was missing or wrong")
        if presented.secret_method not in methods:
            raise NotProven(f"the client used {presented.secret_method}, and is registered for {methods[0]}")

    async def _record(self, request: TokenRequest, client: Client | None, name: str, kind: str, reason: str) -> None:
        address = request.peer.address
        await self._audit.refused(
            self._db,
            Event.TOKEN_REFUSED,
            actor=anonymous(address),
            target="client:unknown" if client is None else f"client:{client.id}",
            reason=kind,
            details={"client": name[:64], "address": address, "reason": reason},
        )


def _require_one_method(registered: str) -> None:
    """A client that is proven by its certificate proves itself in no other way beside it (RFC 6749, section 2.3)."""
    if registered in CERTIFICATE_METHODS:
        raise MalformedTokenRequest(f"The client authenticates by {registered} and in another way; use that one alone.")
