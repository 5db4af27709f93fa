"""What people prove themselves with: shown without any secret, and second factors taken away from someone who lost them."""

from __future__ import annotations

from msgspec.structs import asdict

from sealwright.access import Permission
from sealwright.api.json_types import Moment, RequestBody, ResponseBody, moment
from sealwright.api.operations import OWN, Call, Operation
from sealwright.identity import (
    Credential,
    CredentialKind,
    Credentials,
    Directory,
    Passkey,
    Passkeys,
    recovery_codes_left,
    second_factors,
)

_READ, _WRITE = str(Permission.PERSON_READ), str(Permission.PERSON_WRITE)


class HeldCredential(ResponseBody, frozen=True, kw_only=True):
    """One thing to prove oneself with."""

    id: str
    label: str
    created_at: Moment


class CredentialsView(ResponseBody, frozen=True, kw_only=True):
    """What someone proves themselves with."""

    name: str
    password_set_at: Moment | None
    """When the password was set; null where there is none."""
    second_factors: list[HeldCredential]
    passkeys: list[HeldCredential]
    recovery_codes_left: int


class SecondFactorRemovalBody(RequestBody, frozen=True, kw_only=True):
    """Whether the certificates that the person got are revoked."""

    end_certificates: bool = True


class SecondFactorRemovalView(ResponseBody, frozen=True, kw_only=True):
    """What was removed, and what ended with it."""

    second_factors_removed: int
    passkeys_removed: int
    sessions_ended: int
    api_keys_ended: int
    certificates_ended: int
    certificates_kept: int


class PersonCredentialOperations:
    """Operations about the credentials of people."""

    def __init__(self, directory: Directory, credentials: Credentials, passkeys: Passkeys) -> None:
        self._directory = directory
        self._credentials = credentials
        self._passkeys = passkeys

    def operations(self) -> list[Operation]:
        """All of them."""
        one = "/persons/{name}"
        return [
            Operation(
                "get_credentials",
                "GET",
                f"{one}/credentials",
                "Show what someone proves themselves with, without any secret.",
                f"{OWN}; for others {_READ}",
                self._show,
                returns=CredentialsView,
            ),
            Operation(
                "remove_second_factors",
                "POST",
                f"{one}/second-factors/remove",
                "Remove every second factor, recovery code and passkey of a person; their sessions and API keys end, and their "
                "certificates unless they are kept.",
                _WRITE,
                self._remove_second_factors,
                returns=SecondFactorRemovalView,
                accepts=SecondFactorRemovalBody,
            ),
        ]

    async def _show(self, call: Call) -> CredentialsView:
        account = await self._directory.show_person(call.path("name"), actor=call.actor)
        held = await self._credentials.list_of(account.id, actor=call.actor)
        passwords = [each for each in held if each.kind is CredentialKind.PASSWORD]
        return CredentialsView(
            name=account.name,
            password_set_at=moment(passwords[0].created_at) if passwords else None,
            second_factors=[_held(each) for each in second_factors(held)],
            passkeys=[_held(each) for each in await self._passkeys.list_of(account.id, actor=call.actor)],
            recovery_codes_left=recovery_codes_left(held),
        )

    async def _remove_second_factors(self, call: Call) -> SecondFactorRemovalView:
        body: SecondFactorRemovalBody = call.body
        removed = await self._credentials.remove_second_factors(
            call.path("name"), end_certificates=body.end_certificates, actor=call.actor
        )
        return SecondFactorRemovalView(**asdict(removed))


def _held(credential: Credential | Passkey) -> HeldCredential:
    return HeldCredential(id=credential.id, label=credential.label, created_at=moment(credential.created_at))
