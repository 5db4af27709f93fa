"""Scopes of grants as people write them: by the name of what they are bound to."""

from __future__ import annotations

from sealwright.access import Scope, ScopeKind
from sealwright.ca import Issuers, ProfileRegistry, ProvisionerRegistry
from sealwright.errors import InvalidInput
from sealwright.identity import ScopeNotFound


class GrantScopes:
    """Finds what a scope names. The callers check who may learn what there is."""

    def __init__(self, issuers: Issuers, provisioners: ProvisionerRegistry, profiles: ProfileRegistry) -> None:
        self._issuers = issuers
        self._provisioners = provisioners
        self._profiles = profiles

    async def find(self, text: str) -> Scope:
        """The scope that was written, kept by the id of its object, so that the next one of that name gets nothing by it."""
        kind, _, name = text.partition(":")
        if kind == ScopeKind.ISSUER:
            known = [each.id for each in await self._issuers.records() if name in (each.id, each.name)]
        elif kind == ScopeKind.PROVISIONER:
            found = await self._provisioners.find(name) or await self._provisioners.find_named(name)
            known = [] if found is None else [found.id]
        elif kind == ScopeKind.PROFILE:
            known = [] if await self._profiles.find(name) is None else [name]
        else:
            kinds = ", ".join(f"{each}:NAME" for each in ScopeKind)
            raise InvalidInput(f"The scope {text[:80]!r} is not understood.", reasons=(f"there are {kinds}",))
        if not known:
            raise ScopeNotFound(f"There is no {kind} {name[:80]!r}.")
        return Scope(ScopeKind(kind), known[0])
