"""Search over everything that someone may see, and the help page. The command palette shows the same page's results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final
from urllib.parse import quote

from msgspec import Struct

from sealwright.access import Permission, Permissions
from sealwright.audit import Forwarding
from sealwright.ca import (
    CertificateFilter,
    CertificateLists,
    Inventory,
    InventoryPage,
    Issuers,
    ProfileRegistry,
    ProvisionerRegistry,
    serial_in,
    serial_text,
)
from sealwright.clock import Clock
from sealwright.errors import Failure, InvalidInput
from sealwright.http import Response
from sealwright.identity import Directory, SignedIn, UpstreamProviders
from sealwright.oauth import ClientRegistry, TrustedIssuers
from sealwright.web.certificates import shown
from sealwright.web.console.frame import context_of
from sealwright.web.console.listing import Listing, read_listing
from sealwright.web.navigation import PLACES
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import Pages

SEARCH_PAGE: Final = "/ui/search"
HELP_PAGE: Final = "/ui/help"
OF_A_KIND: Final = 6
"""Results of each kind; more are in its list."""
_ACTIONS: Mapping[str, str] = {
    "Change my password": "/ui/account/password",
    "Add a passkey": "/ui/account/passkey",
    "Set up a code from an app": "/ui/account/authenticator",
    "Show new recovery codes": "/ui/account/recovery-codes",
    "Edit my profile": "/ui/account/profile",
    "Change my e-mail addresses": "/ui/account/mail",
    "Preview a certificate": "/ui/preview/certificate",
    "Sign out": "/ui/sign-out",
    "Trust this server": "/trust",
}


class Result(Struct, frozen=True):
    """One thing that was found."""

    path: str
    label: str
    about: str


class ResultGroup(Struct, frozen=True):
    """What was found of one kind."""

    label: str
    results: tuple[Result, ...]
    more: str = ""
    """Where the rest of them are."""


class SearchParts(Struct, frozen=True):
    """What is searched."""

    directory: Directory
    clients: ClientRegistry
    inventory: Inventory
    lists: CertificateLists
    provisioners: ProvisionerRegistry
    providers: UpstreamProviders
    trusted_issuers: TrustedIssuers
    profiles: ProfileRegistry
    issuers: Issuers
    forwarding: Forwarding


class SearchPages:
    """Each part is asked only by those who may read it, and checks that itself."""

    def __init__(self, pages: Pages, parts: SearchParts, clock: Clock) -> None:
        self._pages = pages
        self._parts = parts
        self._clock = clock

    async def show(self, page_request: PageRequest, person: SignedIn) -> Response:
        """What is found; with nothing to look for, every place."""
        listing = read_listing(page_request.request, SEARCH_PAGE)
        groups = [_places(listing.search, person.actor.permissions)]
        if listing.search:
            for find, permission in (
                (self._people, Permission.PERSON_READ),
                (self._groups, Permission.GROUP_READ),
                (self._service_accounts, Permission.PERSON_READ),
                (self._clients_called, Permission.CLIENT_READ),
                (self._certificates, Permission.CERTIFICATE_READ),
                (self._provisioners, Permission.PROVISIONER_READ),
                (self._providers, Permission.OIDC_PROVIDER_READ),
                (self._trusted_issuers, Permission.CLIENT_READ),
                (self._profiles, Permission.PROFILE_READ),
                (self._issuers, Permission.CERTIFICATE_READ),
                (self._receivers, Permission.AUDIT_READ),
            ):
                if person.actor.holds(permission):
                    groups.append(await find(listing, person))
        found = tuple(group for group in groups if group.results)
        return self._pages.console("search.html", context_of(page_request, person), listing=listing, groups=found)

    async def show_help(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The keys, and how the lists are searched."""
        return self._pages.console("help.html", context_of(page_request, person))

    async def _people(self, listing: Listing, person: SignedIn) -> ResultGroup:
        found = await self._parts.directory.list_people(actor=person.actor, search=listing.search, at_most=OF_A_KIND + 1)
        results = tuple(Result(f"/ui/people/{one.name}", one.display_name, one.name) for one in found[:OF_A_KIND])
        return ResultGroup("People", results, _more("/ui/people", listing, len(found)))

    async def _groups(self, listing: Listing, person: SignedIn) -> ResultGroup:
        found = await self._parts.directory.list_groups(actor=person.actor, search=listing.search, at_most=OF_A_KIND + 1)
        results = tuple(Result(f"/ui/groups/{one.name}", one.name, one.description) for one in found[:OF_A_KIND])
        return ResultGroup("Groups", results, _more("/ui/groups", listing, len(found)))

    async def _service_accounts(self, listing: Listing, person: SignedIn) -> ResultGroup:
        found = await self._parts.directory.list_service_accounts(
            actor=person.actor, search=listing.search, at_most=OF_A_KIND + 1
        )
        results = tuple(Result(f"/ui/service-accounts/{one.name}", one.display_name, one.name) for one in found[:OF_A_KIND])
        return ResultGroup("Service accounts", results, _more("/ui/service-accounts", listing, len(found)))

    async def _provisioners(self, listing: Listing, _person: SignedIn) -> ResultGroup:
        wanted = listing.search.casefold()
        fitting = [one.name for one in await self._parts.provisioners.all() if wanted in one.name.casefold()]
        results = [Result(f"/ui/provisioners/{quote(name, safe='')}", name, "") for name in fitting]
        return _first_of("Provisioners", "/ui/provisioners", results)

    async def _providers(self, listing: Listing, person: SignedIn) -> ResultGroup:
        wanted = listing.search.casefold()
        found = await self._parts.providers.list_providers(actor=person.actor)
        fitting = [one for one in found if wanted in one.name.casefold() or wanted in one.issuer_url.casefold()]
        results = [Result(f"/ui/identity-providers/{one.id}", one.name, one.issuer_url) for one in fitting]
        return _first_of("Identity providers", "/ui/identity-providers", results)

    async def _trusted_issuers(self, listing: Listing, person: SignedIn) -> ResultGroup:
        wanted = listing.search.casefold()
        found = await self._parts.trusted_issuers.list(actor=person.actor)
        fitting = [one for one in found if wanted in one.name.casefold() or wanted in one.issuer_url.casefold()]
        results = [Result(f"/ui/trusted-issuers/{one.name}", one.name, one.issuer_url) for one in fitting]
        return _first_of("Trusted issuers", "/ui/trusted-issuers", results)

    async def _profiles(self, listing: Listing, _person: SignedIn) -> ResultGroup:
        found = [each.profile for each in await self._parts.profiles.all()]
        fitting = [one for one in found if listing.search.casefold() in one.name.casefold()]
        results = [Result(f"/ui/profiles/{one.name}", one.name, one.description) for one in fitting]
        return _first_of("Profiles", "/ui/profiles", results)

    async def _issuers(self, listing: Listing, _person: SignedIn) -> ResultGroup:
        wanted = listing.search.casefold()
        fitting = [each for each in await self._parts.issuers.records() if wanted in each.name.casefold()]
        results = [Result("/ui/issuers", one.name, "an authority of this server") for one in fitting]
        return _first_of("Issuers", "/ui/issuers", results)

    async def _receivers(self, listing: Listing, _person: SignedIn) -> ResultGroup:
        names = [sink.name for sink, _ in await self._parts.forwarding.all()]
        fitting = [each for each in names if listing.search.casefold() in each]
        results = [Result("/ui/audit/sinks", name, "gets events of the record") for name in fitting]
        return _first_of("Receivers of the record", "/ui/audit/sinks", results)

    async def _clients_called(self, listing: Listing, person: SignedIn) -> ResultGroup:
        """The one of this name, and those whose names begin with it, which stand right after it."""
        begins, found = listing.search.lower(), []
        with suppress(Failure):  # what was typed may be no name at all
            found.append(await self._parts.clients.get(begins, actor=person.actor))
        following = await self._parts.clients.list(after=begins, at_most=OF_A_KIND + 1, actor=person.actor)
        found += [one for one in following if one.name.startswith(begins)]
        results = [Result(f"/ui/clients/{one.name}", one.display_name, one.name) for one in found]
        return _first_of("Clients", "/ui/clients", results)

    async def _certificates(self, listing: Listing, person: SignedIn) -> ResultGroup:
        now, results = self._clock.now(), []
        try:
            serial = serial_in(listing.search)
            results.append(Result(f"/ui/certificates/{serial_text(serial)}", serial_text(serial), "by its serial number"))
        except InvalidInput:
            pass
        try:
            page = await self._parts.inventory.page(person.actor, name=listing.search, at_most=OF_A_KIND)
        except InvalidInput:
            page = InventoryPage((), "")
        if not page.certificates and not results:  # by no index then: among the newest by a part of a name
            containing = CertificateFilter(text=listing.search.casefold())
            page = await self._parts.lists.matching(person.actor, containing, at_most=OF_A_KIND)
        for record in page.certificates:
            one = shown(record, now, "/ui/certificates")
            results.append(Result(one.path, one.holder, f"{one.word}, {one.serial}"))
        return ResultGroup("Certificates", tuple(results), _more("/ui/certificates", listing, len(results)))


def _places(text: str, permissions: Permissions) -> ResultGroup:
    wanted = text.casefold()
    found = [Result(one.path, one.label, one.about) for one in PLACES if one.visible_to(permissions)]
    found += [Result(path, label, "") for label, path in _ACTIONS.items()]
    fitting = [one for one in found if wanted in one.label.casefold() or wanted in one.about.casefold()]
    return ResultGroup("Go to", tuple(fitting))


def _first_of(label: str, page: str, found: Sequence[Result]) -> ResultGroup:
    """The first of them, and the page of all of them if there are more."""
    return ResultGroup(label, tuple(found[:OF_A_KIND]), page if len(found) > OF_A_KIND else "")


def _more(page: str, listing: Listing, found: int) -> str:
    return Listing(page, search=listing.search).link() if found > OF_A_KIND else ""
