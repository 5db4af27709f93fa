"""Whether mail addresses of people are proven."""

from __future__ import annotations

from sealwright.access import Permission
from sealwright.api.json_types import RequestBody
from sealwright.api.operations import Call, Operation
from sealwright.api.persons import PersonDetails, person_details
from sealwright.clock import Clock
from sealwright.identity import Directory, MailAddresses


class VerificationBody(RequestBody, frozen=True, kw_only=True):
    """Whether an administrator vouches for the address."""

    verified: bool


class MailAddressOperations:
    """Operations on mail addresses."""

    def __init__(self, addresses: MailAddresses, directory: Directory, clock: Clock) -> None:
        self._addresses = addresses
        self._directory = directory
        self._clock = clock

    def operations(self) -> list[Operation]:
        """All of them."""
        return [
            Operation(
                "set_mail_verification",
                "PUT",
                "/persons/{name}/mails/{address}/verification",
                "Vouch for an address of a person, or take that back.",
                str(Permission.PERSON_WRITE),
                self._set,
                returns=PersonDetails,
                accepts=VerificationBody,
            )
        ]

    async def _set(self, call: Call) -> PersonDetails:
        name, address = call.path("name"), call.path("address")
        account = await self._addresses.set_verified(name, address, verified=call.body.verified, actor=call.actor)
        return person_details(self._directory, account, await self._directory.groups_of(account.id), self._clock.now())
