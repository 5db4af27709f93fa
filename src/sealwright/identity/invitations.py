"""Invitations: one-time links with which new people choose their first password and are signed in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from msgspec import Struct

from sealwright.access import Actor, Permission
from sealwright.audit import Audit, Event
from sealwright.db import Transaction
from sealwright.errors import Action, Conflict, Remedy
from sealwright.identity import store
from sealwright.identity.credentials import Credentials
from sealwright.identity.devices import KnownDevices
from sealwright.identity.directory.authorized_changes import AuthorizedChanges
from sealwright.identity.directory.directory import Directory
from sealwright.identity.directory.store import lock_directory
from sealwright.identity.models import Account, AccountKind, CompletedSignIn, LinkPurpose, OneTimeLink, Session, SessionKind
from sealwright.identity.one_time_links import OneTimeLinks, WithLink
from sealwright.identity.policy import check_link_lifetime, fold_mail
from sealwright.identity.sessions import Sessions

INVITATION_LIFETIME = timedelta(days=3)
SHORTEST_INVITATION = timedelta(minutes=5)
LONGEST_INVITATION = timedelta(days=14)


class Invitation(Struct, frozen=True):
    """An invited person, and the link, which is shown only once."""

    person: Account
    created: bool
    """Whether the person was made for it."""
    link: OneTimeLink


class Invitations:
    """Create and accept invitations. A person with a password needs none."""

    def __init__(
        self,
        audit: Audit,
        links: OneTimeLinks,
        directory: Directory,
        credentials: Credentials,
        sessions: Sessions,
        devices: KnownDevices,
        changes: AuthorizedChanges,
    ) -> None:
        self._audit = audit
        self._links = links
        self._directory = directory
        self._credentials = credentials
        self._sessions = sessions
        self._devices = devices
        self._changes = changes

    async def create(
        self,
        name: str,
        *,
        display_name: str = "",
        mails: Sequence[str] = (),
        lifetime: timedelta = INVITATION_LIFETIME,
        actor: Actor,
        with_link: WithLink | None = None,
    ) -> Invitation:
        """Invite a person, who is created if missing. Raises Conflict if the person has a credential already."""
        await self._changes.require(Event.INVITATION_CREATED, Permission.PERSON_WRITE, actor, f"person:{name}")
        await self._changes.require_in_person(Event.INVITATION_CREATED, actor, f"person:{name}", "invite people")
        check_link_lifetime(lifetime, "An invitation", shortest=SHORTEST_INVITATION, longest=LONGEST_INVITATION)
        person = await self._directory.find(name)
        created = person is None
        if person is None:
            person = await self._directory.create_person(name, display_name or name, mails=mails, actor=actor)
        else:
            _require_same(person, display_name, mails)
        link = self._links.generate(lifetime)
        invited = person

        async def body(tx: Transaction) -> None:
            await lock_directory(tx)
            await self._changes.require_over_account(tx, actor, invited, "invite")
            if invited.kind is not AccountKind.PERSON or await store.credentials_of(tx, invited.id):
                raise Conflict(
                    f"{invited.name} can sign in already, and needs no invitation.",
                    remedy=Remedy(Action.RESET_PERSON, invited.name),
                )
            await self._links.insert(tx, LinkPurpose.INVITE, invited, link, actor=actor, with_link=with_link)
            details = {"name": invited.name, "expires_at": link.expires_at}
            await self._audit.record(tx, Event.INVITATION_CREATED, actor=actor, target=invited.reference, details=details)

        await self._changes.run(Event.INVITATION_CREATED, Permission.PERSON_WRITE, actor, invited.reference, body)
        return Invitation(invited, created, link)

    async def person_of(self, link_token: str) -> Account:
        """The invited person, if the link works now; raises LinkRefused with the reason."""
        return (await self._links.require(LinkPurpose.INVITE, link_token)).account

    async def accept(
        self, link_token: str, password: str, *, address: str, user_agent: str = "", device_token: str = ""
    ) -> CompletedSignIn:
        """Use the link: set the first password, and sign the person in. Raises LinkRefused or WeakPassword."""
        invited = await self.person_of(link_token)
        hashed = await self._credentials.hash_new_password(invited, password)

        async def body(tx: Transaction) -> tuple[Account, str, Session, str]:
            person = (await self._links.consume(tx, LinkPurpose.INVITE, link_token)).account
            if await store.credentials_of(tx, person.id):
                raise Conflict(f"{person.name} has a password already, and needs no invitation.", hint="Sign in with it.")
            actor = person.as_actor(address=address)
            await self._credentials.store_password(tx, person, hashed, actor=actor)
            details = {"name": person.name, "address": address}
            await self._audit.record(tx, Event.INVITATION_ACCEPTED, actor=actor, target=person.reference, details=details)
            begun = await self._sessions.begin(tx, person, SessionKind.BROWSER, ("pwd",), address=address, user_agent=user_agent)
            return person, *begun, await self._devices.remember(tx, person.id, device_token, user_agent)

        person, session_token, session, device = await self._changes.write(body)
        return CompletedSignIn(session_token, await self._sessions.signed_in(person, session, address), device_token=device)


def _require_same(person: Account, display_name: str, mails: Sequence[str]) -> None:
    """Raise Conflict if the invitation contradicts what is stored about a person who exists already."""
    held = {fold_mail(mail.address) for mail in person.mails}
    others = [mail for mail in mails if fold_mail(mail) not in held]
    if others or display_name not in ("", person.display_name):
        wrong = f"the e-mail address {others[0][:254]}" if others else f"the name {display_name[:128]!r}"
        raise Conflict(
            f"{person.name} is there already, and does not have {wrong}.",
            remedy=Remedy(Action.UPDATE_PERSON, person.name),
        )
