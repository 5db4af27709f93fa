"""The pushed authorization request endpoint (RFC 9126): a client sends a request by itself, and learns at once if it is wrong."""

from __future__ import annotations

from typing import Any

from sealwright.budgets import Budget
from sealwright.ip import network_of
from sealwright.oauth.authorization_requests import AuthorizationRequests
from sealwright.oauth.client_authentication import ClientAuthentication
from sealwright.oauth.confirmations import Confirmations
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.errors import AuthorizationRefused, DpopProofRefused, UnprovenRequest
from sealwright.oauth.models import Client
from sealwright.oauth.parameters import Parameters, state_of
from sealwright.oauth.pending import PendingRequests
from sealwright.oauth.pushed.requests import PushedRequests, pushed_response
from sealwright.oauth.refused_requests import recorded_requests
from sealwright.oauth.token_request import TokenRequest


class PushEndpoint:
    """Judges a request as the authorization endpoint does, and keeps it."""

    def __init__(
        self,
        dependencies: OAuthDependencies,
        *,
        clients: ClientAuthentication,
        incoming: AuthorizationRequests,
        requests: PendingRequests,
        pushed: PushedRequests,
        confirmations: Confirmations,
        requests_by_network: Budget,
    ) -> None:
        self._dependencies = dependencies
        self._requests_by_network = requests_by_network
        self._confirmations = confirmations
        self._clients = clients
        self._incoming = incoming
        self._requests = requests
        self._pushed = pushed

    async def respond(self, request: TokenRequest) -> dict[str, Any]:
        """The handle of the request; raises TokenRequestRefused, or AuthorizationRefused with what is wrong."""
        client = await self._clients.authenticate(request)
        async with recorded_requests(self._dependencies, client, request):
            return await self._pushed_request(client, request)

    async def _pushed_request(self, client: Client, request: TokenRequest) -> dict[str, Any]:
        if client.is_public:  # it has proven nothing, and each request is a row
            self._requests_by_network.take(network_of(request.peer.address))
        if request.optional("request_uri") is not None:
            raise AuthorizationRefused("invalid_request", "A pushed request has no request_uri (RFC 9126, section 2.1).")
        values = {name: value for name, value in request.form.items() if value} | {"client_id": client.name}
        proof = request.headers.get("dpop")
        jkt = None if proof is None else await self._confirmations.key_of(client, proof, request.path)
        try:
            proven = await self._incoming.prove_of(
                client, Parameters(values, frozenset(), request.resources), request.peer.address
            )
            state_of(proven.parameters)
        except UnprovenRequest as cause:
            raise AuthorizationRefused("invalid_request", " ".join((cause.detail, *cause.reasons))) from cause
        parameters = proven.parameters
        if jkt is not None:
            if parameters.values.get("dpop_jkt", jkt) != jkt:
                raise DpopProofRefused("The DPoP proof is by another key than dpop_jkt names.")
            bound = {**parameters.values, "dpop_jkt": jkt}
            proven = proven._replace(parameters=Parameters(bound, frozenset(), parameters.resources))
        self._requests.begin(client, await self._incoming.read(proven))
        return pushed_response(await self._pushed.push(client, proven.parameters, is_signed=proven.is_signed))
