"""The device authorization endpoint (RFC 8628, section 3.1)."""

from __future__ import annotations

from typing import Any

from sealwright.oauth.client_authentication import ClientAuthentication
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.device.requests import DeviceRequests
from sealwright.oauth.errors import ClientNotAuthorized
from sealwright.oauth.grants.registered import DEVICE_CODE, why_not_registered
from sealwright.oauth.models import Client
from sealwright.oauth.parameters import Parameters, read_request
from sealwright.oauth.pending import PendingRequests
from sealwright.oauth.refused_requests import recorded_requests
from sealwright.oauth.token_request import TokenRequest


class DeviceEndpoint:
    """Judges what a device asks for as the authorization endpoint does."""

    def __init__(
        self,
        dependencies: OAuthDependencies,
        *,
        clients: ClientAuthentication,
        requests: PendingRequests,
        devices: DeviceRequests,
    ) -> None:
        self._dependencies = dependencies
        self._clients = clients
        self._requests = requests
        self._devices = devices

    async def respond(self, request: TokenRequest) -> dict[str, Any]:
        """The codes for device and person; raises TokenRequestRefused, or AuthorizationRefused with what is wrong."""
        client = await self._clients.authenticate(request)
        async with recorded_requests(self._dependencies, client, request):
            return await self._codes(client, request)

    async def _codes(self, client: Client, request: TokenRequest) -> dict[str, Any]:
        unregistered = why_not_registered(client, DEVICE_CODE)
        if unregistered:
            raise ClientNotAuthorized(unregistered)
        values = {name: value for name, value in request.form.items() if value and name in _ASKED}
        parameters = Parameters(values | {"response_type": "code"}, frozenset(), request.resources)
        asked = read_request(parameters, client, "", None, leads_to_code=False)
        self._requests.begin(client, asked)
        return await self._devices.begin(client, asked)


_ASKED = frozenset({"scope", "nonce", "claims", "acr_values", "max_age", "authorization_details"})
