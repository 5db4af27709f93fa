"""What a person of this server may have at this moment, asked of the directory and of the provider, never of a token.

A token and a certificate say what was true when they were made. Since then someone may have signed out, taken a consent back,
or lost an address or a group. People of other providers cannot be asked about.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec import Struct

from sealwright.ca.errors import HolderNotActive
from sealwright.ca.models import CertificateContents, HolderStatus, LocalAccessToken, LocalToken, PersonOf, SigningGrant
from sealwright.ca.provisioners import AccessTokenProvisioner, Provisioner, ProvisionerRegistry

StatusOf = Callable[[str], Awaitable[HolderStatus]]
"""Id of an account or client → whether it may have certificates now."""
TokenStatusOf = Callable[[LocalToken | LocalAccessToken], Awaitable[HolderStatus]]
"""Whether what a token of this server comes from, such as a sign-in and a consent, still holds."""
ClientNameOf = Callable[[str], Awaitable[str | None]]
"""Id of a client's row → its name; None where the client is gone."""


class AccountLookup(Struct, frozen=True):
    """What the certificate authority asks about people of this server; the wiring passes it."""

    status_of: StatusOf
    person_of: PersonOf
    token_status_of: TokenStatusOf
    client_name_of: ClientNameOf


class HolderChecks:
    """Asked before an issuance is recorded, and once more before the key is used."""

    def __init__(self, directory: AccountLookup, provisioners: ProvisionerRegistry) -> None:
        self.directory = directory
        self._provisioners = provisioners

    async def require_active(self, grant: SigningGrant) -> int | None:
        """Raise HolderNotActive unless the person may act and, where a token is the credential, what it comes from still holds.

        Returns the generation of the account's credentials, which must be the one that `grant` tells of, if it does.
        """
        generation = None
        if grant.account_id is not None:
            status = await self.directory.status_of(grant.account_id)
            if not status.active:
                raise _lost(grant, status, "Ask an administrator of this server.")
            generation = status.credential_generation
            if grant.credential_generation not in (None, generation):
                over = HolderStatus(active=False, reason="their credentials were reset since they last proved who they are")
                raise _lost(grant, over, "Sign in again, and ask for a new certificate.")
        if grant.client_id is not None:
            await self._client_name(grant, grant.client_id)
        if grant.local_token is not None:
            status = await self.directory.token_status_of(grant.local_token)
            if not status.active:
                again = "Sign in again, and ask" if isinstance(grant.local_token, LocalToken) else "Get another token, and ask"
                raise _lost(grant, status, f"{again} with the new token.")
        return generation

    async def _client_name(self, grant: SigningGrant, client_id: str) -> str:
        name = await self.directory.client_name_of(client_id)
        if name is None:
            gone = HolderStatus(active=False, reason="the client whose access token it was issued for is gone")
            raise _lost(grant, gone, "Ask with a token of another client.")
        return name

    async def require_names(self, grant: SigningGrant, contents: CertificateContents) -> None:
        """Raise IdentityRefused unless the person would be given these names, and HolderNotActive where no one can say so."""
        if grant.account_id is None and grant.client_id is None:
            return
        provisioner = await self._provisioners.find(grant.provisioner_id)
        if provisioner is None:
            raise _lost(grant, HolderStatus(active=False, reason="the provisioner was removed"), "Ask with another provisioner.")
        if grant.account_id is None:
            await self._require_names_of_client(grant, provisioner, contents)
            return
        person = await self.directory.person_of(grant.account_id)
        if person is None:
            raise _lost(grant, HolderStatus(active=False, reason="the account does not exist"), "Ask an administrator.")
        provisioner.require_still_held(person, contents.common_name, contents.names)

    async def _require_names_of_client(
        self, grant: SigningGrant, provisioner: Provisioner, contents: CertificateContents
    ) -> None:
        if not isinstance(provisioner, AccessTokenProvisioner):
            raise _lost(grant, HolderStatus(active=False, reason="the provisioner is another one now"), "Ask with a new token.")
        name = await self._client_name(grant, grant.client_id or "")
        provisioner.require_held_by_client(name, contents.common_name, contents.names)


def _lost(grant: SigningGrant, status: HolderStatus, hint: str) -> HolderNotActive:
    return HolderNotActive(
        f"{grant.actor.name} may not have a certificate: {status.reason}.", reasons=(status.reason,), hint=hint
    )
