"""Clients and provisioners of a manifest."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import msgspec

from sealwright.access import Actor, Permission, require
from sealwright.api.manifests.changes import Differences, at, difference
from sealwright.api.manifests.entries import SECRET, client_entry, maps_entry, provisioner_entry
from sealwright.api.manifests.names import names_by_pages
from sealwright.api.manifests.targets import Targets
from sealwright.ca import Provisioner
from sealwright.errors import InvalidInput
from sealwright.oauth import ClaimJoin, Client, ClientKind, ReadImage, differences

PAGE = 100
_MAPS = ("scope_maps", "supplementary_scope_maps", "claim_maps")
_NEEDED = ("kind", "display_name", "landing_url")
_APART = ("issuer", "secret", "image")
"""Members that are not metadata."""
GivenImages = Mapping[str, bytes | ReadImage | None]
"""Client → its image, looked at or not yet; None where it is to have none."""


class ManifestClients:
    """Clients with their maps and images: created, changed, deleted."""

    def __init__(self, targets: Targets, actor: Actor, images: GivenImages | None = None) -> None:
        self._clients = targets.clients
        self._maps = targets.client_maps
        self._metadata = targets.metadata
        self._actor = actor
        self._images = images or {}

    async def current(self, name: str) -> Client | None:
        """What is set on a client; None where there is none."""
        return await self._metadata.of(name, actor=self._actor)

    async def entries(self, after: str, at_most: int) -> list[tuple[str, dict[str, Any]]]:
        """Names and entries of clients after a name, by name."""
        found = await self._metadata.page(after, at_most, actor=self._actor)
        shown = {each.name: each for each in await self._clients.list(after=after, at_most=at_most, actor=self._actor)}
        return [
            (each.name, client_entry(each, maps.scope_maps, maps.supplementary_scope_maps, maps.claim_maps, maps.issuer))
            for each in found
            if (maps := shown.get(each.name)) is not None
        ]

    async def image_of(self, name: str) -> bytes | None:
        """The image of a client that `entries` returned, which is large beside the rest of it; None where it has none."""
        digest = await self._clients.images.digest_of(name)
        found = None if digest is None else await self._clients.images.with_digest(digest.hex())
        return None if found is None else found[1]

    def names(self) -> AsyncIterator[str]:
        """The names of all clients."""
        return names_by_pages(lambda after: self._metadata.page(after, PAGE, actor=self._actor))

    async def create(self, name: str, entry: Mapping[str, Any]) -> Differences:
        """Register a client; returns its members."""
        missing = [each for each in _NEEDED if each not in entry]
        if missing:
            raise InvalidInput(f"There is no client {name!r} yet, and a new one needs {' and '.join(missing)}.")
        members = {member: value for member, value in entry.items() if member not in (*_NEEDED, *_MAPS, *_APART)}
        create = self._clients.create_public if entry["kind"] == ClientKind.PUBLIC else self._clients.create_confidential
        issuer = entry.get("issuer")
        await create(name, entry["display_name"], entry["landing_url"], members=members, issuer=issuer, actor=self._actor)
        given = {member: (None, value) for member, value in entry.items() if member not in (*_MAPS, "secret", "image")}
        given |= {member: (None, after) for member, (_, after) in (await self._set_secret(name, entry)).items()}
        given |= await self._set_image(name)
        return {**given, **{member: (None, after) for member, (_, after) in (await self._change_maps(name, entry)).items()}}

    async def change(self, name: str, current: Client, entry: Mapping[str, Any]) -> Differences:
        """Make a client what the entry says; returns what is different."""
        if "kind" in entry and entry["kind"] != current.kind:
            with at("kind"):
                raise InvalidInput(
                    f"{name} is a {current.kind} client, and the kind of a client cannot be changed.",
                    hint="Delete it first, or give the new one another name.",
                )
        members = {member: value for member, value in entry.items() if member not in ("kind", *_MAPS, *_APART)}
        differs = differences(current, members)
        if differs:
            changed = members if "profile" in differs else {each: members[each] for each in members if each in differs}
            await self._clients.change(name, changed, actor=self._actor)
        changed_members: dict[str, tuple[Any, Any]] = msgspec.to_builtins(differs)
        changed_members |= await self._set_issuer(name, current, entry)
        changed_members |= await self._set_image(name)
        return {**changed_members, **await self._set_secret(name, entry), **await self._change_maps(name, entry)}

    async def _set_issuer(self, name: str, current: Client, entry: Mapping[str, Any]) -> Differences:
        held = None if current.issuer is None else current.issuer.name
        if entry.get("issuer", held) == held:
            return {}
        with at("issuer"):
            await self._clients.names.set_issuer(name, entry["issuer"], actor=self._actor)
        return {"issuer": (held, entry["issuer"])}

    async def _set_secret(self, name: str, entry: Mapping[str, Any]) -> Differences:
        """Give a client the secret that was read for it; its value is shown nowhere."""
        if "secret" not in entry:
            return {}
        with at("secret"):
            changed = await self._clients.secrets.put(name, entry["secret"], actor=self._actor)
        return {"secret": (SECRET, f"another {SECRET}")} if changed else {}

    async def _set_image(self, name: str) -> Differences:
        """Give a client the image that was read for it, or none; images are told by their SHA-256."""
        if name not in self._images:
            return {}
        wanted, held = self._images[name], await self._clients.images.digest_of(name)
        after = None if wanted is None else _digest(wanted)
        if after == held:
            return {}
        with at("image"):
            if wanted is None:
                await self._clients.images.remove_image(name, actor=self._actor)
            else:
                await self._clients.images.set_image(name, wanted, actor=self._actor)
        return {"image": (_shown(held), _shown(after))}

    async def delete(self, name: str) -> None:
        """Delete a client that no provisioner trusts."""
        await self._clients.delete(name, actor=self._actor)

    async def _change_maps(self, name: str, entry: Mapping[str, Any]) -> Differences:
        if not any(each in entry for each in _MAPS):
            return {}
        now = await self._clients.get(name, actor=self._actor)
        held = maps_entry(now.scope_maps, now.supplementary_scope_maps, now.claim_maps)
        wanted: dict[str, Any] = {
            each: {group: sorted(set(scopes)) for group, scopes in entry[each].items()} for each in _MAPS[:2] if each in entry
        }
        if "claim_maps" in entry:
            wanted["claim_maps"] = {claim: _claim_map(each) for claim, each in entry["claim_maps"].items()}
        clients, maps = self._clients, self._maps
        setters: dict[str, tuple[Callable[..., Awaitable[Any]], Callable[..., Awaitable[Any]]]] = {
            "scope_maps": (clients.update_scope_map, clients.delete_scope_map),
            "supplementary_scope_maps": (maps.update_supplementary_scope_map, maps.delete_supplementary_scope_map),
        }
        for member, (put, delete) in setters.items():
            await self._change_scopes(name, member, held, wanted, put, delete)
        for claim in {**held["claim_maps"], **wanted["claim_maps"]} if "claim_maps" in wanted else ():
            with at("claim_maps", claim):
                await self._change_claim(name, claim, held["claim_maps"].get(claim), wanted["claim_maps"].get(claim))
        return difference(held, wanted)

    async def _change_scopes(
        self,
        name: str,
        member: str,
        held: Mapping[str, Any],
        wanted: Mapping[str, Any],
        put: Callable[..., Awaitable[Any]],
        delete: Callable[..., Awaitable[Any]],
    ) -> None:
        if member not in wanted:
            return
        for group in held[member]:
            if group not in wanted[member]:
                await delete(name, group, actor=self._actor)
        for group, scopes in wanted[member].items():
            if held[member].get(group) != scopes:
                with at(member, group):
                    await put(name, group, scopes, actor=self._actor)

    async def _change_claim(self, name: str, claim: str, held: Any, wanted: Any) -> None:
        groups, before = (wanted or {"groups": {}})["groups"], (held or {"groups": {}})["groups"]
        for group, values in groups.items():
            if before.get(group) != values:
                await self._maps.update_claim_map(name, claim, group, values, actor=self._actor)
        for group in before:
            if group not in groups:
                await self._maps.delete_claim_map(name, claim, group, actor=self._actor)
        if wanted is not None and groups and (held or {"join": "array"})["join"] != wanted["join"]:
            await self._maps.set_claim_join(name, claim, ClaimJoin(wanted["join"]), actor=self._actor)


def _digest(image: bytes | ReadImage) -> bytes:
    return image.digest if isinstance(image, ReadImage) else hashlib.sha256(image).digest()


def _shown(digest: bytes | None) -> str | None:
    return None if digest is None else f"sha256 {digest.hex()}"


def _claim_map(entry: Mapping[str, Any]) -> dict[str, Any]:
    join = entry.get("join", "array")
    if join not in list(ClaimJoin):
        raise InvalidInput(f"join is {str(join)[:40]!r}; it is one of {', '.join(ClaimJoin)}.")
    if not entry["groups"]:
        raise InvalidInput("A claim map names at least one group.", hint="To take the claim away, leave it out.")
    return {"join": join, "groups": {group: sorted(set(values)) for group, values in entry["groups"].items()}}


class ManifestProvisioners:
    """Provisioners: added, replaced, removed. Provisioners that come from files are left alone."""

    def __init__(self, targets: Targets, actor: Actor) -> None:
        self._provisioners = targets.provisioners
        self._actor = actor

    async def current(self, name: str) -> Provisioner | None:
        """The stored provisioner of this name; None where there is none."""
        require(self._actor, Permission.PROVISIONER_READ)
        return next((each for each in await self._stored() if each.name == name), None)

    async def entries(self, after: str, at_most: int) -> list[tuple[str, dict[str, Any]]]:
        """Names and entries of stored provisioners after a name, by name. Of a secret, the variable to read it from."""
        require(self._actor, Permission.PROVISIONER_READ)
        found = sorted((each for each in await self._stored() if each.name > after), key=lambda each: each.name)
        return [(each.name, _exported_provisioner(each)) for each in found[:at_most]]

    async def names(self) -> AsyncIterator[str]:
        """The names of all stored provisioners."""
        require(self._actor, Permission.PROVISIONER_READ)
        for each in await self._stored():
            yield each.name

    async def create(self, name: str, entry: Mapping[str, Any]) -> Differences:
        """Add a provisioner; returns its members."""
        added = await self._provisioners.add({**_given(entry), "name": name}, self._actor)
        return _with_secret({member: (None, value) for member, value in provisioner_entry(added).items()}, "", added.secret)

    async def change(self, name: str, current: Provisioner, entry: Mapping[str, Any]) -> Differences:
        """Replace a provisioner by one that is what the entry says; returns what is different."""
        held = provisioner_entry(current)
        document = {**held, "clientSecret": current.secret, **entry, "name": name}
        if not document["clientSecret"]:
            del document["clientSecret"]
        wanted = self._provisioners.check(_given(document))
        after = provisioner_entry(wanted)
        shown = difference({**dict.fromkeys(after), **held}, {**dict.fromkeys(held), **after})
        differs = _with_secret(shown, current.secret, wanted.secret)
        if differs:
            await self._provisioners.remove(name, self._actor)
            await self._provisioners.add(_given(document), self._actor)
        return differs

    async def delete(self, name: str) -> None:
        """Remove a provisioner."""
        await self._provisioners.remove(name, self._actor)

    async def _stored(self) -> list[Provisioner]:
        return [each for each in await self._provisioners.all() if not each.source]


def _given(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A definition without the members that are null, which are not set."""
    return {member: value for member, value in entry.items() if value is not None}


def _with_secret(differs: Mapping[str, tuple[Any, Any]], before: str, after: str) -> Differences:
    if before == after:
        return differs
    after_shown = f"another {SECRET}" if before and after else SECRET if after else None
    return {**differs, "clientSecret": (SECRET if before else None, after_shown)}


def _exported_provisioner(provisioner: Provisioner) -> dict[str, Any]:
    entry = provisioner_entry(provisioner)
    if provisioner.secret:
        words = "".join(each if each.isascii() and each.isalnum() else "_" for each in provisioner.name.upper())
        entry["clientSecret"] = {"env": f"{words.strip('_')}_CLIENT_SECRET"}
    return entry
