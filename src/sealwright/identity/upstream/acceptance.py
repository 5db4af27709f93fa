"""From a person whom a provider named to a session: groups give roles, and issuer and subject tell whose account it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from sealwright.access import RoleGrant, anonymous
from sealwright.access import store as access_store
from sealwright.audit import Audit, Event
from sealwright.clock import Clock
from sealwright.db import Database, Transaction
from sealwright.entropy import Entropy, uuid4
from sealwright.identity.devices import KnownDevices
from sealwright.identity.directory import store as directory_store
from sealwright.identity.directory.people import insert_person, new_person
from sealwright.identity.emergency.first_administrator import FirstAdministrator
from sealwright.identity.errors import NameRefused, NameTaken, TextRefused
from sealwright.identity.models import Account, CompletedSignIn, Session, SessionKind
from sealwright.identity.policy import printable
from sealwright.identity.sessions import Sessions
from sealwright.identity.sign_on_records import store as records
from sealwright.identity.sign_on_records.records import seen_groups
from sealwright.identity.upstream import store
from sealwright.identity.upstream.email_domains import check_email_domain
from sealwright.identity.upstream.errors import SignOnRefused
from sealwright.identity.upstream.id_tokens import UpstreamIdentity
from sealwright.identity.upstream.models import GroupMapping, RefusedSignOn, SignInRecord, UpstreamProvider

METHOD = "fed"
"""In the methods of a session: another server vouched for the person."""
_MOST_NAMES = 50


@dataclass(frozen=True, slots=True)
class SignOnBrowser:
    """The browser in which someone signs in."""

    address: str
    user_agent: str
    held_token: str = field(repr=False)
    device_token: str | None = field(repr=False)


@dataclass(slots=True)
class SignOnProgress:
    """What is known of a sign-in so far, for its record."""

    record: SignInRecord

    def note(self, **known: object) -> None:
        """Add to it."""
        values = {name: getattr(self.record, name) for name in self.record.__struct_fields__}
        self.record = SignInRecord(**(values | known))


class SignOnAcceptance:
    """Gives a session to those whose groups give a role; everything of it happens in one transaction, or nothing."""

    def __init__(
        self,
        db: Database,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        sessions: Sessions,
        devices: KnownDevices,
        first: FirstAdministrator,
    ) -> None:
        """`first`: knows whose groups make the first administrator."""
        self._db = db
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._sessions = sessions
        self._devices = devices
        self._first = first

    async def accept(
        self,
        provider: UpstreamProvider,
        identity: UpstreamIdentity,
        groups: Sequence[str],
        source: str,
        browser: SignOnBrowser,
        progress: SignOnProgress,
    ) -> CompletedSignIn:
        """Sign a person in. `source`: where the groups come from. Raises SignOnRefused."""
        check_email_domain(provider, identity.claims)

        async def body(tx: Transaction) -> tuple[Account, str, Session, str] | SignOnRefused:
            await directory_store.lock_directory(tx)
            if await store.find_provider(tx, provider.id) != provider:
                return changed_meanwhile(provider)
            mappings = await store.mappings_of(tx, provider.id)
            roles = sorted({each.role for each in mappings if each.group_name in groups})
            appointed = await self._first.may_become(tx, provider.id, groups)
            account = await self._account(tx, provider, identity, create=bool(roles) or appointed)
            progress.note(
                seen=seen_groups(provider.groups_claim_path, source, groups, mappings),
                account_id="" if account is None else account.id,
            )
            if account is not None:
                await self._set_roles(tx, provider, account, roles)
            if account is None or not (roles or appointed):
                return _unmapped(provider, groups, progress, mappings)
            status = account.status(now := self._clock.now())
            if not status.active:
                return SignOnRefused(RefusedSignOn.USER_DEACTIVATED, f"{account.name} may not sign in: {status.reason}.")
            await directory_store.lock_account(tx, account.id)
            await store.link_account(
                tx, issuer_url=provider.issuer_url, subject=identity.subject, account_id=account.id, groups=groups, at=now
            )
            if appointed:
                await self._first.appoint(tx, account, provider.id, address=browser.address)
            session_token, session = await self._begin(tx, provider, identity, account, browser)
            actor = account.as_actor(session_id=session.id, address=browser.address)
            details = {"provider_id": provider.id, "roles": roles, "session": session.id, "sign_in": progress.record.id}
            await self._audit.record(tx, Event.OIDC_LOGIN_SUCCEEDED, actor=actor, target=account.reference, details=details)
            await records.insert_record(tx, progress.record)
            device = browser.device_token
            known = "" if device is None else await self._devices.remember(tx, account.id, device, browser.user_agent)
            return account, session_token, session, known

        outcome = await self._db.write(body)
        if isinstance(outcome, SignOnRefused):
            raise outcome
        account, session_token, session, device = outcome
        signed_in = await self._sessions.signed_in(account, session, browser.address)
        return CompletedSignIn(session_token, signed_in, device_token=device)

    async def _begin(
        self,
        tx: Transaction,
        provider: UpstreamProvider,
        identity: UpstreamIdentity,
        account: Account,
        browser: SignOnBrowser,
    ) -> tuple[str, Session]:
        session_token, session = await self._sessions.begin(
            tx,
            account,
            SessionKind.BROWSER,
            identity.methods or (METHOD,),
            address=browser.address,
            user_agent=browser.user_agent,
            held_token=browser.held_token,
            authenticated_at=identity.authenticated_at,
        )
        await store.insert_session(tx, session.id, provider.id, identity.session_id)
        return session_token, session

    async def _account(
        self, tx: Transaction, provider: UpstreamProvider, identity: UpstreamIdentity, *, create: bool
    ) -> Account | None:
        if identity.is_local:
            return await directory_store.account(tx, identity.subject)
        account_id = await store.linked_account(tx, provider.issuer_url, identity.subject)
        found = None if account_id is None else await directory_store.account(tx, account_id)
        if found is not None or not create:
            return found
        person = await self._insert(tx, identity)
        actor = anonymous("")
        details = {"name": person.name, "provider_id": provider.id}
        await self._audit.record(tx, Event.PERSON_CREATED, actor=actor, target=person.reference, details=details)
        return person

    async def _insert(self, tx: Transaction, identity: UpstreamIdentity) -> Account:
        """A new account, under the name that the provider gives, or the next one that is free."""
        wished = name_from(identity.user_name)
        account_id, now = uuid4(self._entropy), self._clock.now()
        for number in range(_MOST_NAMES):
            name = wished if number == 0 else f"{wished[:56]}-{number + 1}"
            try:
                person = new_person(account_id, name, identity.display_name or name, (), now)
            except TextRefused:
                person = new_person(account_id, name, name, (), now)
            except NameRefused:
                continue
            try:
                await insert_person(tx, person)
            except NameTaken:
                continue
            return person
        person = new_person(account_id, f"p{account_id.replace('-', '')[:20]}", wished, (), now)
        await insert_person(tx, person)
        return person

    async def _set_roles(self, tx: Transaction, provider: UpstreamProvider, account: Account, roles: Sequence[str]) -> None:
        """Grant the roles that the groups give now, and delete those that they gave before; grants made by hand stay."""
        held = await store.grants_from(tx, account.id, provider.id)
        for role in set(held) - set(roles):
            await access_store.delete_grant(tx, held[role])
        for role in [each for each in roles if each not in held]:
            grant = RoleGrant(
                id=uuid4(self._entropy),
                role=role,
                account_id=account.id,
                source=store.source_of(provider.id),
                created_by="",
                created_at=self._clock.now(),
            )
            await access_store.insert_grant(tx, grant)


def _unmapped(
    provider: UpstreamProvider, groups: Sequence[str], progress: SignOnProgress, mappings: Sequence[GroupMapping]
) -> SignOnRefused:
    near = progress.record.seen.near
    hint = f"The group {near[0][0]} is mapped as {near[0][1]}: every character counts." if near else ""
    seen = ", ".join(printable(each, 80) for each in groups[:20]) or "none"
    if not mappings:
        hint = f"No group of {provider.name} gives a role yet: an administrator has to say which group gives which role."
    return SignOnRefused(
        RefusedSignOn.UNMAPPED_GROUPS,
        f"No role is assigned to any of your groups at {provider.name}: {seen}.",
        groups=tuple(groups),
        hint=hint or "Ask an administrator to give one of these groups a role.",
    )


def name_from(text: str) -> str:
    """The account name made of the user name at the provider: the part before the @, in the characters that names have."""
    plain = re.sub(r"[^a-z0-9._-]+", "-", text.partition("@")[0].lower()).lstrip("0123456789._-").rstrip("-._")[:60]
    return plain or "person"


def changed_meanwhile(provider: UpstreamProvider) -> SignOnRefused:
    """The refusal of a sign-in during which the provider was changed."""
    return SignOnRefused(
        RefusedSignOn.PROVIDER_DISABLED,
        f"{provider.name} was changed, switched off or deleted meanwhile.",
        hint="Begin again from the sign-in page.",
    )
