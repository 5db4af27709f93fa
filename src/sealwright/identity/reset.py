"""Links with which people set a password of their own: made by an administrator, good once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from msgspec import Struct

from sealwright.access import Actor, Permission
from sealwright.audit import Audit, Event
from sealwright.clock import Clock, Instant, after, to_rfc3339
from sealwright.db import Database, Transaction
from sealwright.entropy import Entropy, token
from sealwright.identity import store
from sealwright.identity.credential_reset import CredentialReset
from sealwright.identity.credentials import Credentials
from sealwright.identity.devices import KnownDevices
from sealwright.identity.directory.authorized_changes import AuthorizedChanges
from sealwright.identity.directory.directory import Directory
from sealwright.identity.directory.store import account as account_by_id
from sealwright.identity.directory.store import lock_account, lock_directory
from sealwright.identity.errors import BuiltIn, LinkRefused
from sealwright.identity.models import Account, AccountKind, LinkPurpose, OneTimeLink
from sealwright.identity.policy import check_link_lifetime, secret_digest

RESET_LIFETIME = timedelta(hours=1)
SHORTEST_LIFETIME = timedelta(minutes=5)
LONGEST_LIFETIME = timedelta(hours=24)


WithLink = Callable[[Transaction, Account, OneTimeLink], Awaitable[None]]
"""Stores something with a new link, in the same transaction."""


class ResetLink(Struct, frozen=True):
    """A link that would work now."""

    account: Account
    end_certificates: bool
    """Whether the account's certificates end with it, whatever its user wants."""
    certificates: int
    """How many that would be."""
    created_by: str | None
    """Account that created it; empty for the server itself, None if unknown."""


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
        changes: AuthorizedChanges,
    ) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
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
        check_link_lifetime(lifetime, "A link", shortest=SHORTEST_LIFETIME, longest=LONGEST_LIFETIME)
        account = await self._directory.show_person(who, actor=actor)
        if account.kind is AccountKind.SYSTEM:
            raise BuiltIn(
                f"{account.name} is built in: its password is set from the server's shell.",
                hint=f"On the server: sealwright recover-account {account.name}",
            )
        link = OneTimeLink(token(self._entropy), after(self._clock.now(), lifetime))

        async def body(tx: Transaction) -> None:
            await lock_directory(tx)
            await self._changes.require_over_account(tx, actor, account, "make a link for")
            await store.delete_links(tx, LinkPurpose.RESET, account.id)
            digest = secret_digest(link.token)
            now, until = self._clock.now(), link.expires_at
            await store.insert_link(
                tx, digest, LinkPurpose.RESET, account.id, now, until, created_by=actor.id, end_certificates=end_certificates
            )
            if with_link is not None:
                await with_link(tx, account, link)
            details = {"expires_at": until, "end_certificates": end_certificates}
            await self._audit.record(tx, Event.RESET_LINK_CREATED, actor=actor, target=account.reference, details=details)

        await self._changes.run(Event.RESET_LINK_CREATED, Permission.PERSON_WRITE, actor, account.reference, body)
        return link

    async def require(self, link_token: str) -> ResetLink:
        """The link, if it would work now; raises LinkRefused, saying why not."""
        found = await self.find(link_token)
        if found is None:
            raise link_refusal(await store.used_or_expired(self._db, secret_digest(link_token)), "link", self._clock.now())
        return found

    async def find(self, link_token: str) -> ResetLink | None:
        """The link, if it would work now: for the page that it leads to."""
        now = self._clock.now()
        held = await store.link(self._db, secret_digest(link_token), LinkPurpose.RESET, now)
        account = None if held is None or held.account_id is None else await account_by_id(self._db, held.account_id)
        if held is None or account is None or not account.status(now).active:
            return None
        if not await self._changes.creator_still_permitted(self._db, held.created_by, account, now):
            return None
        certificates = await self._credentials.certificates_of(account.id)
        return ResetLink(account, held.end_certificates, certificates, held.created_by)

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
        found = await self.require(link_token)
        account = found.account
        hashed = await self._credentials.hash_new_password(account, password)

        async def body(tx: Transaction) -> tuple[CredentialReset, str]:
            await lock_directory(tx)
            await lock_account(tx, account.id)
            present = await account_by_id(tx, account.id)
            now = self._clock.now()
            over = await store.used_or_expired(tx, secret_digest(link_token))
            consumed = await store.consume_link(tx, secret_digest(link_token), LinkPurpose.RESET, now)
            if not consumed or present is None or not present.status(now).active:
                raise link_refusal(over, "link", now)
            if not await self._changes.creator_still_permitted(tx, found.created_by, present, now):
                raise link_refusal(over, "link", now)
            actor = account.as_actor(address=address)
            reset = await self._credentials.reset_password(
                tx,
                account,
                hashed,
                end_certificates=end_certificates or found.end_certificates,
                actor=actor,
            )
            details = {"certificates_ended": reset.certificates_ended, "certificates_kept": reset.certificates_kept}
            await self._audit.record(tx, Event.RESET_LINK_USED, actor=actor, target=account.reference, details=details)
            return reset, await self._devices.remember(tx, account.id, device_token, user_agent)

        return await self._db.write(body)


def link_refusal(over: tuple[Instant | None, Instant] | None, what: str, now: Instant) -> LinkRefused:
    """The refusal of a link that does not work any more. `over`: when it was used and when it expires, where that is known."""
    if over is None:
        return LinkRefused(
            f"This {what} is not known: a newer one replaced it, or a part of its address is missing.",
            hint="Open the whole address, from the newest message. If that does not help, ask an administrator for a new one.",
        )
    used_at, expires_at = over
    if used_at is not None:
        return LinkRefused(
            f"This {what} was used at {to_rfc3339(used_at)}, and works once.",
            hint="If it was you, sign in with the password that you chose. If not, tell an administrator now.",
        )
    if expires_at > now:
        return LinkRefused(
            f"This {what} does not work any more: the account was disabled, or has authority that its creator lacks.",
            hint="Ask an administrator who holds every permission of the account for a new one.",
        )
    return LinkRefused(f"This {what} was good until {to_rfc3339(expires_at)}.", hint="Ask an administrator for a new one.")
