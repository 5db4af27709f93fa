"""Profiles of certificates, of a manifest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from sealwright.access import Actor, Permission, require
from sealwright.api.manifests.changes import Differences, at, difference
from sealwright.api.manifests.targets import Targets
from sealwright.ca import BUILT_IN_PROFILES, KnownProfile, lifetime_of, profile_members
from sealwright.go_duration import format_duration

_LIFETIMES = ("shortest", "default", "longest", "backdate")


class ManifestCertificateProfiles:
    """Stored profiles: created, changed, deleted. One that asks for approval is changed by itself, so that it can be held."""

    def __init__(self, targets: Targets, actor: Actor) -> None:
        self._profiles = targets.profiles
        self._actor = actor

    async def current(self, name: str) -> dict[str, Any] | None:
        """What the server has of a profile; None where there is none."""
        require(self._actor, Permission.PROFILE_READ)
        known = await self._profiles.find(name)
        return None if known is None else _as_json(profile_members(known.profile))

    async def entries(self, after: str, at_most: int) -> list[tuple[str, dict[str, Any]]]:
        """Names and entries of stored profiles after a name, by name; members that have the value of a new one are left out."""
        require(self._actor, Permission.PROFILE_READ)
        found = [each.profile for each in await self._stored() if each.profile.name > after]
        new = self._profiles.new_members()
        return [(each.name, _without(profile_members(each), new)) for each in found[:at_most]]

    async def names(self) -> AsyncIterator[str]:
        """The names of all stored profiles."""
        require(self._actor, Permission.PROFILE_READ)
        for each in await self._stored():
            yield each.profile.name

    async def create(self, name: str, entry: Mapping[str, Any]) -> Differences:
        """Store a profile; returns its members."""
        await self._profiles.create({**entry, "name": name}, actor=self._actor)
        return {member: (None, value) for member, value in entry.items()}

    async def change(self, name: str, current: Mapping[str, Any], entry: Mapping[str, Any]) -> Differences:
        """Make a profile what the entry says; returns what is different."""
        differs = difference(current, {member: _as_shown(member, value) for member, value in entry.items()})
        if differs:
            await self._profiles.change(name, entry, actor=self._actor)
        return differs

    async def delete(self, name: str) -> None:
        """Delete a profile that nothing chooses."""
        await self._profiles.delete(name, actor=self._actor)

    async def _stored(self) -> list[KnownProfile]:
        return [each for each in await self._profiles.all() if each.profile.name not in BUILT_IN_PROFILES]


def _without(members: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    return {member: value for member, value in members.items() if member != "name" and new.get(member) != value}


def _as_json(members: Mapping[str, Any]) -> dict[str, Any]:
    """With lists in place of tuples, to be compared with what a manifest says."""
    return {member: list(value) if isinstance(value, tuple) else value for member, value in members.items()}


def _as_shown(member: str, value: Any) -> Any:
    """A lifetime as it is shown: 90m and 1h30m are the same, and so are 2d and 48h."""
    if member not in _LIFETIMES or not isinstance(value, str):
        return value
    with at(member):
        return format_duration(lifetime_of(value))
