"""The first administrator by a token."""

from __future__ import annotations

from sealwright.api.json_types import RequestBody, ResponseBody, Secret
from sealwright.api.operations import Call, Operation
from sealwright.budgets import Budget
from sealwright.identity import FirstAdministrator
from sealwright.ip import network_of

_TOKEN_IS_PROOF = "public: the token that the server was started with is the proof"  # noqa: S105 - a reason in words


class BootstrapBody(RequestBody, frozen=True, kw_only=True):
    """The token that the server was started with, and what the service account is to be called."""

    token: Secret
    actor_name: str = ""


class BootstrapState(ResponseBody, frozen=True, kw_only=True):
    """Whether a token would be taken."""

    available: bool


class FirstAdministratorView(ResponseBody, frozen=True, kw_only=True):
    """The API token of the first administrator. No other response holds it."""

    account_id: str
    token_id: str
    key: Secret


class BootstrapOperations:
    """Operations for a server that no one administers yet."""

    def __init__(self, first: FirstAdministrator, attempts_by_network: Budget) -> None:
        self._first = first
        self._attempts_by_network = attempts_by_network

    def operations(self) -> list[Operation]:
        """All of them."""
        path = "/auth/bootstrap"
        return [
            Operation(
                "get_bootstrap",
                "GET",
                path,
                "Say whether the first administrator can be made by a token now.",
                "public: a client needs it before sign-in",
                self._state,
                returns=BootstrapState,
            ),
            Operation(
                "bootstrap",
                "POST",
                path,
                "Make the first administrator by the token that the server was started with; 410 ever after.",
                _TOKEN_IS_PROOF,
                self._use,
                returns=FirstAdministratorView,
                accepts=BootstrapBody,
                status=201,
                also_refused=(410,),
            ),
        ]

    async def _state(self, _call: Call) -> BootstrapState:
        return BootstrapState(available=await self._first.is_open())

    async def _use(self, call: Call) -> FirstAdministratorView:
        address = call.request.peer.address
        self._attempts_by_network.take(network_of(address))
        made = await self._first.by_token(call.body.token, call.body.actor_name, address=address)
        return FirstAdministratorView(account_id=made.described.account_id, token_id=made.described.id, key=made.token)
