"""Links with which people set a password of their own: made by an administrator, good once."""

from __future__ import annotations

from datetime import timedelta

from sealwright.access import Actor, Permission
from sealwright.audit import Audit, Event
from sealwright.clock import Clock, after
from sealwright.db import Database, Transaction
from sealwright.entropy import Entropy, token
from sealwright.errors import InvalidInput
from sealwright.identity import store
from sealwright.identity.credentials import Credentials
from sealwright.identity.devices import KnownDevices
from sealwright.identity.directory.authority import PermittedChange
from sealwright.identity.directory.directory import Directory
from sealwright.identity.directory.store import account as account_by_id
from sealwright.identity.directory.store import lock_account, lock_directory
from sealwright.identity.errors import BuiltIn, LinkRefused
from sealwright.identity.models import Account, AccountKind, LinkPurpose, OneTimeLink
from sealwright.identity.policy import secret_digest

RESET_LIFETIME = timedelta(hours=1)
SHORTEST_LIFETIME = timedelta(minutes=5)
LONGEST_LIFETIME = timedelta(hours=24)


class ResetLinks:
    """One link at a time for each account; a new one, a new password or a disabled account makes the old one void."""

    def __init__(
        self,
        db: Database,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        directory: Directory,
        credentials: Credentials,
        devices: KnownDevices,
        change: PermittedChange,
    ) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._directory = directory
        self._credentials = credentials
        self._devices = devices
        self._change = change

    async def create(self, who: str, *, lifetime: timedelta = RESET_LIFETIME, actor: Actor) -> OneTimeLink:
        """A link for somebody who has no password, or lost it."""
        await self._change.require(Event.RESET_LINK_CREATED, Permission.PERSON_WRITE, actor, f"person:{who}")
        if not SHORTEST_LIFETIME <= lifetime <= LONGEST_LIFETIME:
            raise InvalidInput(f"A link cannot last {lifetime}.", reasons=("5 minutes to 24 hours are allowed",))
        account = await self._directory.show_person(who, actor=actor)
        if account.kind is AccountKind.SYSTEM:
            raise BuiltIn(
                f"{account.name} is built in: its password is set from the server's shell.",
                hint=f"On the server: sealwright recover-account {account.name}",
            )
        link = OneTimeLink(token(self._entropy), after(self._clock.now(), lifetime))

        async def body(tx: Transaction) -> None:
            await lock_directory(tx)
            await self._change.require_over_account(tx, actor, account, "make a link for")
            await store.delete_links(tx, LinkPurpose.RESET, account.id)
            digest = secret_digest(link.token)
            await store.insert_link(tx, digest, LinkPurpose.RESET, account.id, self._clock.now(), link.expires_at)
            await self._audit.record(tx, Event.RESET_LINK_CREATED, actor=actor, target=account.reference)

        await self._change(Event.RESET_LINK_CREATED, Permission.PERSON_WRITE, actor, account.reference, body)
        return link

    async def account_of(self, link_token: str) -> Account | None:
        """Whose link it is, if it would work now: for the page that it leads to."""
        now = self._clock.now()
        held = await store.link(self._db, secret_digest(link_token), LinkPurpose.RESET, now)
        account = None if held is None or held[0] is None else await account_by_id(self._db, held[0])
        return account if account is not None and account.standing(now).active else None

    async def redeem(
        self, link_token: str, password: str, *, address: str, user_agent: str = "", device_token: str = ""
    ) -> tuple[Account, str]:
        """Use the link: set the password. Second factors stay. Raises LinkRefused or WeakPassword.

        Returns the account, and a token for the device: whoever was given the link can sign in from it while strangers guess.
        """
        account = await self.account_of(link_token)
        if account is None:
            raise _refused()
        hashed = await self._credentials.hash_new_password(account, password)

        async def body(tx: Transaction) -> str:
            await lock_account(tx, account.id)
            present = await account_by_id(tx, account.id)
            now = self._clock.now()
            consumed = await store.consume_link(tx, secret_digest(link_token), LinkPurpose.RESET, now)
            if not consumed or present is None or not present.standing(now).active:
                raise _refused()
            await self._credentials.store_password(tx, account, hashed, actor=account.as_actor(address=address))
            return await self._devices.remember(tx, account.id, device_token, user_agent)

        return account, await self._db.write(body)


def _refused() -> LinkRefused:
    return LinkRefused(
        "This link was used already, has expired, or was replaced by a newer one.", hint="Ask an administrator for a new link."
    )
