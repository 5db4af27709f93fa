"""Links with which people set a new password: created by an administrator, used once."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct

from sealwright.access import Actor, Permission
from sealwright.audit import Audit, Event
from sealwright.db import Transaction
from sealwright.errors import Action, Remedy
from sealwright.identity.credential_reset import CredentialReset
from sealwright.identity.credentials import Credentials
from sealwright.identity.devices import KnownDevices
from sealwright.identity.directory.authorized_changes import AuthorizedChanges
from sealwright.identity.directory.directory import Directory
from sealwright.identity.directory.store import lock_directory
from sealwright.identity.errors import BuiltIn
from sealwright.identity.models import Account, AccountKind, LinkPurpose, OneTimeLink
from sealwright.identity.one_time_links import OneTimeLinks, WithLink
from sealwright.identity.policy import check_link_lifetime, require_has_password

RESET_LIFETIME = timedelta(hours=1)
SHORTEST_LIFETIME = timedelta(minutes=5)
LONGEST_LIFETIME = timedelta(hours=24)


class ResetLink(Struct, frozen=True):
    """A link that works now."""

    account: Account
    end_certificates: bool
    """Whether using it ends the account's certificates, whatever its user chooses."""
    certificates: int
    """How many that would be."""


class ResetLinks:
    """Create and use reset links. A new password or a disabled account deletes them."""

    def __init__(
        self,
        audit: Audit,
        links: OneTimeLinks,
        directory: Directory,
        credentials: Credentials,
        devices: KnownDevices,
        changes: AuthorizedChanges,
    ) -> None:
        self._audit = audit
        self._links = links
        self._directory = directory
        self._credentials = credentials
        self._devices = devices
        self._changes = changes

    async def create(
        self,
        who: str,
        *,
        lifetime: timedelta = RESET_LIFETIME,
        end_certificates: bool = True,
        actor: Actor,
        with_link: WithLink | None = None,
    ) -> OneTimeLink:
        """Create a link to set a new password. Using it ends the account's certificates, unless they are kept."""
        await self._changes.require(Event.RESET_LINK_CREATED, Permission.PERSON_WRITE, actor, f"person:{who}")
        await self._changes.require_in_person(Event.RESET_LINK_CREATED, actor, f"person:{who}", "make a link for a password")
        check_link_lifetime(lifetime, "A link", shortest=SHORTEST_LIFETIME, longest=LONGEST_LIFETIME)
        account = await self._directory.show_person(who, actor=actor)
        require_has_password(account)
        if account.kind is AccountKind.SYSTEM:
            raise BuiltIn(
                f"{account.name} is built in: its password is set from the server's shell.",
                remedy=Remedy(Action.RECOVER_ACCOUNT, account.name),
            )
        link = self._links.generate(lifetime)

        async def body(tx: Transaction) -> None:
            await lock_directory(tx)
            await self._changes.require_over_account(tx, actor, account, "make a link for")
            await self._links.insert(
                tx, LinkPurpose.RESET, account, link, actor=actor, end_certificates=end_certificates, with_link=with_link
            )
            details = {"expires_at": link.expires_at, "end_certificates": end_certificates}
            await self._audit.record(tx, Event.RESET_LINK_CREATED, actor=actor, target=account.reference, details=details)

        await self._changes.run(Event.RESET_LINK_CREATED, Permission.PERSON_WRITE, actor, account.reference, body)
        return link

    async def require(self, link_token: str) -> ResetLink:
        """The link, if it works now; raises LinkRefused with the reason."""
        link = await self._links.require(LinkPurpose.RESET, link_token)
        return ResetLink(link.account, link.end_certificates, await self._credentials.certificates_of(link.account.id))

    async def redeem(
        self,
        link_token: str,
        password: str,
        *,
        end_certificates: bool = False,
        address: str,
        user_agent: str = "",
        device_token: str = "",
    ) -> tuple[CredentialReset, str]:
        """Use the link: set the password. Second factors stay. Raises LinkRefused or WeakPassword.

        Certificates end if the creator or the user of the link chose so. Returns what ended, and a token for the device, so that
        sign-in from it stays possible while others guess the password.
        """
        found = await self._links.require(LinkPurpose.RESET, link_token)
        hashed = await self._credentials.hash_new_password(found.account, password)

        async def body(tx: Transaction) -> tuple[CredentialReset, str]:
            link = await self._links.consume(tx, LinkPurpose.RESET, link_token)
            account = link.account
            actor = account.as_actor(address=address)
            reset = await self._credentials.reset_password(
                tx, account, hashed, end_certificates=end_certificates or link.end_certificates, actor=actor
            )
            details = {"certificates_ended": reset.certificates_ended, "certificates_kept": reset.certificates_kept}
            await self._audit.record(tx, Event.RESET_LINK_USED, actor=actor, target=account.reference, details=details)
            return reset, await self._devices.remember(tx, account.id, device_token, user_agent)

        return await self._changes.write(body)
