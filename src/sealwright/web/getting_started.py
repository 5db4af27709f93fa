"""What an administrator of a new server does next, until all of it is done."""

from __future__ import annotations

from msgspec import Struct

from sealwright.access import Permission
from sealwright.ca import Inventory, Issuers
from sealwright.identity import AccountKind, CredentialKind, Credentials, Directory, SignedIn


class GettingStartedStep(Struct, frozen=True):
    """One thing to do, with the command or the page that does it."""

    id: str
    done: bool
    title: str
    why: str
    command: str = ""
    path: str = ""


class GettingStarted:
    """Shown to administrators on their account page; nothing is left of it once every step is done."""

    def __init__(self, credentials: Credentials, directory: Directory, inventory: Inventory, issuers: Issuers) -> None:
        self._credentials = credentials
        self._directory = directory
        self._inventory = inventory
        self._issuers = issuers

    async def of(self, person: SignedIn) -> tuple[GettingStartedStep, ...]:
        """The steps, done or not; none for people who do not administer the whole server, and none when all are done."""
        if not person.actor.holds(Permission.ISSUER_WRITE):
            return ()
        steps = (
            GettingStartedStep(
                "second-factor",
                await self._has_second_factor(person),
                "Set up a second factor",
                "A stolen password is then not enough to administer this server.",
                path="/ui/account/authenticator",
            ),
            GettingStartedStep(
                "first-person",
                await self._has_people(person),
                "Invite the first person",
                "It prints a link with which they choose a password.",
                command="sealwright person invite alice --mail alice@example.org",
            ),
            GettingStartedStep(
                "first-certificate",
                await self._has_certificate_of_a_person(person),
                "Get the first certificate",
                "It opens this server's sign-in page and writes a certificate and its key.",
                command="sealwright certificate issue",
            ),
            GettingStartedStep(
                "root-key",
                not await self._issuers.has_root_key(),
                "Take the root's key off this machine",
                "It is only needed to make another issuing CA. Run this on the server, and keep the file somewhere safe.",
                command="sealwright issuer export-root-key --to /media/usb/",
            ),
        )
        return () if all(step.done for step in steps) else steps

    async def _has_second_factor(self, person: SignedIn) -> bool:
        held = await self._credentials.list_of(person.account.id, actor=person.actor)
        return any(one.kind is CredentialKind.TOTP for one in held)

    async def _has_certificate_of_a_person(self, person: SignedIn) -> bool:
        """Among the newest: the server's own certificate is always there."""
        return any(one.account_id for one in (await self._inventory.page(person.actor)).certificates)

    async def _has_people(self, person: SignedIn) -> bool:
        found = await self._directory.list_people(actor=person.actor, at_most=10)
        return any(one.kind is AccountKind.PERSON and one.id != person.account.id for one in found)
