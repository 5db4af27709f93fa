"""Apply a manifest in one transaction: all of it or, where anything is refused, nothing.

Each object is read, compared, and changed by the same operation as the API's own, which checks the permission and leaves the
audit row. A manifest that says what the server has already changes nothing.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

from sealwright.access import Actor, Permission, decide
from sealwright.api.manifests.accounts_and_roles import ManifestRoles, ManifestServiceAccounts
from sealwright.api.manifests.certificate_profiles import ManifestCertificateProfiles
from sealwright.api.manifests.changes import Differences, ObjectChange, at, member_changes
from sealwright.api.manifests.clients import GivenImages, ManifestClients, ManifestProvisioners
from sealwright.api.manifests.issuers import ManifestIssuers
from sealwright.api.manifests.people import ManifestGroups, ManifestPeople
from sealwright.api.manifests.targets import Targets, TransactionTargets, WithinOneTransaction
from sealwright.api.manifests.trusted_issuers import ManifestTrustedIssuers
from sealwright.audit import Audit
from sealwright.db import Database, Transaction
from sealwright.errors import Conflict, InvalidInput, NotPermitted, in_member
from sealwright.jose import PrivateKey
from sealwright.keys import Custody, new_rsa_keys
from sealwright.manifest import ONE_OF, faults_of, image_place_of
from sealwright.oauth import ReadImage, read_whole

MOST_FAULTS = 20
_ATTEMPTS = 3


class ManifestRefused(InvalidInput):
    """A manifest has a member that is not known, or a value of the wrong type."""

    code = "manifest_refused"


class _Undone(Exception):
    """Rolls the transaction of a dry run back, and carries its changes to the caller."""

    def __init__(self, changes: list[ObjectChange]) -> None:
        super().__init__()
        self.changes = changes


class _Kind(Protocol):
    """What each kind does with an entry."""

    async def current(self, name: str) -> Any: ...
    async def create(self, name: str, entry: Mapping[str, Any]) -> Differences: ...
    async def change(self, name: str, current: Any, entry: Mapping[str, Any]) -> Differences: ...
    async def delete(self, name: str) -> None: ...


class _Prunable(Protocol):
    """What can be deleted where a manifest does not name it."""

    def names(self) -> AsyncIterator[str]: ...
    async def delete(self, name: str) -> None: ...


class ManifestApplication:
    """Applies manifests."""

    def __init__(self, db: Database, audit: Audit, custody: Custody, within: WithinOneTransaction) -> None:
        """`within`: makes the operations of one transaction."""
        self._db = db
        self._audit = audit
        self._custody = custody
        self._within = within

    async def apply(self, manifest: Mapping[str, Any], *, dry_run: bool, actor: Actor) -> list[ObjectChange]:
        """Make the server what the manifest says; returns what changed. With `dry_run`, only returns what would."""
        _require_shape(manifest)
        images = await _images_in(manifest, actor)
        keys: list[PrivateKey] = []
        for _ in range(_ATTEMPTS):
            try:
                return await self._apply(manifest, images, keys, dry_run=dry_run, actor=actor)
            except _KeysMissing as wanted:
                keys = await new_rsa_keys(len(keys) + wanted.number)
        raise Conflict("Others are changing clients at the same time.", hint="Try again.")

    async def _apply(
        self, manifest: Mapping[str, Any], images: GivenImages, keys: list[PrivateKey], *, dry_run: bool, actor: Actor
    ) -> list[ObjectChange]:
        began: list[TransactionTargets] = []

        async def body(tx: Transaction) -> list[ObjectChange]:
            began[:] = [self._within(tx, keys)]
            changes = await _Run(began[0].targets, manifest, images, actor).changes()
            if dry_run or not changes:
                raise _Undone(changes)
            if began[0].custody.missing:
                raise _KeysMissing(began[0].custody.missing)
            return changes

        try:
            return await self._db.write(body)
        except _Undone as trial:
            return trial.changes
        except NotPermitted:
            await began[0].refusals.record_noted(self._audit, self._db)
            raise
        finally:
            self._custody.forget()


class _KeysMissing(Exception):
    """Rolls the transaction back: it needs this many more RSA keys than were generated for it."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def _require_shape(manifest: Mapping[str, Any]) -> None:
    faults = faults_of(manifest, with_secrets=True, at_most=MOST_FAULTS)
    if faults:
        others = tuple(f"{each.pointer}: {each.detail} {each.hint}".rstrip() for each in faults[1:MOST_FAULTS])
        refusal = ManifestRefused(faults[0].detail, reasons=others, hint=faults[0].hint)
        refusal.pointer = faults[0].pointer
        raise refusal


async def _images_in(manifest: Mapping[str, Any], actor: Actor) -> GivenImages:
    """The images of clients: looked at before the transaction begins, and only for someone who may set them."""
    found: dict[str, bytes | ReadImage | None] = {}
    for name, entry in manifest.get("clients", {}).items():
        if "image" not in entry:
            continue
        place = image_place_of(entry["image"])
        with at("clients", name, "image"):
            content = None if place is None else _decoded(place.text)
            looked_at = content is not None and decide(actor, Permission.CLIENT_WRITE).allowed
            found[name] = await read_whole(content) if content is not None and looked_at else content
    return found


def _decoded(data: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except ValueError as cause:
        raise ManifestRefused(
            "The data of the image is not base64.", hint="Encode the file, as base64 does, or name the file itself."
        ) from cause


class _Run:
    """One manifest in one transaction."""

    def __init__(self, targets: Targets, manifest: Mapping[str, Any], images: GivenImages, actor: Actor) -> None:
        self._manifest = manifest
        self._actor = actor
        self._groups = ManifestGroups(targets, actor)
        self._people = ManifestPeople(targets, actor)
        self._clients = ManifestClients(targets, actor, images)
        self._profiles = ManifestCertificateProfiles(targets, actor)
        self._provisioners = ManifestProvisioners(targets, actor)
        self._services = ManifestServiceAccounts(targets, actor)
        self._roles = ManifestRoles(targets, actor)
        self._issuers = ManifestIssuers(targets, actor)
        self._trusted_issuers = ManifestTrustedIssuers(targets, actor)
        self._found: dict[tuple[str, str], tuple[str, dict[str, tuple[Any, Any]]]] = {}

    async def changes(self) -> list[ObjectChange]:
        """Apply it; the changes by kind, in the order in which things can refer to each other.

        What is pruned goes before what may take its names, and after what may still use it.
        """
        await self._put("groups", self._groups)
        await self._prune("people", self._people)
        await self._prune("service_accounts", self._services)
        await self._put("people", self._people)
        await self._put("service_accounts", self._services)
        for name, entry in self._entries("groups").items():
            with in_member("groups", name):
                self._note("groups", name, "change", await self._groups.set_members(name, entry))
        await self._put("roles", self._roles)
        await self._prune("roles", self._roles)
        await self._prune("provisioners", self._provisioners)
        await self._put("issuers", self._issuers)
        await self._put("clients", self._clients)
        await self._put("trusted_issuers", self._trusted_issuers)
        await self._prune("trusted_issuers", self._trusted_issuers)
        await self._put("profiles", self._profiles)
        await self._put("provisioners", self._provisioners)
        await self._prune("profiles", self._profiles)
        await self._prune("clients", self._clients)
        await self._prune("issuers", self._issuers)
        await self._prune("groups", self._groups)
        return [
            ObjectChange(kind=ONE_OF[kind], name=name, action=action, members=member_changes(differs))  # type: ignore[arg-type] # a text of the table above
            for (kind, name), (action, differs) in self._found.items()
        ]

    def _entries(self, kind: str) -> Mapping[str, Mapping[str, Any]]:
        found: Mapping[str, Mapping[str, Any]] = self._manifest.get(kind, {})
        return found

    async def _put(self, kind: str, applied: _Kind) -> None:
        for name, entry in self._entries(kind).items():
            with in_member(kind, name):
                current = await applied.current(name)
                if current is None:
                    self._note(kind, name, "create", await applied.create(name, entry))
                else:
                    self._note(kind, name, "change", await applied.change(name, current, entry))

    async def _prune(self, kind: str, applied: _Prunable) -> None:
        if not self._manifest.get("prune", {}).get(kind):
            return
        named = self._entries(kind)
        for name in [each async for each in applied.names() if each not in named]:
            with at("prune", kind):
                await applied.delete(name)
            self._note(kind, name, "delete", {})

    def _note(self, kind: str, name: str, action: str, differs: Differences) -> None:
        before = self._found.get((kind, name))
        if before is not None:
            before[1].update(differs)
        elif differs or action != "change":
            self._found[kind, name] = (action, dict(differs))
