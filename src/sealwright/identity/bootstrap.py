"""Built-in accounts, and the link that creates the first administrator."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from sealwright.access import seed_builtin_groups
from sealwright.audit import Audit, Event
from sealwright.clock import Clock, Instant, after
from sealwright.db import Database, Transaction
from sealwright.entropy import Entropy, token, uuid4
from sealwright.errors import Action, InvalidInput, Remedy
from sealwright.identity import store
from sealwright.identity.credentials import Credentials
from sealwright.identity.devices import KnownDevices
from sealwright.identity.directory.authorized_changes import has_administrator
from sealwright.identity.directory.people import insert_person, new_person, parse_mails
from sealwright.identity.directory.store import add_member, ensure_account, find_group, lock_directory
from sealwright.identity.errors import LinkRefused
from sealwright.identity.models import (
    SYSTEM_ACCOUNTS,
    Account,
    AccountKind,
    CompletedSignIn,
    LinkPurpose,
    OneTimeLink,
    Session,
    SessionKind,
)
from sealwright.identity.name_search.store import set_group_words
from sealwright.identity.policy import check_display_name, check_name, secret_digest
from sealwright.identity.sessions import Sessions

WELCOME_LIFETIME = timedelta(hours=1)
ADMINISTRATORS = "system_admins"
"""The built-in group that the first administrator becomes a member of."""


async def create_builtin_accounts(tx: Transaction, now: Instant) -> None:
    """Create missing built-in groups and accounts. The accounts have no password."""
    for name in await seed_builtin_groups(tx, now):
        group = await find_group(tx, name)
        if group is not None:
            await set_group_words(tx, group)
    for name, made in SYSTEM_ACCOUNTS.items():
        account = Account(made.id, AccountKind.SYSTEM, name, made.display_name, (), None, None, None, now, now)
        if await ensure_account(tx, account):
            group = await find_group(tx, made.group)
            if group is not None:
                await add_member(tx, group.id, account)


class Bootstrap:
    """The link that creates the first administrator: used once, valid for an hour, only while there is no administrator."""

    def __init__(
        self,
        db: Database,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        credentials: Credentials,
        sessions: Sessions,
        devices: KnownDevices,
    ) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._credentials = credentials
        self._sessions = sessions
        self._devices = devices

    async def begin(self) -> OneTimeLink | None:
        """A new link, or None where an administrator can sign in. Links made before are void."""

        async def body(tx: Transaction) -> OneTimeLink | None:
            await lock_directory(tx)
            now = self._clock.now()
            await store.delete_links(tx, LinkPurpose.WELCOME, None)
            if await has_administrator(tx, now):
                return None
            link = OneTimeLink(token(self._entropy), after(now, WELCOME_LIFETIME))
            await store.insert_link(tx, secret_digest(link.token), LinkPurpose.WELCOME, None, now, link.expires_at, created_by="")
            return link

        return await self._db.write(body)

    async def is_open(self, link_token: str) -> bool:
        """Whether the link works now."""
        now = self._clock.now()
        held = await store.link(self._db, secret_digest(link_token), LinkPurpose.WELCOME, now)
        return held is not None and not await has_administrator(self._db, now)

    async def validation_errors(
        self, *, name: str, display_name: str, mails: Sequence[str], password: str
    ) -> tuple[InvalidInput, ...]:
        """All errors that `welcome` would raise for this input; `welcome` itself stops at the first."""
        found = []
        for check in (partial(check_name, name), partial(check_display_name, display_name), partial(parse_mails, mails)):
            try:
                check()
            except InvalidInput as refusal:
                found.append(refusal)
        try:
            await self._credentials.check_new_password(password, name=name, display_name=display_name, mails=mails)
        except InvalidInput as refusal:
            found.append(refusal)
        return tuple(found)

    async def welcome(
        self,
        link_token: str,
        *,
        name: str,
        display_name: str,
        mails: Sequence[str],
        password: str,
        address: str,
        user_agent: str,
        device_token: str = "",
    ) -> CompletedSignIn:
        """Use the link: create a person who administers this server, and sign them in."""
        if not await self.is_open(link_token):
            raise _refused()
        person = new_person(uuid4(self._entropy), name, display_name, mails, self._clock.now())
        hashed = await self._credentials.hash_new_password(person, password)

        async def body(tx: Transaction) -> tuple[str, Session, str]:
            await lock_directory(tx)
            now = self._clock.now()
            consumed = await store.consume_link(tx, secret_digest(link_token), LinkPurpose.WELCOME, now)
            group = await find_group(tx, ADMINISTRATORS)
            if not consumed or group is None or await has_administrator(tx, now):
                raise _refused()
            await insert_person(tx, person)
            await add_member(tx, group.id, person)
            actor = person.as_actor(address=address)
            await self._credentials.store_password(tx, person, hashed, actor=actor)
            details = {"name": person.name, "mails": [mail.address for mail in person.mails], "address": address}
            await self._audit.record(tx, Event.ADMINISTRATOR_WELCOMED, actor=actor, target=person.reference, details=details)
            begun = await self._sessions.begin(tx, person, SessionKind.BROWSER, ("pwd",), address=address, user_agent=user_agent)
            return *begun, await self._devices.remember(tx, person.id, device_token, user_agent)

        session_token, session, device = await self._db.write(body)
        return CompletedSignIn(session_token, await self._sessions.signed_in(person, session, address), device_token=device)


def _refused() -> LinkRefused:
    return LinkRefused(
        "This link was used already, has expired, or was replaced by a newer one.",
        hint="As long as this server has no administrator, each start prints a new link.",
        remedy=Remedy(Action.RECOVER_ACCOUNT),
    )
