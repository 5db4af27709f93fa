"""The places of the console and who sees them: one table, read by the rail, the breadcrumbs, the search and the sign-in."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Final

from msgspec import Struct

from sealwright.access import Permission, Permissions

_P = Permission
READING: Final = tuple(each for each in Permission if each.endswith(":read"))
"""Anyone who may read anything has an overview of it."""


class PageLink(Struct, frozen=True):
    """A page that another one leads to."""

    path: str
    label: str


class Place(Struct, frozen=True):
    """One entry of the rail."""

    path: str
    label: str
    group: str
    about: str
    """What is there, in one line: for the search."""
    permissions: tuple[Permission, ...] = ()
    """One of them is needed; with none everyone sees it, for it shows only what is one's own."""

    def visible_to(self, permissions: Permissions) -> bool:
        """Whether someone with these permissions is led there."""
        return not self.permissions or any(permissions.holds_somewhere(each) for each in self.permissions)


PLACES: Final = (
    Place("/ui/account", "My account", "Mine", "Your addresses, how you sign in, and where you are signed in."),
    Place("/ui/account/applications", "My applications", "Mine", "Applications that you may use, and what they may know of you."),
    Place("/ui/account/certificates", "My certificates", "Mine", "Certificates that were issued to you."),
    Place("/ui/account/keys", "My API keys", "Mine", "Keys by which programs do a part of what you may do."),
    Place("/ui/approvals", "Approvals", "Mine", "What waits for your decision, and what you asked others to approve."),
    Place("/ui/overview", "Overview", "Look after", "What will break, what waits, and whether the server is well.", READING),
    Place(
        "/ui/certificates",
        "Certificates",
        "Certificates",
        "Every certificate: by name, serial number, holder and state.",
        (_P.CERTIFICATE_READ,),
    ),
    Place("/ui/issuers", "Issuers", "Certificates", "The root and the issuing CAs below it, as a tree.", (_P.CERTIFICATE_READ,)),
    Place("/ui/provisioners", "Provisioners", "Certificates", "Whose word counts for a certificate.", (_P.PROVISIONER_READ,)),
    Place("/ui/profiles", "Profiles", "Certificates", "What a certificate may hold.", (_P.PROFILE_READ,)),
    Place("/ui/people", "People", "Directory", "Accounts of people, how they sign in, and what they may do.", (_P.PERSON_READ,)),
    Place("/ui/groups", "Groups", "Directory", "Who is in which group, and what groups ask of their members.", (_P.GROUP_READ,)),
    Place("/ui/service-accounts", "Service accounts", "Directory", "Accounts of programs, and their tokens.", (_P.PERSON_READ,)),
    Place("/ui/keys", "API keys", "Directory", "Keys by which programs act for people.", (_P.API_KEY_READ,)),
    Place("/ui/recycle-bin", "Recycle bin", "Directory", "What was deleted in the last days.", (_P.PERSON_READ,)),
    Place("/ui/clients", "Clients", "Directory", "Applications that sign people in here.", (_P.CLIENT_READ,)),
    Place(
        "/ui/trusted-issuers",
        "Trusted issuers",
        "Directory",
        "Clusters and CI systems whose tokens are taken for access tokens, and by which rules.",
        (_P.CLIENT_READ,),
    ),
    Place(
        "/ui/identity-providers",
        "Identity providers",
        "Directory",
        "Where people of others prove who they are, and which of their groups give which roles.",
        (_P.OIDC_PROVIDER_READ,),
    ),
    Place("/ui/audit", "Audit", "Record", "What was done, by whom, to what, and why.", (_P.AUDIT_READ,)),
    Place(
        "/ui/audit/sinks",
        "Forwarding",
        "Record",
        "Webhooks and syslog receivers that get each event, and how far they are.",
        (_P.AUDIT_READ,),
    ),
    Place("/ui/settings", "Settings", "Record", "What the server was started with, and where it is decided.", (_P.ISSUER_WRITE,)),
)
"""In the order of the rail; each path has a route."""


class PlaceGroup(Struct, frozen=True):
    """Places under one heading."""

    label: str
    places: tuple[Place, ...]


def places_of(permissions: Permissions) -> tuple[PlaceGroup, ...]:
    """What someone sees in the rail."""
    seen = (place for place in PLACES if place.visible_to(permissions))
    return tuple(PlaceGroup(label, tuple(places)) for label, places in groupby(seen, lambda place: place.group))


def place_of(path: str, places: Iterable[Place] = PLACES) -> Place | None:
    """The place that a page belongs to: the one with the longest path that it begins with."""
    around = [place for place in places if path == place.path or path.startswith(f"{place.path}/")]
    return max(around, key=lambda place: len(place.path), default=None)
