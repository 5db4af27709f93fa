"""The certificate authority: its issuers as a tree, the provisioners that it trusts, and the profiles of its certificates."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from sealwright.ca import (
    IssuerKind,
    IssuerRecord,
    Issuers,
    ProfileRegistry,
    Provisioner,
    ProvisionerRegistry,
    claims_within,
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

    def __init__(
        self, pages: Pages, issuers: Issuers, provisioners: ProvisionerRegistry, profiles: ProfileRegistry, clock: Clock
    ) -> None:
        self._profiles = profiles
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
            claims=tuple(await self._claims(found)),
            definition=msgspec.json.format(msgspec.json.encode(definition), indent=2).decode(),
            has_secret=bool(listed(found).get(_SECRET)),
        )

    async def _claims(self, one: Provisioner) -> list[tuple[str, str]]:
        """What holds for its certificates, within its profile."""
        name = one.definition.profile_name
        known = await self._profiles.find(name)
        claims = one.claims if known is None else claims_within(one.claims, known.profile)
        members: dict[str, object] = msgspec.to_builtins(claims)
        del members["given"]
        for member in ("shortest", "default", "longest"):
            members[member] = in_words(getattr(claims, member))
        rows = [(member.replace("_", " "), str(value)) for member, value in members.items()]
        return [("Profile", name if known is not None else f"{name}, which does not exist"), *rows]


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
    return ListedProvisioner(one.name, f"{PROVISIONERS_PAGE}/{one.name}", one.definition.type, one.source, one.trusts)
