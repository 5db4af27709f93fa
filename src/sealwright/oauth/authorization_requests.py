"""Authorization requests on their way in: from whom, where the response goes, and what is asked for.

A request comes in the address, as a signed object in it, or pushed before; each is judged by the same rules.
"""

from __future__ import annotations

from typing import NamedTuple

from sealwright.access import anonymous
from sealwright.audit import Event
from sealwright.client_metadata import is_client_name
from sealwright.jose import JWT, TokenRefused, optional_text, require_audience, require_issuer, verification_keys, verify
from sealwright.keys import Custody
from sealwright.oauth import redirects
from sealwright.oauth.client_authentication.key_sets import ClientKeySets
from sealwright.oauth.clients import store as client_store
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.digests import digest_of
from sealwright.oauth.errors import AuthorizationRefused, UnprovenRequest
from sealwright.oauth.grants.registered import AUTHORIZATION_CODE, why_not_registered
from sealwright.oauth.issuers.addresses import issuer_url_of, key_owner_of
from sealwright.oauth.models import AuthorizationRequest, Client
from sealwright.oauth.parameters import Parameters, read_request
from sealwright.oauth.pushed.requests import REQUEST_URI, PushedRequests
from sealwright.oauth.request_objects import RequestObjects


class ProvenRequest(NamedTuple):
    """A request of a known client, with a redirect URI of that client."""

    client: Client
    redirect_uri: str
    parameters: Parameters
    """The effective ones: of a signed or pushed request, those in it."""
    pushed: bytes | None = None
    """The digest of the handle with which it was pushed."""
    is_signed: bool = False
    refusal: AuthorizationRefused | None = None
    """Set where the client may not send its requests in this way."""


class AuthorizationRequests:
    """Reads the requests of every client."""

    def __init__(
        self, dependencies: OAuthDependencies, *, custody: Custody, pushed: PushedRequests, key_sets: ClientKeySets
    ) -> None:
        self._db = dependencies.db
        self._audit = dependencies.audit
        self._origin = dependencies.origin
        self._custody = custody
        self._pushed = pushed
        self._objects = RequestObjects(dependencies, key_sets)

    async def prove(self, parameters: Parameters, address: str) -> ProvenRequest:
        """The request, a pushed or signed one opened; raises UnprovenRequest where client or redirect URI are not proven."""
        client = await self._proven_client(parameters)
        handle = parameters.single("request_uri") or ""
        if handle.startswith(REQUEST_URI):
            return await self._proven_pushed(client, handle, address)
        proven = await self.prove_of(client, parameters, address)
        if proven.refusal is None and client.require_pushed_authorization_requests:
            command = f"sealwright system oauth2 disable-pushed-requests-only {client.name}"
            detail = f"{client.name} must push its authorization requests (RFC 9126). To take others as well: {command}"
            return proven._replace(refusal=AuthorizationRefused("invalid_request", detail))
        return proven

    async def prove_of(self, client: Client, parameters: Parameters, address: str) -> ProvenRequest:
        """The same for a client that is known already; also for a request that is being pushed."""
        refusal, is_signed, effective = None, False, parameters
        signed = parameters.single("request")
        if signed is not None:
            try:
                effective, is_signed = await self._objects.open(signed, client), True
            except AuthorizationRefused as refused:
                refusal = refused
        elif client.require_signed_request_object:
            refusal = AuthorizationRefused("invalid_request", f"{client.name} must sign its authorization requests (RFC 9101).")
        redirect_uri = await self._proven_redirect_uri(effective, client, address)
        return ProvenRequest(client, redirect_uri, effective, None, is_signed, refusal)

    async def _proven_pushed(self, client: Client, handle: str, address: str) -> ProvenRequest:
        found = await self._pushed.find(client, handle)
        if found is None:
            raise UnprovenRequest(
                f"The request of {client.display_name} is no longer here.",
                reasons=("its request_uri is unknown, used, too old, or another application's",),
                hint=f"Go back to {client.display_name} and begin again from there.",
            )
        redirect_uri = await self._proven_redirect_uri(found.parameters, client, address)
        return ProvenRequest(client, redirect_uri, found.parameters, digest_of(handle), found.is_signed)

    async def read(self, proven: ProvenRequest) -> AuthorizationRequest:
        """What the request asks for; raises AuthorizationRefused."""
        if proven.refusal is not None:
            raise proven.refusal
        unregistered = why_not_registered(proven.client, AUTHORIZATION_CODE)
        if unregistered:
            raise AuthorizationRefused("unauthorized_client", unregistered)
        hinted = await self._hinted_subject(proven.parameters, proven.client)
        return read_request(proven.parameters, proven.client, proven.redirect_uri, hinted, pushed=proven.pushed)

    async def _proven_client(self, parameters: Parameters) -> Client:
        name = parameters.single("client_id")
        if name is None:
            raise UnprovenRequest(
                f"The request {_says('client_id', parameters)} which application it comes from.",
                reasons=("client_id must be given once",),
            )
        client = await client_store.client_named(self._db, name) if is_client_name(name) else None
        if client is None:
            raise UnprovenRequest(
                f"No application is registered here as {name[:80]!r}.",
                hint="Tell the people who run the application that its client_id is wrong.",
            )
        return client

    async def _proven_redirect_uri(self, parameters: Parameters, client: Client, address: str) -> str:
        uri = parameters.single("redirect_uri")
        if uri is None:
            raise UnprovenRequest(
                f"{client.display_name} {_says('redirect_uri', parameters)} where its answer goes.",
                reasons=("redirect_uri must be given once",),
            )
        if not redirects.is_allowed(client, uri):
            reason = "the redirect URI is not registered"
            await self._audit.refused(
                self._db,
                Event.AUTHORIZATION_REQUESTED,
                actor=anonymous(address),
                target=f"client:{client.id}",
                reason=reason,
                details={"client": client.name, "redirect_uri": uri[:300], "reasons": [reason]},
            )
            raise UnprovenRequest(
                f"{client.display_name} asks for its answer at {uri[:300]!r}, which is not registered for it.",
                reasons=("a redirect URI must be registered exactly as the application sends it",),
                hint=f"Do not go on if a link brought you here. Else tell the people who run {client.display_name}.",
            )
        return uri

    async def _hinted_subject(self, parameters: Parameters, client: Client) -> str | None:
        hint = parameters.single("id_token_hint")
        if hint is None:
            return None
        records = await self._custody.public_keys(*key_owner_of(client))
        try:
            algorithms = frozenset(record.algorithm for record in records)
            found = verify(hint, verification_keys(*records), typ=JWT, algorithms=algorithms)
            require_issuer(found.claims, issuer_url_of(self._origin, client))
            require_audience(found.claims, client.name)
            return optional_text(found.claims, "sub") or None
        except TokenRefused as cause:
            raise AuthorizationRefused("invalid_request", "The id_token_hint is not an ID token of this issuer.") from cause


def _says(name: str, parameters: Parameters) -> str:
    return "says more than once" if name in parameters.repeated else "does not say"
