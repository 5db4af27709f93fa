"""Issuers that clients share, of a manifest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from sealwright.access import Actor
from sealwright.api.manifests.changes import Differences, at
from sealwright.api.manifests.targets import Targets
from sealwright.errors import InvalidInput
from sealwright.oauth import IssuerUnknown


class ManifestIssuers:
    """Issuers: created with new keys, and deleted. What an issuer is does not change."""

    def __init__(self, targets: Targets, actor: Actor) -> None:
        self._issuers = targets.oauth_issuers
        self._actor = actor

    async def current(self, name: str) -> dict[str, Any] | None:
        """What the server has of an issuer; None where there is none."""
        try:
            return _entry(is_root=(await self._issuers.get(name, actor=self._actor)).is_root)
        except IssuerUnknown:
            return None

    async def entries(self, after: str, at_most: int) -> list[tuple[str, dict[str, Any]]]:
        """Names and entries of issuers after a name, by name."""
        found = sorted((each.name, _entry(is_root=each.is_root)) for each in await self._issuers.list(actor=self._actor))
        return [each for each in found if each[0] > after][:at_most]

    async def names(self) -> AsyncIterator[str]:
        """The names of all issuers."""
        for each in await self._issuers.list(actor=self._actor):
            yield each.name

    async def create(self, name: str, entry: Mapping[str, Any]) -> Differences:
        """Create an issuer; returns its members."""
        made = await self._issuers.create(name, root=entry.get("root", False), actor=self._actor)
        return {"root": (None, True)} if made.is_root else {}

    async def change(self, name: str, current: Mapping[str, Any], entry: Mapping[str, Any]) -> Differences:
        """Nothing, where the issuer is what the entry says; raises InvalidInput where it is not."""
        is_root = current.get("root", False)
        if entry.get("root", is_root) != is_root:
            with at("root"):
                raise InvalidInput(
                    f"{name} is {'the' if is_root else 'no'} root issuer, and that cannot be changed.",
                    hint="Give the other issuer another name, and move its clients.",
                )
        return {}

    async def delete(self, name: str) -> None:
        """Delete an issuer that no client is on."""
        await self._issuers.delete(name, actor=self._actor)


def _entry(*, is_root: bool) -> dict[str, Any]:
    return {"root": True} if is_root else {}
