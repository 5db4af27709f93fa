"""People and groups of a manifest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

from sealwright.access import Actor, Permission, require
from sealwright.api.manifests.accounts import delete_account, instant_in, set_disabled, set_validity
from sealwright.api.manifests.changes import Differences, at, difference
from sealwright.api.manifests.entries import group_entry, mail_entries, moment_entry, person_entry
from sealwright.api.manifests.names import names_by_pages
from sealwright.api.manifests.targets import Targets
from sealwright.errors import InvalidInput, in_member
from sealwright.identity import (
    Account,
    AccountKind,
    CredentialMinimum,
    Group,
    MailAddress,
    check_attributes,
    check_description,
    check_display_name,
    check_public_key,
    parse_mails,
)

PAGE = 500


class ManifestPeople:
    """People: created, changed, deleted."""

    def __init__(self, targets: Targets, actor: Actor) -> None:
        self._directory = targets.directory
        self._actor = actor

    async def current(self, name: str) -> dict[str, Any] | None:
        """What the server has of a person; None where there is none."""
        require(self._actor, Permission.PERSON_READ)
        account = await self._directory.find(name)
        if account is None or account.kind is not AccountKind.PERSON:
            return None
        return await self._entry(account)

    async def entries(self, after: str, at_most: int) -> list[tuple[str, dict[str, Any]]]:
        """Names and entries of people after a name, by name."""
        found = await self._directory.list_people(actor=self._actor, beyond=after, at_most=at_most)
        return [(each.name, await self._entry(each)) for each in found]

    def names(self) -> AsyncIterator[str]:
        """The names of all people."""
        list_them = self._directory.list_people
        return names_by_pages(lambda after: list_them(actor=self._actor, beyond=after, at_most=PAGE))

    async def create(self, name: str, entry: Mapping[str, Any]) -> Differences:
        """Create a person; returns their members."""
        wanted = _wanted_person(entry)
        if "display_name" not in wanted:
            raise InvalidInput(f"There is no person {name!r} yet, and a new one needs a display_name.")
        await self._directory.create_person(
            name,
            wanted["display_name"],
            mails=_addresses(entry),
            valid_from=instant_in(entry, "valid_from"),
            valid_until=instant_in(entry, "valid_until"),
            actor=self._actor,
        )
        new = await self.current(name)
        await self._change_rest(name, new or {}, wanted)
        return {member: (None, value) for member, value in wanted.items() if value not in (None, [], {}, False)}

    async def change(self, name: str, current: Mapping[str, Any], entry: Mapping[str, Any]) -> Differences:
        """Make a person what the entry says; returns what is different."""
        wanted = _wanted_person(entry)
        if "attributes" in wanted:
            kept = {**current["attributes"], **wanted["attributes"]}
            wanted["attributes"] = {each: value for each, value in kept.items() if value is not None}
        differs = difference(current, wanted)
        if "display_name" in differs or "mails" in differs:
            await self._directory.update_person(
                name,
                display_name=wanted.get("display_name"),
                mails=_addresses(entry) if "mails" in differs else None,
                actor=self._actor,
            )
        if "valid_from" in differs or "valid_until" in differs:
            await set_validity(self._directory, name, current, wanted, self._actor)
        await self._change_rest(name, current, wanted)
        return differs

    async def delete(self, name: str) -> None:
        """Delete a person; never the one who asks for it."""
        await delete_account(self._directory, name, "people", self._actor)

    async def _change_rest(self, name: str, current: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
        held, attributes = current.get("attributes", {}), wanted.get("attributes", {})
        new = {each: attributes.get(each) for each in {**held, **attributes} if attributes.get(each) != held.get(each)}
        if "attributes" in wanted and new:
            await self._directory.set_attributes(name, new, actor=self._actor)
        if "ssh_public_keys" in wanted:
            await self._change_keys(name, current.get("ssh_public_keys", {}), wanted["ssh_public_keys"])
        if wanted.get("disabled", current.get("disabled")) != current.get("disabled"):
            await set_disabled(self._directory, name, wanted["disabled"], self._actor)

    async def _change_keys(self, name: str, held: Mapping[str, str], wanted: Mapping[str, str]) -> None:
        for tag, key in held.items():
            if wanted.get(tag) != key:
                await self._directory.delete_ssh_key(name, tag, actor=self._actor)
        for tag, key in wanted.items():
            if held.get(tag) != key:
                with at("ssh_public_keys", tag):
                    await self._directory.add_ssh_key(name, tag, key, actor=self._actor)

    async def _entry(self, account: Account) -> dict[str, Any]:
        attributes = await self._directory.attributes_of(account.id)
        return person_entry(account, attributes, await self._directory.ssh_keys_of(account.id))


def _wanted_person(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What the entry says of a person, in the form in which it is kept; raises where it cannot be kept."""
    wanted = dict(entry)
    if "display_name" in entry:
        wanted["display_name"] = check_display_name(entry["display_name"])
    if "mails" in entry:
        wanted["mails"] = mail_entries(parse_mails(_addresses(entry)))
    for member in ("valid_from", "valid_until"):
        if member in entry:
            wanted[member] = moment_entry(instant_in(entry, member))
    if "attributes" in entry:
        wanted["attributes"] = check_attributes(entry["attributes"])
    if "ssh_public_keys" in entry:
        wanted["ssh_public_keys"] = {}
        for tag, key in entry["ssh_public_keys"].items():
            with at("ssh_public_keys", tag):
                wanted["ssh_public_keys"][tag] = check_public_key(key)
    return wanted


def _addresses(entry: Mapping[str, Any]) -> list[MailAddress]:
    given = [each if isinstance(each, dict) else {"address": each} for each in entry.get("mails", ())]
    return [MailAddress(each["address"], verified=each.get("verified", True)) for each in given]


def _duration(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=max(-1, min(seconds, 10**9)))


class ManifestGroups:
    """Groups: created, described, deleted; and who is in them, which comes after people."""

    def __init__(self, targets: Targets, actor: Actor) -> None:
        self._directory = targets.directory
        self._policies = targets.account_policies
        self._actor = actor

    async def current(self, name: str) -> dict[str, Any] | None:
        """What the server has of a group; None where there is none."""
        require(self._actor, Permission.GROUP_READ)
        group = await self._directory.find_group(name)
        return None if group is None else await self._entry(group)

    async def entries(self, after: str, at_most: int) -> list[tuple[str, dict[str, Any]]]:
        """Names and entries of groups after a name, by name."""
        found = await self._directory.list_groups(actor=self._actor, beyond=after, at_most=at_most)
        return [(each.name, await self._entry(each)) for each in found]

    def names(self) -> AsyncIterator[str]:
        """The names of all groups that can be deleted."""
        list_them = self._directory.list_groups
        return names_by_pages(
            lambda after: list_them(actor=self._actor, beyond=after, at_most=PAGE), stays=lambda group: group.builtin
        )

    async def create(self, name: str, entry: Mapping[str, Any]) -> Differences:
        """Create a group without members; returns its members of other kinds."""
        made = await self._directory.create_group(name, description=entry.get("description", ""), actor=self._actor)
        return {"description": (None, made.description)} if made.description else {}

    async def change(self, name: str, current: Mapping[str, Any], entry: Mapping[str, Any]) -> Differences:
        """Give a group the description of the entry; returns what is different."""
        if "description" not in entry:
            return {}
        differs = difference(current, {"description": check_description(entry["description"])})
        if differs:
            await self._directory.update_group(name, description=entry["description"], actor=self._actor)
        return differs

    async def set_members(self, name: str, entry: Mapping[str, Any]) -> Differences:
        """Give a group the manager, members and account policy of the entry, whose people are there by now.

        Returns what is different.
        """
        current = await self.current(name) or {}
        differs: dict[str, tuple[Any, Any]] = {}
        if "account_policy" in entry:
            differs = await self._set_policy(name, current.get("account_policy"), entry["account_policy"])
        if "managed_by" in entry:
            manager = entry["managed_by"] and self._directory.local_name(entry["managed_by"])
            managed = difference(current, {"managed_by": manager})
            differs |= managed
            if managed:
                await self._directory.update_group(name, managed_by=manager, actor=self._actor)
        if "members" not in entry:
            return differs
        held = current.get("members", [])
        wanted = sorted({self._directory.local_name(each) for each in entry["members"]})
        new, old = [each for each in wanted if each not in held], [each for each in held if each not in wanted]
        with at("members"):
            if new:
                await self._directory.add_members(name, new, actor=self._actor)
            if old:
                await self._directory.remove_members(name, old, actor=self._actor)
        return {**differs, "members": (held, wanted)} if new or old else differs

    async def delete(self, name: str) -> None:
        """Delete a group that nothing uses."""
        await self._directory.delete_group(name, actor=self._actor)

    async def _set_policy(self, name: str, held: Any, asked: Mapping[str, Any] | None) -> dict[str, tuple[Any, Any]]:
        wanted = None if asked is None else {member: value for member, value in asked.items() if value is not None}
        if wanted == held:
            return {}
        with in_member("account_policy"):
            if wanted is None:
                await self._policies.remove(name, actor=self._actor)
            else:
                minimum = wanted.get("credential_minimum")
                await self._policies.change(
                    name,
                    auth_expiry=_duration(wanted.get("auth_expiry")),
                    privilege_expiry=_duration(wanted.get("privilege_expiry")),
                    credential_minimum=None if minimum is None else CredentialMinimum(minimum),
                    password_minimum_length=wanted.get("password_minimum_length"),
                    self_mail_write=wanted.get("self_mail_write"),
                    actor=self._actor,
                )
        return {"account_policy": (held, wanted)}

    async def _entry(self, group: Group) -> dict[str, Any]:
        manager = await self._directory.manager_of(group)
        name = None if manager is None else self._directory.local_name(manager)
        members = await self._directory.members_of(group.id, actor=self._actor)
        return group_entry(group, name, members, await self._policies.show(group.id, actor=self._actor))
