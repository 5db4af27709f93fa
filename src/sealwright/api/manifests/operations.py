"""Operations on manifests."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from sealwright.access import Actor, Permission
from sealwright.api.json_types import ResponseBody
from sealwright.api.manifests.accounts_and_roles import ManifestRoles, ManifestServiceAccounts
from sealwright.api.manifests.apply import ManifestApplication
from sealwright.api.manifests.certificate_profiles import ManifestCertificateProfiles
from sealwright.api.manifests.changes import ObjectChange
from sealwright.api.manifests.clients import ManifestClients, ManifestProvisioners
from sealwright.api.manifests.entries import exported
from sealwright.api.manifests.issuers import ManifestIssuers
from sealwright.api.manifests.people import ManifestGroups, ManifestPeople
from sealwright.api.manifests.targets import Targets
from sealwright.api.manifests.trusted_issuers import ManifestTrustedIssuers
from sealwright.api.operations import EACH, LARGE_BODY, Call, Operation
from sealwright.errors import ContentTooLarge, NotFound
from sealwright.manifest import IMAGES, KINDS, image_place_of

LARGEST_MANIFEST = 8 * 1024 * 1024
"""Bytes, of which images are nearly all."""
LARGEST_PAGE = 1024 * 1024
"""Bytes of images, after which a page of entries ends; the last may go beyond it."""


class _Listed(Protocol):
    async def entries(self, after: str, at_most: int) -> list[tuple[str, dict[str, Any]]]: ...


_KINDS: Mapping[str, Callable[[Targets, Actor], _Listed]] = {
    "groups": ManifestGroups,
    "people": ManifestPeople,
    "service_accounts": ManifestServiceAccounts,
    "roles": ManifestRoles,
    "issuers": ManifestIssuers,
    "clients": ManifestClients,
    "trusted_issuers": ManifestTrustedIssuers,
    "profiles": ManifestCertificateProfiles,
    "provisioners": ManifestProvisioners,
}


class AppliedManifest(ResponseBody, frozen=True, kw_only=True):
    """What applying a manifest changed, or would change."""

    dry_run: bool
    changes: list[ObjectChange]


class ManifestEntry(ResponseBody, frozen=True, kw_only=True):
    """One object as an entry of a manifest. Of a secret it holds a place where it could be read."""

    name: str
    entry: dict[str, Any]


class ManifestPage(ResponseBody, frozen=True, kw_only=True):
    """Entries by name."""

    items: list[ManifestEntry]
    next: str | None = None


class UnknownKind(NotFound):
    """A manifest has no such kind of object."""

    code = "unknown_kind"


class ManifestOperations:
    """Apply a manifest; read what there is as one."""

    def __init__(self, application: ManifestApplication, targets: Targets) -> None:
        self._application = application
        self._targets = targets

    def operations(self) -> list[Operation]:
        """All of them."""
        page = {"after": "Begin after this name.", "limit": "At most this many."}
        return [
            Operation(
                "apply_manifest",
                "POST",
                "/manifest",
                "Make people, groups, roles, clients and more what a manifest says: all of it, or nothing.",
                EACH,
                self._apply,
                returns=AppliedManifest,
                accepts=dict[str, Any],
                query={"dry_run": "true: change nothing, and return what would change."},
                max_body=LARGEST_MANIFEST,
                large_body_needs=Permission.CLIENT_WRITE,  # without images of clients it is not as large
            ),
            Operation(
                "export_manifest",
                "GET",
                "/manifest/{kind}",
                f"Show what there is of a kind as entries of a manifest: {', '.join(KINDS)}.",
                EACH,
                self._export,
                returns=ManifestPage,
                query=page,
            ),
        ]

    async def _apply(self, call: Call) -> AppliedManifest:
        dry_run = call.flag("dry_run")
        _require_short(call.request.body, call.body)
        changes = await self._application.apply(call.body, dry_run=dry_run, actor=call.actor)
        return AppliedManifest(dry_run=dry_run, changes=changes)

    async def _export(self, call: Call) -> ManifestPage:
        kind = call.path("kind")
        if kind not in _KINDS:
            raise UnknownKind(f"A manifest has no {kind[:40]!r}.", hint=f"There are {', '.join(KINDS)}.")
        limit = call.limit()
        listed = _KINDS[kind](self._targets, call.actor)
        found = await listed.entries(call.query.get("after", ""), limit + 1)
        items, size = [], 0
        for name, entry in found[:limit]:
            image = await listed.image_of(name) if isinstance(listed, ManifestClients) else None
            shown = {} if image is None else {"image": {"data": base64.b64encode(image).decode()}}
            items.append(ManifestEntry(name=name, entry={**exported(entry), **shown}))
            size += len(image or b"")
            if size > LARGEST_PAGE:
                break
        return ManifestPage(items=items, next=items[-1].name if len(found) > len(items) else None)


def _require_short(document: bytes, manifest: Mapping[str, Any]) -> None:
    """Raise ContentTooLarge where the entries are so many that looking at them would keep others waiting."""
    length = len(document) - sum(_lengths_of_images(manifest))
    if length > LARGE_BODY:
        raise ContentTooLarge(
            f"The manifest has {length} bytes without its images; {LARGE_BODY} are taken.", hint="Apply it in several parts."
        )


def _lengths_of_images(manifest: Mapping[str, Any]) -> Iterator[int]:
    for kind, members in IMAGES.items():
        entries = manifest.get(kind)
        for entry in entries.values() if isinstance(entries, dict) else ():
            places = (image_place_of(entry.get(member)) for member in members) if isinstance(entry, dict) else ()
            yield from (len(place.text) for place in places if place is not None)
