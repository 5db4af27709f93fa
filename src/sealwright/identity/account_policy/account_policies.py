"""Show and change the account policies of groups."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from sealwright.access import Actor, Permission
from sealwright.audit import Audit, Event, changes_between
from sealwright.clock import in_words
from sealwright.db import Database, Transaction
from sealwright.errors import InvalidInput, NotFound
from sealwright.identity.account_policy import store
from sealwright.identity.account_policy.models import CredentialMinimum, GroupPolicy
from sealwright.identity.directory.authorized_changes import AuthorizedChanges
from sealwright.identity.directory.directory import Directory
from sealwright.identity.directory.store import lock_directory
from sealwright.password_strength import MIN_PASSWORD

SHORTEST = timedelta(minutes=1)
LONGEST_AUTH = timedelta(days=30)
LONGEST_PRIVILEGE = timedelta(hours=1)
LONGEST_MINIMUM = 64
"""Characters of a password."""


class AccountPolicies:
    """Changing one needs the permission to hand out roles: a weaker policy opens the accounts of administrators, too."""

    def __init__(self, db: Database, audit: Audit, directory: Directory, changes: AuthorizedChanges) -> None:
        self._db = db
        self._audit = audit
        self._directory = directory
        self._changes = changes

    async def show(self, who: str, *, actor: Actor) -> GroupPolicy | None:
        """What a group asks for; None where it has no policy."""
        group = await self._directory.show_group(who, actor=actor)
        return await store.of_group(self._db, group.id)

    async def change(
        self,
        who: str,
        *,
        auth_expiry: timedelta | UnsetType | None = UNSET,
        privilege_expiry: timedelta | UnsetType | None = UNSET,
        credential_minimum: CredentialMinimum | UnsetType | None = UNSET,
        password_minimum_length: int | UnsetType | None = UNSET,
        self_mail_write: bool | UnsetType | None = UNSET,
        actor: Actor,
    ) -> GroupPolicy:
        """Set the members that are given: None removes one, UNSET keeps it. A group without a policy gets one.

        Durations and minimum count from the next sign-in of each member on; the rest counts at once. A duration that is longer
        than the settings allow shortens nothing: the settings are what no group goes beyond.
        """
        given = {
            "auth_expiry": _within(auth_expiry, "/auth_expiry", "A sign-in", LONGEST_AUTH),
            "privilege_expiry": _within(privilege_expiry, "/privilege_expiry", "The time for changes", LONGEST_PRIVILEGE),
            "credential_minimum": credential_minimum,
            "password_minimum_length": _length(password_minimum_length),
            "self_mail_write": self_mail_write,
        }

        async def body(tx: Transaction) -> GroupPolicy:
            await lock_directory(tx)
            group = await self._directory.group_in(tx, who)
            await self._changes.require_over_group(tx, actor, group, "change the account policy of")
            before = await store.of_group(tx, group.id) or GroupPolicy(group.name)
            changed: dict[str, Any] = {name: value for name, value in given.items() if value is not UNSET}
            after = replace(before, group=group.name, **changed)
            await store.put(tx, group.id, after)
            details: dict[str, object] = {"name": group.name, "policy": _details(after), "policy_before": _details(before)}
            details["changes"] = changes_between(_details(before), _details(after))
            await self._audit.record(tx, Event.ACCOUNT_POLICY_CHANGED, actor=actor, target=f"group:{group.id}", details=details)
            return after

        return await self._changes.run(Event.ACCOUNT_POLICY_CHANGED, Permission.ROLE_WRITE, actor, f"group:{who}", body)

    async def remove(self, who: str, *, actor: Actor) -> None:
        """Remove the account policy of a group."""

        async def body(tx: Transaction) -> None:
            await lock_directory(tx)
            group = await self._directory.group_in(tx, who)
            await self._changes.require_over_group(tx, actor, group, "change the account policy of")
            before = await store.of_group(tx, group.id)
            if before is None or not await store.remove(tx, group.id):
                raise NotFound(f"The group {group.name} has no account policy.")
            details = {"name": group.name, "policy": None, "changes": changes_between(_details(before), {})}
            await self._audit.record(tx, Event.ACCOUNT_POLICY_CHANGED, actor=actor, target=f"group:{group.id}", details=details)

        await self._changes.run(Event.ACCOUNT_POLICY_CHANGED, Permission.ROLE_WRITE, actor, f"group:{who}", body)


def _within(duration: timedelta | UnsetType | None, pointer: str, what: str, longest: timedelta) -> timedelta | UnsetType | None:
    if isinstance(duration, timedelta) and not SHORTEST <= duration <= longest:
        raise InvalidInput(
            f"{what} cannot last {in_words(duration)}.",
            reasons=(f"{in_words(SHORTEST)} to {in_words(longest)} are allowed",),
            pointer=pointer,
        )
    return duration


def _length(length: int | UnsetType | None) -> int | UnsetType | None:
    if isinstance(length, int) and not MIN_PASSWORD <= length <= LONGEST_MINIMUM:
        raise InvalidInput(
            f"Passwords cannot be asked to have {length} characters.",
            reasons=(f"{MIN_PASSWORD} to {LONGEST_MINIMUM} are allowed; every password has {MIN_PASSWORD} in any case",),
            pointer="/password_minimum_length",
        )
    return length


def _details(policy: GroupPolicy) -> dict[str, object]:
    return {
        "auth_expiry": None if policy.auth_expiry is None else policy.auth_expiry.total_seconds(),
        "privilege_expiry": None if policy.privilege_expiry is None else policy.privilege_expiry.total_seconds(),
        "credential_minimum": policy.credential_minimum,
        "password_minimum_length": policy.password_minimum_length,
        "self_mail_write": policy.self_mail_write,
    }
