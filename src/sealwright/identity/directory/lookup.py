"""Find accounts and groups."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from sealwright.access import Actor, Permission, require
from sealwright.audit import Audit
from sealwright.clock import Clock
from sealwright.db import Database, Transaction
from sealwright.entropy import Entropy
from sealwright.errors import Action, Remedy
from sealwright.identity.directory import store
from sealwright.identity.directory.authorized_changes import AuthorizedChanges
from sealwright.identity.errors import AccountNotFound, GroupNotFound, MemberNotFound
from sealwright.identity.models import SYSTEM_ACCOUNTS, Account, AccountKind, AccountStatus, Group, Members
from sealwright.identity.policy import local_name, printable, searchable, spn
from sealwright.identity.sessions import Sessions

ClientsOfGroup = Callable[[Database | Transaction, str], Awaitable[Sequence[str]]]
"""Group id → names of the clients that have a scope map for it."""

PAGE = 100
LONGEST_PAGE = 1_000
MOST_MANAGED = 100
"""Names on an account page."""


class MembersPage(Struct, frozen=True):
    """Some of the members of a group."""

    accounts: tuple[Account, ...]
    next: str
    """Empty on the last page."""


class ManagedNames(Struct, frozen=True):
    """Names of what someone manages."""

    groups: tuple[str, ...]
    service_accounts: tuple[str, ...]


class DirectoryLookup:
    """Read operations. Those without an actor are for other packages, which check permission themselves."""

    def __init__(
        self,
        db: Database,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        sessions: Sessions,
        *,
        changes: AuthorizedChanges,
        clients_of_group: ClientsOfGroup,
        domain: str,
    ) -> None:
        """`clients_of_group`: which applications a group lets its members use; `domain`: the part after the @ of an SPN."""
        self._db = db
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._sessions = sessions
        self._changes = changes
        self._clients_of_group = clients_of_group
        self._domain = domain

    def spn_of(self, account: Account) -> str:
        """``name@domain``."""
        return spn(account.name, self._domain)

    def local_name(self, text: str) -> str:
        """The name in a name or SPN of this domain; anything else comes back as it is."""
        return local_name(text, self._domain)

    async def find(self, name_or_spn_or_id: str) -> Account | None:
        """The account with this name, SPN or id."""
        return await store.find_account(self._db, local_name(name_or_spn_or_id, self._domain))

    async def account(self, account_id: str) -> Account | None:
        """The account with this id."""
        return await store.account(self._db, searchable(account_id))

    async def status_of(self, account_id: str) -> AccountStatus:
        """Whether the account may act now, read afresh; an account that does not exist (any more) may not."""
        found = await store.status_of(self._db, searchable(account_id), self._clock.now())
        return AccountStatus(active=False, reason="the account does not exist") if found is None else found

    async def find_group(self, name_or_spn_or_id: str) -> Group | None:
        """The group with this name, SPN or id."""
        return await store.find_group(self._db, local_name(name_or_spn_or_id, self._domain))

    async def groups_of(self, account_id: str) -> tuple[Group, ...]:
        """Every group that the account is in, directly or through other groups, by name."""
        return tuple(await store.groups_of(self._db, account_id))

    async def show_person(self, who: str, *, actor: Actor) -> Account:
        """An account, for its owner and for actors who may read people."""
        found = await self.find(who)
        if found is None or found.id != actor.id:
            require(actor, Permission.PERSON_READ)
        return self._known_account(found, who)

    async def id_for(self, who: str, permission: Permission, *, actor: Actor) -> str:
        """The id of an account, for its owner and for actors who hold `permission`."""
        found = await self.find(who)
        if found is None or found.id != actor.id:
            require(actor, permission)
        return self._known_account(found, who).id

    async def list_people(self, *, actor: Actor, search: str = "", beyond: str = "", at_most: int = PAGE) -> tuple[Account, ...]:
        """People by name, after the name `beyond`; with `search`, those with words that begin so (see `name_search`)."""
        require(actor, Permission.PERSON_READ)
        text, after = searchable(search), searchable(beyond)
        return tuple(await store.accounts_page(self._db, AccountKind.PERSON, search=text, beyond=after, at_most=_page(at_most)))

    async def show_group(self, who: str, *, actor: Actor) -> Group:
        """A group, for actors who may read groups, and for the one who manages it."""
        found = await self.find_group(who)
        if not await self.manages(self._db, actor, found):
            require(actor, Permission.GROUP_READ)
        return self._known_group(found, who)

    async def list_groups(self, *, actor: Actor, search: str = "", beyond: str = "", at_most: int = PAGE) -> tuple[Group, ...]:
        """Groups by name, after the name `beyond`; with `search`, those with words that begin so (see `name_search`)."""
        require(actor, Permission.GROUP_READ)
        text, after = searchable(search), searchable(beyond)
        return tuple(await store.groups_page(self._db, search=text, beyond=after, at_most=_page(at_most)))

    async def manager_of(self, managed: Group | Account) -> str | None:
        """SPN of the account or name of the group that manages something; None where there is none (any more)."""
        if managed.managed_by is None:
            return None
        account = await store.account(self._db, managed.managed_by)
        if account is not None:
            return self.spn_of(account)
        found = await store.find_group(self._db, managed.managed_by)
        return None if found is None else found.name

    async def manages(self, reader: Database | Transaction, actor: Actor, managed: Group | Account | None) -> bool:
        """Whether it was given to `actor`, or to a group that they are in, to be managed."""
        if managed is None or managed.managed_by is None or not actor.id:
            return False
        if actor.id == managed.managed_by:
            return True
        return any(held.id == managed.managed_by for held in await store.groups_of(reader, actor.id))

    async def managed_by(self, account: Account) -> ManagedNames:
        """What was given to an account, or to a group that it is in, to manage; at most `MOST_MANAGED` of it."""
        found = await store.managed_by(self._db, account.id, MOST_MANAGED)
        groups = tuple(name for name, kind in found if kind == "group")
        return ManagedNames(groups, tuple(name for name, kind in found if kind == str(AccountKind.SERVICE)))

    async def is_managed_by(self, managed: Group | Account, actor: Actor) -> bool:
        """The same, outside of a transaction: for pages, which show what someone may do."""
        return await self.manages(self._db, actor, managed)

    async def _manager_in(self, tx: Transaction, who: str | None) -> str | None:
        """The id of the account or group that is to manage something."""
        if who is None:
            return None
        name = local_name(who, self._domain)
        found = await store.find_account(tx, name) or await store.find_group(tx, name)
        if found is None:
            raise MemberNotFound(
                f"There is no account or group {printable(who, 80)!r}.",
                reasons=("nothing was changed",),
                remedy=Remedy(Action.LIST_PEOPLE_AND_GROUPS),
                pointer="/managed_by",
            )
        return found.id

    async def members_of(self, who: str, *, actor: Actor) -> Members:
        """Direct members of a group."""
        group = await self.show_group(who, actor=actor)
        accounts = await store.accounts_in(self._db, group.id)
        return Members(tuple(accounts), tuple(await store.groups_in(self._db, group.id)))

    async def members_page(self, group: Group, *, beyond: str, at_most: int, actor: Actor) -> MembersPage:
        """Some of the accounts that are in a group directly, and where the next page begins; of a computed group none."""
        if not await self.manages(self._db, actor, group):
            require(actor, Permission.GROUP_READ)
        wanted = _page(at_most)
        found = await store.members_page(self._db, group.id, beyond=searchable(beyond), at_most=wanted + 1)
        by_id = sorted(found, key=lambda account: account.id)[:wanted]
        shown = tuple(sorted(by_id, key=lambda account: account.name))
        return MembersPage(shown, by_id[-1].id if len(found) > wanted else "")

    async def groups_in(self, group: Group, *, actor: Actor) -> tuple[Group, ...]:
        """The groups that are in a group directly."""
        if not await self.manages(self._db, actor, group):
            require(actor, Permission.GROUP_READ)
        return tuple(await store.groups_in(self._db, group.id))

    async def _account_in(self, tx: Transaction, who: str) -> Account:
        return self._known_account(await store.find_account(tx, local_name(who, self._domain)), who)

    async def group_in(self, tx: Transaction, who: str) -> Group:
        """The group, or GroupNotFound; for other verbs about groups."""
        return await self._group_in(tx, who)

    async def _group_in(self, tx: Transaction, who: str) -> Group:
        return self._known_group(await store.find_group(tx, local_name(who, self._domain)), who)

    def _known_account(self, found: Account | None, who: str) -> Account:
        if found is None:
            raise account_not_found(who)
        return found

    def _known_group(self, found: Group | None, who: str) -> Group:
        if found is None:
            raise GroupNotFound(f"There is no group {printable(who, 80)!r}.", remedy=Remedy(Action.LIST_GROUPS))
        return found


def _page(at_most: int) -> int:
    return min(max(at_most, 1), LONGEST_PAGE)


def account_not_found(who: str) -> AccountNotFound:
    """The error for a name that no account has."""
    reasons = (f"built in are {' and '.join(SYSTEM_ACCOUNTS)}",)
    return AccountNotFound(f"There is no account {printable(who, 80)!r}.", reasons=reasons, remedy=Remedy(Action.LIST_PEOPLE))
