"""People: the list, one person with everything that is theirs, and letting them act or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct

from sealwright.access import DYNAMIC_GROUPS, Permission, RoleGrant
from sealwright.ca import Inventory
from sealwright.clock import Clock, Instant
from sealwright.errors import NotFound
from sealwright.http import Response
from sealwright.identity import (
    Account,
    AccountKind,
    ApiKeys,
    ApiKeyState,
    Credential,
    CredentialKind,
    Credentials,
    Directory,
    GrantHolder,
    Passkey,
    Passkeys,
    Roles,
    Sessions,
    SignedIn,
    recovery_codes_left,
    second_factors,
)
from sealwright.oauth import ClientRegistry
from sealwright.web.account import shown_sessions
from sealwright.web.certificates import shown
from sealwright.web.console.frame import HitList, Question, ask, context_of, hit_list
from sealwright.web.console.listing import ON_A_PAGE, Column, Listing, read_listing
from sealwright.web.models import ListedCertificate, ListedSession
from sealwright.web.navigation import PageLink
from sealwright.web.notices import done, notice_text
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import ConsoleContext, Pages

PEOPLE_PAGE = "/ui/people"
NEW_PERSON_PAGE = "/ui/new/person"
MANUAL = "manual"
"""Source of a grant that someone made."""
_SOURCES = {"builtin": "built in", MANUAL: "by hand"}


class ListedAccount(Struct, frozen=True):
    """An account as a row."""

    name: str
    path: str
    display_name: str
    mail: str
    kind: str
    """Of the badge."""
    word: str
    changed_at: Instant


class ListedRole(Struct, frozen=True):
    """A role that someone holds, and whence."""

    role: str
    by: str
    """The group that holds it; empty where the account holds it itself."""
    source: str
    scope: str
    expires_at: Instant | None
    ended: bool
    id: str = ""
    """Of a grant to the account itself that was made by hand, and can be taken back."""


class PeopleDependencies(Struct, frozen=True):
    """What the pages about people read and change."""

    directory: Directory
    credentials: Credentials
    passkeys: Passkeys
    sessions: Sessions
    roles: Roles
    inventory: Inventory
    clients: ClientRegistry
    api_keys: ApiKeys


class PeoplePages:
    """The parts that are called check the permissions; what the reader may not see says what it needs."""

    def __init__(self, pages: Pages, parts: PeopleDependencies, clock: Clock) -> None:
        self._pages = pages
        self._parts = parts
        self._clock = clock

    async def show_list(self, page_request: PageRequest, person: SignedIn) -> Response:
        """People by name, a page at a time."""
        listing = read_listing(page_request.request, PEOPLE_PAGE)
        found = await self._parts.directory.list_people(
            actor=person.actor, search=listing.search, beyond=listing.after, at_most=ON_A_PAGE + 1
        )
        context, words = context_of(page_request, person), AccountWords("People", "Person", NEW_PERSON_PAGE)
        notice, now = notice_text(page_request.request), self._clock.now()
        return accounts_page(self._pages, context, listing, found, words, notice=notice, now=now)

    async def show(self, page_request: PageRequest, person: SignedIn) -> Response:
        """One person: how they sign in, where they are signed in, their groups, roles and certificates."""
        account = await self._account(page_request, person)
        parts, actor, now = self._parts, person.actor, self._clock.now()
        may = actor.permissions.holds_somewhere
        credentials = await parts.credentials.list_of(account.id, actor=actor)
        passkeys = await parts.passkeys.list_of(account.id, actor=actor)
        sessions: tuple[ListedSession, ...] = ()
        if may(Permission.SESSION_READ):
            sessions = shown_sessions(await parts.sessions.list_of(account.id, actor=actor), person.session.id)
        certificates: tuple[ListedCertificate, ...] = ()
        if may(Permission.CERTIFICATE_READ):
            page = await parts.inventory.page(actor, account_id=account.id, at_most=5)
            certificates = tuple(shown(one, now, "/ui/certificates") for one in page.certificates)
        grants = await parts.roles.held_by(account.id, actor=actor) if may(Permission.ROLE_READ) else []
        return self._pages.console(
            "person.html",
            context_of(page_request, person),
            account=account,
            listed=listed_account(account, PEOPLE_PAGE, now),
            spn=parts.directory.spn_of(account),
            ways_in=ways_in(credentials, passkeys),
            has_second_factors=bool(passkeys or second_factors(credentials)),
            groups=await parts.directory.groups_of(account.id),
            computed=DYNAMIC_GROUPS,
            errors=(),
            roles=tuple(listed_role(one, account, now) for one in grants),
            sessions=sessions,
            certificates=certificates,
            manager=await parts.directory.manager_of(account),
            changeable=account.kind is not AccountKind.SYSTEM,
            notice=notice_text(page_request.request),
            now=now,
        )

    async def show_disabling(self, page_request: PageRequest, person: SignedIn) -> Response:
        """What ends when the person is disabled, and the question whether to."""
        account = await self._account(page_request, person)
        trail = PageLink(f"{PEOPLE_PAGE}/{account.name}", account.display_name)
        after = (
            "They cannot sign in, and nothing acts for them any more.",
            "Their certificates are not renewed; those that are valid stay so until they expire, or are revoked.",
            "You can enable them again. What ended stays ended.",
        )
        return ask(self._pages, context_of(page_request, person, trail), await self._question(account, person, "disable", after))

    async def disable(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Let the person act no more."""
        account = await self._parts.directory.disable(page_request.request.path_parameters["name"], actor=person.actor)
        return done(f"{PEOPLE_PAGE}/{account.name}", "person-disabled")

    async def enable(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Let the person act again."""
        account = await self._parts.directory.enable(page_request.request.path_parameters["name"], actor=person.actor)
        return done(f"{PEOPLE_PAGE}/{account.name}", "person-enabled")

    async def show_second_factors(self, page_request: PageRequest, person: SignedIn) -> Response:
        """What ends when the second factors of the person are removed, and the question whether to."""
        account = await self._account(page_request, person)
        _, sessions = await self._parts.directory.impact_of_deletion_of_person(account.name, actor=person.actor)
        path = f"{PEOPLE_PAGE}/{account.name}"
        question = Question(
            title=f"Remove the second factors of {account.display_name}?",
            impact=(
                (sessions, "sessions end at once"),
                (await self._parts.credentials.certificates_of(account.id), "valid certificates are revoked"),
            ),
            after=(
                "Authenticators, recovery codes and passkeys are removed, and API keys end: a lost device may hold any of them.",
                "The password stays, and alone is enough until they set up another. Who has none needs a reset link.",
                "Ask the person in a way that no one else can answer before you do this.",
            ),
            action=f"{path}/second-factors",
            button=f"Remove them from {account.name}",
            keep=path,
        )
        return ask(self._pages, context_of(page_request, person, PageLink(path, account.display_name)), question)

    async def remove_second_factors(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Remove them."""
        account = await self._account(page_request, person)
        await self._parts.credentials.remove_second_factors(account.name, actor=person.actor)
        return done(f"{PEOPLE_PAGE}/{account.name}", "person-second-factors")

    async def show_deletion(self, page_request: PageRequest, person: SignedIn) -> Response:
        """What ends when the person is deleted, and the question whether to."""
        account = await self._account(page_request, person)
        trail = PageLink(f"{PEOPLE_PAGE}/{account.name}", account.display_name)
        after = (
            "For 7 days they are in the recycle bin and can be revived, without their credentials. Then they are gone.",
            "The audit record and the certificates keep their id and their name.",
        )
        return ask(self._pages, context_of(page_request, person, trail), await self._question(account, person, "delete", after))

    async def delete(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Move the person to the recycle bin."""
        await self._parts.directory.delete(page_request.request.path_parameters["name"], actor=person.actor)
        return done(PEOPLE_PAGE, "person-deleted")

    async def end_sessions(self, page_request: PageRequest, person: SignedIn) -> Response:
        """End every session of the person."""
        account = await self._account(page_request, person)
        await self._parts.sessions.end_all(account.id, "ended by an administrator", actor=person.actor)
        return done(f"{PEOPLE_PAGE}/{account.name}", "person-sessions")

    async def _account(self, page_request: PageRequest, person: SignedIn) -> Account:
        account = await self._parts.directory.show_person(page_request.request.path_parameters["name"], actor=person.actor)
        if account.kind is AccountKind.SERVICE:
            raise NotFound(f"{account.name} is a service account.", hint="Look for it among the service accounts.")
        return account

    async def _question(self, account: Account, person: SignedIn, verb: str, after: tuple[str, ...]) -> Question:
        _, sessions = await self._parts.directory.impact_of_deletion_of_person(account.name, actor=person.actor)
        given = await self._parts.clients.access_given_by(account.id, actor=person.actor)
        certificates = await self._parts.credentials.certificates_of(account.id)
        keys = await self._keys(account, person)
        path = f"{PEOPLE_PAGE}/{account.name}"
        return Question(
            title=f"{verb.title()} {account.display_name}?",
            impact=(
                (sessions, "sessions end at once"),
                (given.authorizations, "applications lose the tokens that they hold for them"),
                *(() if keys is None else ((len(keys), "API keys are revoked"),)),
                (certificates, "valid certificates cannot be renewed any more"),
            ),
            hits=await self._hits(account, person),
            after=after,
            action=f"{path}/{verb}",
            button=f"{verb.title()} {account.name}",
            keep=path,
        )

    async def _keys(self, account: Account, person: SignedIn) -> list[str] | None:
        """Names of the API keys that open something now; None for those who may not see them."""
        if not person.actor.holds(Permission.API_KEY_READ):
            return None
        now = self._clock.now()
        found = await self._parts.api_keys.list_of(account, actor=person.actor)
        return [one.key.name for one in found if one.key.state(now) in (ApiKeyState.ACTIVE, ApiKeyState.REPLACED)]

    async def _hits(self, account: Account, person: SignedIn) -> tuple[HitList, ...]:
        """What ends, one by one."""
        actor, parts, now = person.actor, self._parts, self._clock.now()
        sessions: tuple[ListedSession, ...] = ()
        certificates: tuple[ListedCertificate, ...] = ()
        if actor.permissions.holds_somewhere(Permission.SESSION_READ):
            sessions = shown_sessions(await parts.sessions.list_of(account.id, actor=actor), person.session.id)
        if actor.permissions.holds_somewhere(Permission.CERTIFICATE_READ):
            page = await parts.inventory.page(actor, account_id=account.id, at_most=ON_A_PAGE)
            certificates = tuple(shown(one, now, "/ui/certificates") for one in page.certificates)
        return (
            hit_list("Sessions that end", ((f"{each.device}, from {each.address}", "") for each in sessions)),
            hit_list("API keys that end", ((name, "") for name in await self._keys(account, person) or ())),
            hit_list(
                "Certificates that are not renewed any more",
                ((", ".join(each.names) or each.serial, each.path) for each in certificates if each.kind == "good"),
            ),
        )


class AccountWords(NamedTuple):
    """What a list of accounts is called."""

    title: str
    one: str
    new: str
    """The page that makes one."""


def accounts_page(
    pages: Pages,
    context: ConsoleContext,
    listing: Listing,
    found: Sequence[Account],
    words: AccountWords,
    *,
    notice: str,
    now: Instant,
) -> Response:
    """A page of accounts by name; `found` has one more where there are more."""
    return pages.console(
        "people.html",
        context,
        title=words.title,
        new=words.new,
        listing=listing,
        columns=(Column(words.one), Column("State"), Column("E-mail"), Column("Changed")),
        people=tuple(listed_account(one, listing.path, now) for one in found[:ON_A_PAGE]),
        next=found[ON_A_PAGE - 1].name if len(found) > ON_A_PAGE else "",
        notice=notice,
    )


def listed_account(account: Account, page: str, now: Instant) -> ListedAccount:
    """An account as a row of the list at `page`."""
    status = account.status(now)
    mail = account.primary_mail
    kind, word = ("good", "active") if status.active else ("bad" if account.disabled_at is not None else "soon", status.reason)
    return ListedAccount(
        name=account.name,
        path=f"{page}/{account.name}",
        display_name=account.display_name,
        mail="" if mail is None else mail.address,
        kind=kind,
        word=word.removeprefix("the account is "),
        changed_at=account.updated_at,
    )


def listed_role(held: GrantHolder, account: Account, now: Instant) -> ListedRole:
    """A grant as a row: who holds it and where it comes from."""
    grant: RoleGrant = held.grant
    return ListedRole(
        role=grant.role,
        by="" if grant.account_id == account.id else held.holder,
        source=_SOURCES.get(grant.source, f"by the groups of the provider {grant.source.removeprefix('idp:')}"),
        scope="everything" if grant.scope is None else str(grant.scope),
        expires_at=grant.expires_at,
        ended=grant.expires_at is not None and grant.expires_at <= now,
        id=grant.id if grant.source == MANUAL and grant.account_id == account.id else "",
    )


def ways_in(held: tuple[Credential, ...], passkeys: tuple[Passkey, ...]) -> tuple[tuple[str, Instant | None], ...]:
    """How someone can sign in, in words, each with since when."""
    found: list[tuple[str, Instant | None]] = [(f"passkey “{one.label}”", one.created_at) for one in passkeys]
    found += [("password", one.created_at) for one in held if one.kind is CredentialKind.PASSWORD]
    found += [(f"code from “{one.label}”", one.created_at) for one in second_factors(held)]
    left = recovery_codes_left(held)
    if left:
        found.append((f"{left} recovery codes", None))
    return tuple(found)
