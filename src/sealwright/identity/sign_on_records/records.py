"""What is kept of each sign-in with a provider, and its explanation: claim, groups, mappings, roles, permissions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from msgspec import Struct

from sealwright.access import Actor, Permission, require
from sealwright.db import Database
from sealwright.identity.policy import printable
from sealwright.identity.roles.errors import RoleNotFound
from sealwright.identity.roles.roles import find_role
from sealwright.identity.sign_on_records import store
from sealwright.identity.upstream import store as upstream
from sealwright.identity.upstream.errors import SignInNotFound
from sealwright.identity.upstream.models import GroupMapping, SeenGroups, SignInRecord, nearest

RECORDS_KEPT = timedelta(days=30)
MOST_GROUPS_KEPT = 200
LONGEST_GROUP_KEPT = 200


class RoleByGroup(Struct, frozen=True):
    """A role that a group gives, and what it allows now."""

    group: str
    role: str
    permissions: tuple[str, ...]
    """Empty where the role is gone."""


class SignInExplanation(Struct, frozen=True):
    """Why a sign-in came out as it did, and how it would now."""

    record: SignInRecord
    account_name: str
    given: tuple[RoleByGroup, ...]
    """What the groups gave then."""
    given_now: tuple[RoleByGroup, ...]
    """What the same groups would give by the mappings of now."""
    unmapped: tuple[str, ...]
    """Groups that gave nothing."""

    @property
    def permissions(self) -> tuple[str, ...]:
        """Everything that the groups gave."""
        return tuple(sorted({each for role in self.given for each in role.permissions}))


class SignInRecords:
    """Reads what is kept. Nothing of a token is kept but its `sub` and groups, and that of verified ones only."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def newest(
        self, *, provider_id: str = "", older_than: SignInRecord | None = None, at_most: int, actor: Actor
    ) -> list[SignInRecord]:
        """The newest sign-ins, of one provider or of all."""
        require(actor, Permission.OIDC_PROVIDER_READ)
        return await store.newest(self._db, provider_id=printable(provider_id), older_than=older_than, at_most=at_most)

    async def find(self, sign_in_id: str, *, actor: Actor) -> SignInRecord:
        """One of them, or SignInNotFound."""
        require(actor, Permission.OIDC_PROVIDER_READ)
        found = await store.find(self._db, printable(sign_in_id))
        if found is None:
            raise SignInNotFound(
                f"There is no record of a sign-in {printable(sign_in_id, 80)!r}.",
                hint=f"Records of sign-ins are kept for {RECORDS_KEPT.days} days.",
            )
        return found

    async def explain(self, sign_in_id: str, *, actor: Actor) -> SignInExplanation:
        """Claim, groups, mappings, roles and permissions of a sign-in, or the check that failed."""
        record = await self.find(sign_in_id, actor=actor)
        mappings = await upstream.mappings_of(self._db, record.provider_id)
        now = [(each.group_name, each.role) for each in mappings if each.group_name in record.seen.groups]
        mapped = {group for group, _ in record.seen.mapped}
        return SignInExplanation(
            record=record,
            account_name=await store.account_name(self._db, record.account_id),
            given=await self._roles(record.seen.mapped),
            given_now=await self._roles(now),
            unmapped=tuple(each for each in record.seen.groups if each not in mapped),
        )

    async def _roles(self, mapped: Sequence[tuple[str, str]]) -> tuple[RoleByGroup, ...]:
        found = []
        for group, role_id in mapped:
            try:
                permissions = tuple(sorted(map(str, (await find_role(self._db, role_id)).permissions)))
            except RoleNotFound:
                permissions = ()
            found.append(RoleByGroup(group, role_id, permissions))
        return tuple(found)


def seen_groups(claim: str, source: str, groups: Sequence[str], mappings: Sequence[GroupMapping]) -> SeenGroups:
    """What is kept of the groups that a provider named."""
    kept = tuple(printable(each, LONGEST_GROUP_KEPT) for each in groups[:MOST_GROUPS_KEPT])
    named = frozenset(groups)
    mapped = tuple((each.group_name, each.role) for each in mappings if each.group_name in named)
    names = [each.group_name for each in mappings]
    near = [(each, found) for each in kept if each not in names and (found := nearest(each, names)) is not None]
    return SeenGroups(claim, source, kept, len(groups), mapped, tuple(near))
