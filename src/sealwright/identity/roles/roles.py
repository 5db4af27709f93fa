"""Make roles, and grant them to accounts and groups."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from sealwright.access import (
    DYNAMIC_GROUPS,
    MANUAL_SOURCE,
    ROLES,
    SYSTEM,
    Actor,
    CustomRole,
    Permission,
    Permissions,
    Role,
    RoleGrant,
    Scope,
    require,
    require_at_least,
)
from sealwright.access import store as access_store
from sealwright.access.approvals import ApprovalPending, ApprovalRequest, Approvals, RequestKind
from sealwright.audit import Audit, Event, changes_between
from sealwright.clock import Clock, Instant
from sealwright.db import Database, Transaction
from sealwright.entropy import Entropy, uuid4
from sealwright.identity.directory import store
from sealwright.identity.directory.authorized_changes import AuthorizedChanges, require_remaining_administrator
from sealwright.identity.directory.guarded_roles import ApprovalNeeded, require_no_approval, rules_over
from sealwright.identity.errors import AccountNotFound, BuiltIn, GroupNotFound
from sealwright.identity.models import Account, Group
from sealwright.identity.policy import check_description, local_name, printable
from sealwright.identity.roles.errors import (
    AlreadyGranted,
    GrantNotFound,
    NotByHand,
    RoleInUse,
    RoleNotFound,
    RoleRefused,
    RoleTaken,
)
from sealwright.identity.roles.held_grants import grant_in, hold_grant, requester_of
from sealwright.identity.upstream import store as upstream

_ROLE_ID = re.compile(r"r-[a-z][a-z0-9-]{0,60}")
MOST_GRANTS = 1_000


class KnownRole(Struct, frozen=True):
    """A role, built in or made by an administrator."""

    id: str
    description: str
    permissions: frozenset[Permission]
    builtin: bool


class GrantHolder(Struct, frozen=True):
    """A grant, and the name of the account or group that holds it."""

    grant: RoleGrant
    holder: str


class Roles:
    """Operations on roles. Each checks that `actor` is permitted, and leaves an audit row.

    No one makes, changes or grants a role that carries more than they hold themselves, within the scope of the grant.
    """

    def __init__(
        self, db: Database, audit: Audit, clock: Clock, entropy: Entropy, *, changes: AuthorizedChanges, domain: str
    ) -> None:
        """`domain`: the part after the @ of an SPN."""
        self._db = db
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._changes = changes
        self._domain = domain
        self._approvals: Approvals | None = None

    def use_approvals(self, approvals: Approvals) -> None:
        """Hold the grants that need approval there; without it, they are refused."""
        self._approvals = approvals
        approvals.appliers[RequestKind.ROLE_GRANT] = self._make_approved

    async def list_roles(self, *, actor: Actor) -> list[KnownRole]:
        """Every role: the built-in ones, then the others by id."""
        require(actor, Permission.ROLE_READ)
        return await _all_roles(self._db)

    async def find(self, role_id: str, *, actor: Actor) -> KnownRole:
        """One role, or RoleNotFound."""
        require(actor, Permission.ROLE_READ)
        return await find_role(self._db, role_id)

    async def create(self, role_id: str, *, description: str, permissions: Iterable[str], actor: Actor) -> KnownRole:
        """Make a role. Its id begins with ``r-``."""
        role = CustomRole(_checked_id(role_id), check_description(description), _checked_permissions(permissions))

        async def body(tx: Transaction) -> KnownRole:
            require_at_least(actor, Permissions(role.permissions), f"make the role {role.id}")
            if role.id in list(Role) or not await access_store.insert_role(tx, role, self._clock.now()):
                raise RoleTaken(f"The role {role.id} exists already.")
            await self._record(tx, Event.ROLE_CREATED, actor, role.id, {"permissions": sorted(role.permissions)})
            return _known(role)

        return await self._changes.run(Event.ROLE_CREATED, Permission.ROLE_WRITE, actor, _target(role_id), body)

    async def change(
        self, role_id: str, *, description: str | None = None, permissions: Iterable[str] | None = None, actor: Actor
    ) -> KnownRole:
        """Replace the description or the permissions of a role, at once for everyone who holds it."""
        allowed = None if permissions is None else _checked_permissions(permissions)
        text = None if description is None else check_description(description)

        async def body(tx: Transaction) -> KnownRole:
            await store.lock_directory(tx)
            before = await self._changeable(tx, role_id)
            after = CustomRole(
                before.id, before.description if text is None else text, before.permissions if allowed is None else allowed
            )
            require_at_least(actor, Permissions(before.permissions | after.permissions), f"change the role {before.id}")
            await require_no_approval(tx, actor, after.permissions, f"change the role {before.id}", before=before.permissions)
            await access_store.change_role(tx, after)
            details = {
                "added": sorted(after.permissions - before.permissions),
                "removed": sorted(before.permissions - after.permissions),
                "changes": changes_between(before, _known(after)),
            }
            await self._record(tx, Event.ROLE_CHANGED, actor, before.id, details)
            return _known(after)

        return await self._changes.run(Event.ROLE_CHANGED, Permission.ROLE_WRITE, actor, _target(role_id), body)

    async def delete(self, role_id: str, *, actor: Actor) -> None:
        """Delete a role that no one holds, and that no group of an identity provider gives: another may get its id."""

        async def body(tx: Transaction) -> None:
            await store.lock_directory(tx)
            role = await self._changeable(tx, role_id)
            require_at_least(actor, Permissions(role.permissions), f"delete the role {role.id}")
            held = await self._holders(tx, await access_store.list_grants(tx, role=role.id, at_most=MOST_GRANTS))
            if held:
                names = ", ".join(each.holder for each in held)
                raise RoleInUse(f"The role {role.id} is held by {names}.", hint="Withdraw these grants first.")
            given = await upstream.groups_giving(tx, role.id)
            if given:
                names = ", ".join(f"the group {group} of {provider}" for provider, group in given)
                raise RoleInUse(f"The role {role.id} is given by {names}.", hint="Remove these mappings first.")
            await access_store.delete_role(tx, role.id)
            await self._record(tx, Event.ROLE_DELETED, actor, role.id, {})

        await self._changes.run(Event.ROLE_DELETED, Permission.ROLE_WRITE, actor, _target(role_id), body)

    async def list_grants(self, *, role: str = "", beyond: str = "", at_most: int, actor: Actor) -> list[GrantHolder]:
        """Grants by id, also those that have ended; with `role` those of that role."""
        require(actor, Permission.ROLE_READ)
        found = await access_store.list_grants(self._db, role=printable(role), beyond=printable(beyond), at_most=at_most)
        return await self._holders(self._db, found)

    async def held_by(self, account_id: str, *, actor: Actor) -> list[GrantHolder]:
        """The grants to an account and to its groups, with the name of which of them holds each."""
        require(actor, Permission.ROLE_READ)
        return await self._holders(self._db, await access_store.grants_held(self._db, account_id))

    async def require_may_grant(self, role_id: str, *, actor: Actor) -> None:
        """Raise NotPermitted, recorded, unless `actor` may grant roles: before anything is said of what a scope could name."""
        await self._changes.require(Event.ROLE_GRANTED, Permission.ROLE_WRITE, actor, _target(role_id))

    async def grant(
        self,
        role_id: str,
        *,
        person: str | None = None,
        group: str | None = None,
        scope: Scope | None = None,
        expires_at: Instant | None = None,
        actor: Actor,
    ) -> GrantHolder:
        """Let an account, or the members of a group, hold a role. `person` and `group`: one of the two, by name, SPN or id."""
        if (person is None) is (group is None):
            raise RoleRefused("A role is granted to a person or to a group: name one of the two.")

        async def body(tx: Transaction) -> GrantHolder | ApprovalPending:
            await store.lock_directory(tx)
            role = await find_role(tx, role_id)
            holder = await self._holder(tx, person, group)
            self._require_may_hand_out(actor, role, scope, f"grant the role {role.id}")
            now = self._clock.now()
            if expires_at is not None and expires_at <= now:
                detail = "The grant would have ended already."
                raise RoleRefused(detail, hint="Give a time that is still to come.", pointer="/expires_at")
            grant = RoleGrant(
                id=uuid4(self._entropy),
                role=role.id,
                account_id=holder.id if isinstance(holder, Account) else None,
                group_id=holder.id if isinstance(holder, Group) else None,
                scope=scope,
                source=MANUAL_SOURCE,
                created_by=actor.id,
                created_at=now,
                expires_at=expires_at,
            )
            await self._require_new(tx, grant, holder.name, now)
            rules = [] if actor is SYSTEM else await rules_over(tx, role.permissions)
            if rules:
                if self._approvals is None:
                    raise ApprovalNeeded(f"Grants of the role {role.id} need approval, for which this is not the place.")
                return await hold_grant(tx, self._approvals, rules, grant, role.permissions, holder=holder.name, actor=actor)
            return await self._insert(tx, grant, holder.name, actor)

        made = await self._changes.run(Event.ROLE_GRANTED, Permission.ROLE_WRITE, actor, _target(role_id), body)
        if isinstance(made, ApprovalPending):
            raise made
        return made

    async def _make_approved(self, tx: Transaction, request: ApprovalRequest) -> str:
        """Make a grant that was approved, if who asked may still hand the role out, and it is the role that was approved."""
        await store.lock_directory(tx)
        now = self._clock.now()
        actor = await requester_of(tx, request, now)
        require(actor, Permission.ROLE_WRITE)
        role = await find_role(tx, request.content["role"])
        grant = grant_in(request, role.permissions, now)
        self._require_may_hand_out(actor, role, grant.scope, f"grant the role {role.id}")
        (holder,) = await self._holders(tx, [grant])
        if holder.holder in (grant.account_id, grant.group_id):
            raise RoleRefused(f"{request.content['holder']} does not exist any more.")
        await self._require_new(tx, grant, holder.holder, now)
        await self._insert(tx, grant, holder.holder, actor)
        return grant.id

    async def _insert(self, tx: Transaction, grant: RoleGrant, holder: str, actor: Actor) -> GrantHolder:
        await access_store.insert_grant(tx, grant)
        await self._record(tx, Event.ROLE_GRANTED, actor, grant.role, _details(grant, holder))
        return GrantHolder(grant, holder)

    async def withdraw(self, grant_id: str, *, actor: Actor) -> None:
        """Take a grant back that was made by hand. What its holder may do by it ends with their next request."""

        async def body(tx: Transaction) -> None:
            await store.lock_directory(tx)
            found = await access_store.find_grant(tx, printable(grant_id))
            if found is None:
                raise GrantNotFound(f"There is no grant {printable(grant_id)!r}.", hint="List the grants to see their ids.")
            if found.source != MANUAL_SOURCE:
                raise NotByHand(f"The grant {found.id} was not made by hand.", reasons=(f"its source is {found.source}",))
            role = await find_role(tx, found.role)
            self._require_may_hand_out(actor, role, found.scope, f"withdraw the role {role.id}")
            (holder,) = await self._holders(tx, [found])
            async with require_remaining_administrator(tx, self._clock.now()):
                await access_store.delete_grant(tx, found.id)
            await self._record(tx, Event.ROLE_WITHDRAWN, actor, found.role, _details(found, holder.holder))

        await self._changes.run(Event.ROLE_WITHDRAWN, Permission.ROLE_WRITE, actor, f"grant:{printable(grant_id)}", body)

    @staticmethod
    def _require_may_hand_out(actor: Actor, role: KnownRole, scope: Scope | None, what: str) -> None:
        require_at_least(actor, Permissions.within(role.permissions, scope), what)

    async def _require_new(self, tx: Transaction, grant: RoleGrant, holder: str, now: Instant) -> None:
        for each in await access_store.list_grants(tx, role=grant.role, at_most=MOST_GRANTS + 1):
            same = (each.account_id, each.group_id, each.scope) == (grant.account_id, grant.group_id, grant.scope)
            if same and (each.expires_at is None or each.expires_at > now):
                raise AlreadyGranted(f"{holder} holds the role {grant.role} already.", reasons=(f"by the grant {each.id}",))

    async def _changeable(self, tx: Transaction, role_id: str) -> KnownRole:
        role = await find_role(tx, role_id)
        if role.builtin:
            raise BuiltIn(f"The role {role.id} is built in: you cannot change it.", hint="Make a role of your own instead.")
        return role

    async def _holder(self, tx: Transaction, person: str | None, group: str | None) -> Account | Group:
        if person is not None:
            account = await store.find_account(tx, local_name(person, self._domain))
            if account is None:
                raise AccountNotFound(f"There is no person {printable(person)!r}.")
            return account
        found = await store.find_group(tx, local_name(group or "", self._domain))
        if found is None:
            raise GroupNotFound(f"There is no group {printable(group or '')!r}.")
        if (await store.groups_below(tx, found.id) | {found.id}) & DYNAMIC_GROUPS:
            raise BuiltIn(f"No role can be granted to {found.name}.", reasons=("everyone who is ever created would hold it",))
        return found

    async def _holders(self, reader: Database | Transaction, grants: Sequence[RoleGrant]) -> list[GrantHolder]:
        found = []
        for each in grants:
            if each.account_id is not None:
                account = await store.account(reader, each.account_id)
                holder = each.account_id if account is None else account.name
            else:
                group = await store.find_group(reader, each.group_id or "")
                holder = each.group_id or "" if group is None else group.name
            found.append(GrantHolder(each, holder))
        return found

    async def _record(self, tx: Transaction, event: Event, actor: Actor, role_id: str, details: Mapping[str, object]) -> None:
        await self._audit.record(tx, event, actor=actor, target=f"role:{role_id}", details=details)


async def _all_roles(reader: Database | Transaction) -> list[KnownRole]:
    builtin = [KnownRole(str(role), description, permissions, builtin=True) for role, (description, permissions) in ROLES.items()]
    return builtin + [_known(each) for each in await access_store.custom_roles(reader)]


async def find_role(reader: Database | Transaction, role_id: str) -> KnownRole:
    """One role, or RoleNotFound; for packages that check permission themselves."""
    found = [each for each in await _all_roles(reader) if each.id == role_id]
    if not found:
        raise RoleNotFound(f"There is no role {printable(role_id)!r}.", hint="List the roles to see their ids.")
    return found[0]


async def role_id(reader: Database | Transaction, given: str) -> str | None:
    """The id of a role; None where there is none of this id."""
    return next((each.id for each in await _all_roles(reader) if each.id == given), None)


def _known(role: CustomRole) -> KnownRole:
    return KnownRole(role.id, role.description, role.permissions, builtin=False)


def _target(role_id: str) -> str:
    return f"role:{printable(role_id)}"


def _details(grant: RoleGrant, holder: str) -> dict[str, object]:
    scope = "everything" if grant.scope is None else str(grant.scope)
    return {"grant": grant.id, "holder": holder, "scope": scope, "expires_at": grant.expires_at}


def _checked_id(role_id: str) -> str:
    if not _ROLE_ID.fullmatch(role_id):
        raise RoleRefused(
            f"{printable(role_id)!r} cannot be the id of a role.",
            reasons=("it begins with 'r-' and a letter a to z; then come letters a to z, digits and '-'; at most 63 characters",),
            pointer="/id",
        )
    return role_id


def _checked_permissions(permissions: Iterable[str]) -> frozenset[Permission]:
    known = {str(each): each for each in Permission}
    given = set(permissions)
    unknown = sorted(given - set(known))
    if unknown:
        detail = f"{printable(unknown[0])!r} is not a permission."
        raise RoleRefused(detail, reasons=(f"there are {', '.join(known)}",), pointer="/permissions")
    if not given:
        detail = "A role needs at least one permission."
        raise RoleRefused(detail, reasons=(f"there are {', '.join(known)}",), pointer="/permissions")
    return frozenset(known[each] for each in given)
