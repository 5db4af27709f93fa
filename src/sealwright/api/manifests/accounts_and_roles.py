"""Service accounts, and roles with who holds them, of a manifest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from sealwright.access import MANUAL_SOURCE, Actor, Permission, require
from sealwright.api.manifests.accounts import delete_account, instant_in, set_disabled, set_validity
from sealwright.api.manifests.changes import Differences, at, difference
from sealwright.api.manifests.entries import moment_entry, service_account_entry
from sealwright.api.manifests.names import names_by_pages
from sealwright.api.manifests.people import PAGE
from sealwright.api.manifests.targets import Targets
from sealwright.errors import InvalidInput
from sealwright.identity import MOST_GRANTS, Account, AccountKind, GrantHolder, KnownRole, RoleNotFound, check_display_name

_HOLDERS = ("groups", "people")


class ManifestServiceAccounts:
    """Service accounts: created, changed, deleted. Their tokens are made by hand."""

    def __init__(self, targets: Targets, actor: Actor) -> None:
        self._directory = targets.directory
        self._actor = actor

    async def current(self, name: str) -> dict[str, Any] | None:
        """What the server has of a service account; None where there is none."""
        require(self._actor, Permission.PERSON_READ)
        account = await self._directory.find(name)
        return None if account is None or account.kind is not AccountKind.SERVICE else await self._entry(account)

    async def entries(self, after: str, at_most: int) -> list[tuple[str, dict[str, Any]]]:
        """Names and entries of service accounts after a name, by name."""
        found = await self._directory.list_service_accounts(actor=self._actor, beyond=after, at_most=at_most)
        return [(each.name, await self._entry(each)) for each in found]

    def names(self) -> AsyncIterator[str]:
        """The names of all service accounts."""
        list_them = self._directory.list_service_accounts
        return names_by_pages(lambda after: list_them(actor=self._actor, beyond=after, at_most=PAGE))

    async def create(self, name: str, entry: Mapping[str, Any]) -> Differences:
        """Create a service account without a token; returns its members."""
        if "display_name" not in entry:
            raise InvalidInput(f"There is no service account {name!r} yet, and a new one needs a display_name.")
        manager = entry.get("managed_by")
        await self._directory.create_service_account(name, entry["display_name"], managed_by=manager, actor=self._actor)
        await self.change(name, await self.current(name) or {}, entry)
        return {member: (None, value) for member, value in self._wanted(entry).items() if value not in (None, False)}

    async def change(self, name: str, current: Mapping[str, Any], entry: Mapping[str, Any]) -> Differences:
        """Make a service account what the entry says; returns what is different."""
        wanted = self._wanted(entry)
        differs = difference(current, wanted)
        if "display_name" in differs:
            await self._directory.update_person(name, display_name=wanted["display_name"], actor=self._actor)
        if "managed_by" in differs:
            await self._directory.set_service_account_manager(name, wanted["managed_by"], actor=self._actor)
        if "valid_from" in differs or "valid_until" in differs:
            await set_validity(self._directory, name, current, wanted, self._actor)
        if "disabled" in differs:
            await set_disabled(self._directory, name, wanted["disabled"], self._actor)
        return differs

    async def delete(self, name: str) -> None:
        """Delete a service account; never the one who asks for it."""
        await delete_account(self._directory, name, "service_accounts", self._actor)

    def _wanted(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        wanted = dict(entry)
        if "display_name" in entry:
            wanted["display_name"] = check_display_name(entry["display_name"])
        if entry.get("managed_by"):
            wanted["managed_by"] = self._directory.local_name(entry["managed_by"])
        for member in ("valid_from", "valid_until"):
            if member in entry:
                wanted[member] = moment_entry(instant_in(entry, member))
        return wanted

    async def _entry(self, account: Account) -> dict[str, Any]:
        manager = await self._directory.manager_of(account)
        return service_account_entry(account, None if manager is None else self._directory.local_name(manager))


class ManifestRoles:
    """Roles, and the groups and people that hold them for everything and without an end. Other grants are left alone."""

    def __init__(self, targets: Targets, actor: Actor) -> None:
        self._roles = targets.roles
        self._directory = targets.directory
        self._actor = actor

    async def current(self, name: str) -> dict[str, Any] | None:
        """What the server has of a role; None where there is none."""
        try:
            return await self._entry(await self._roles.find(name, actor=self._actor))
        except RoleNotFound:
            return None

    async def entries(self, after: str, at_most: int) -> list[tuple[str, dict[str, Any]]]:
        """Names and entries of roles after a name, by name; of built-in ones those that someone was granted by hand."""
        found = {each.id: await self._entry(each) for each in await self._roles.list_roles(actor=self._actor)}
        shown = sorted((name, entry) for name, entry in found.items() if name > after and any(entry.values()))
        return shown[:at_most]

    async def names(self) -> AsyncIterator[str]:
        """The names of the roles that can be deleted."""
        for each in await self._roles.list_roles(actor=self._actor):
            if not each.builtin:
                yield each.id

    async def create(self, name: str, entry: Mapping[str, Any]) -> Differences:
        """Make a role; returns its members."""
        made = await self._roles.create(
            name, description=entry.get("description", ""), permissions=entry.get("permissions", ()), actor=self._actor
        )
        shown = {"description": made.description, "permissions": sorted(map(str, made.permissions))}
        held = await self._set_holders(name, {}, entry)
        return {**{member: (None, value) for member, value in shown.items() if value}, **held}

    async def change(self, name: str, current: Mapping[str, Any], entry: Mapping[str, Any]) -> Differences:
        """Make a role what the entry says; returns what is different."""
        wanted = {member: entry[member] for member in ("description", "permissions") if member in entry}
        if "permissions" in wanted:
            wanted["permissions"] = sorted(set(wanted["permissions"]))
        differs = difference({"description": "", "permissions": [], **current}, wanted)
        if differs:
            await self._roles.change(name, **{member: wanted[member] for member in differs}, actor=self._actor)
        return {**differs, **await self._set_holders(name, current, entry)}

    async def delete(self, name: str) -> None:
        """Delete a role that no one holds."""
        await self._roles.delete(name, actor=self._actor)

    async def _set_holders(self, name: str, current: Mapping[str, Any], entry: Mapping[str, Any]) -> Differences:
        differs: dict[str, tuple[Any, Any]] = {}
        for member in _HOLDERS:
            if member not in entry:
                continue
            is_group = member == "groups"
            held = current.get(member, [])
            wanted = sorted({self._directory.local_name(each) for each in entry[member]})
            for holder in (each for each in wanted if each not in held):
                with at(member):
                    named = (None, holder) if is_group else (holder, None)
                    await self._roles.grant(name, person=named[0], group=named[1], actor=self._actor)
            gone = {each for each in held if each not in wanted}
            for each in await self._grants(name) if gone else ():
                if each.holder in gone and (each.grant.group_id is not None) is is_group:
                    await self._roles.withdraw(each.grant.id, actor=self._actor)
            if held != wanted:
                differs[member] = (held, wanted)
        return differs

    async def _grants(self, name: str) -> list[GrantHolder]:
        """Those that a manifest can hold: made by hand, for everything, and without an end."""
        found = await self._roles.list_grants(role=name, at_most=MOST_GRANTS, actor=self._actor)
        return [
            each
            for each in found
            if each.grant.source == MANUAL_SOURCE and each.grant.scope is None and each.grant.expires_at is None
        ]

    async def _entry(self, role: KnownRole) -> dict[str, Any]:
        grants = await self._grants(role.id)
        holders = {
            "groups": sorted(each.holder for each in grants if each.grant.group_id is not None),
            "people": sorted(each.holder for each in grants if each.grant.account_id is not None),
        }
        described = {"description": role.description, "permissions": sorted(map(str, role.permissions))}
        return holders if role.builtin else {**described, **holders}
