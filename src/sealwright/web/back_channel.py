"""Where identity providers send logout tokens: a form with one field, answered with a status and nothing else."""

from __future__ import annotations

from sealwright.errors import Failure
from sealwright.http import Request, Response, json_response
from sealwright.identity import BackChannelLogout, LogoutTokenRefused
from sealwright.oauth import answer_failure

NO_STORE = (("cache-control", "no-store"),)


class BackChannelEndpoint:
    """Every refusal is the same (OpenID Connect Back-Channel Logout 1.0, section 2.8); the audit record holds the reason."""

    def __init__(self, logout: BackChannelLogout) -> None:
        self._logout = logout

    async def receive(self, request: Request) -> Response:
        """End the sessions that a logout token names."""
        try:
            await self._logout.receive(request.form().get("logout_token", ""), request.peer.address)
        except LogoutTokenRefused as refusal:
            return json_response(400, {"error": "invalid_request", "error_description": refusal.detail}, headers=NO_STORE)
        except Failure as failure:
            response = answer_failure(request, failure)
            headers = tuple(each for each in response.headers if each[0] != "cache-control")
            return Response(response.status, response.body, (*headers, *NO_STORE))
        return Response(200, headers=NO_STORE)
