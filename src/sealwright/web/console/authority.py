"""The certificate authority: its issuers as a tree, the provisioners that it trusts, and the profiles of its certificates."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from sealwright.ca import (
    BUILT_IN_PROFILES,
    AccessTokenProvisioner,
    IssuerKind,
    IssuerRecord,
    Issuers,
    OidcProvisioner,
    Profile,
    Provisioner,
    ProvisionerRegistry,
    listed,
    shown_definition,
)
from sealwright.clock import Clock, Instant, in_words
from sealwright.errors import NotFound
from sealwright.http import Response
from sealwright.identity import SignedIn
from sealwright.web.console.frame import context_of
from sealwright.web.console.listing import ON_A_PAGE, read_listing
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import Pages

ISSUERS_PAGE: Final = "/ui/issuers"
PROVISIONERS_PAGE: Final = "/ui/provisioners"
PROFILES_PAGE: Final = "/ui/profiles"
_SECRET: Final = "clientSecret"  # noqa: S105 - the name of a member


class IssuerNode(Struct, frozen=True):
    """An authority, and those that it signed."""

    name: str
    what: str
    kind: str
    word: str
    fingerprint: str
    not_after: Instant
    below: tuple[IssuerNode, ...]


class ListedProvisioner(Struct, frozen=True):
    """A provisioner as a row."""

    name: str
    path: str
    type: str
    source: str
    """The file that decides; empty where it is stored."""
    trusts: str


class AuthorityPages:
    """What there is, read only: it is changed by commands."""

    def __init__(self, pages: Pages, issuers: Issuers, provisioners: ProvisionerRegistry, clock: Clock) -> None:
        self._pages = pages
        self._issuers = issuers
        self._provisioners = provisioners
        self._clock = clock

    async def show_issuers(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The root, and below it the issuing CAs."""
        records, now = await self._issuers.records(), self._clock.now()
        roots = [each for each in records if each.parent_id is None]
        return self._pages.console(
            "issuers.html",
            context_of(page_request, person),
            roots=tuple(issuer_node(each, records, now) for each in roots),
            root_key_is_here=await self._issuers.has_root_key() if roots else False,
            now=now,
        )

    async def show_provisioners(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Whose word counts for a certificate, in the order in which they were added."""
        listing = read_listing(page_request.request, PROVISIONERS_PAGE)
        page = await self._provisioners.page(listing.after, ON_A_PAGE)
        return self._pages.console(
            "provisioners.html",
            context_of(page_request, person),
            listing=listing,
            rows=tuple(_row(each) for each in page.provisioners),
            next=page.next_cursor,
        )

    async def show_provisioner(self, page_request: PageRequest, person: SignedIn) -> Response:
        """One of them with its definition."""
        name = page_request.request.path_parameters["name"]
        found = await self._provisioners.find_named(name)
        if found is None:
            raise NotFound(f"There is no provisioner {name[:100]!r}.", hint="Look for it in the list.")
        definition = shown_definition(found)
        return self._pages.console(
            "provisioner.html",
            context_of(page_request, person),
            row=_row(found),
            claims=tuple(_claims(found)),
            definition=msgspec.json.format(msgspec.json.encode(definition), indent=2).decode(),
            has_secret=bool(listed(found).get(_SECRET)),
        )

    async def show_profiles(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Which names, keys and lives each profile allows."""
        profiles = tuple((each, tuple(profile_in_words(each))) for each in BUILT_IN_PROFILES.values())
        return self._pages.console("profiles.html", context_of(page_request, person), profiles=profiles)


def issuer_node(record: IssuerRecord, records: tuple[IssuerRecord, ...], now: Instant) -> IssuerNode:
    """An authority with all that are below it."""
    if record.not_after <= now:
        kind, word = "bad", "expired"
    elif record.retired_at is not None:
        kind, word = "", "signs no more"
    else:
        kind, word = "good", "signs certificates" if record.kind is IssuerKind.ISSUING else "trusted"
    below = tuple(issuer_node(each, records, now) for each in records if each.parent_id == record.id and each.id != record.id)
    what = "root" if record.kind is IssuerKind.ROOT else "issuing CA"
    return IssuerNode(record.name, what, kind, word, record.fingerprint, record.not_after, below)


def _row(one: Provisioner) -> ListedProvisioner:
    if isinstance(one, OidcProvisioner):
        trusts = f"ID tokens of {one.definition.configuration_endpoint} for {one.definition.client_id}"
    elif isinstance(one, AccessTokenProvisioner):
        trusts = f"access tokens of this server for {one.definition.audience} with the scope {one.definition.scope}"
    else:
        trusts = f"tokens signed with the key {one.id.rpartition(':')[2]}"
    return ListedProvisioner(one.name, f"{PROVISIONERS_PAGE}/{one.name}", one.definition.type, one.source, trusts)


def _claims(one: Provisioner) -> list[tuple[str, str]]:
    claims = msgspec.to_builtins(one.claims)
    return [(name.replace("_", " "), str(value)) for name, value in claims.items()]


def profile_in_words(profile: Profile) -> list[tuple[str, str]]:
    """What a profile allows, each with what it is called."""
    return [
        ("Names", ", ".join(map(str, profile.name_types)) + (", wildcards too" if profile.wildcards else "")),
        ("Most names", str(profile.most_names)),
        ("Keys", ", ".join(map(str, profile.key_kinds))),
        ("Uses", ", ".join(map(str, profile.extended_uses))),
        ("Longest life", in_words(profile.longest)),
        ("Begins before it is asked for by", in_words(profile.backdate)),
    ]
