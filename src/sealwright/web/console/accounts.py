"""Service accounts with their tokens, and the recycle bin."""

from __future__ import annotations

from typing import Final

from sealwright.access import Permission
from sealwright.clock import Clock
from sealwright.http import Response
from sealwright.identity import ApiTokens, BinEntry, Directory, RecycleBin, SignedIn
from sealwright.web.console.frame import context_of
from sealwright.web.console.listing import ON_A_PAGE, read_listing
from sealwright.web.console.people import AccountWords, accounts_page, listed_account
from sealwright.web.notices import done, notice_text
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import Pages

SERVICE_ACCOUNTS_PAGE: Final = "/ui/service-accounts"
NEW_SERVICE_ACCOUNT_PAGE: Final = "/ui/new/service-account"
RECYCLE_BIN_PAGE: Final = "/ui/recycle-bin"


class ServiceAccountPages:
    """Accounts of programs. The directory checks the permissions."""

    def __init__(self, pages: Pages, directory: Directory, tokens: ApiTokens, clock: Clock) -> None:
        self._pages = pages
        self._directory = directory
        self._tokens = tokens
        self._clock = clock

    async def show_list(self, page_request: PageRequest, person: SignedIn) -> Response:
        """By name, a page at a time."""
        listing = read_listing(page_request.request, SERVICE_ACCOUNTS_PAGE)
        found = await self._directory.list_service_accounts(
            actor=person.actor, search=listing.search, beyond=listing.after, at_most=ON_A_PAGE + 1
        )
        context = context_of(page_request, person)
        words = AccountWords("Service accounts", "Service account", NEW_SERVICE_ACCOUNT_PAGE)
        notice, now = notice_text(page_request.request), self._clock.now()
        return accounts_page(self._pages, context, listing, found, words, notice=notice, now=now)

    async def show(self, page_request: PageRequest, person: SignedIn) -> Response:
        """One of them: who manages it, its groups and its tokens."""
        name = page_request.request.path_parameters["name"]
        account = await self._directory.show_service_account(name, actor=person.actor)
        now = self._clock.now()
        return self._pages.console(
            "service-account.html",
            context_of(page_request, person),
            account=account,
            listed=listed_account(account, SERVICE_ACCOUNTS_PAGE, now),
            spn=self._directory.spn_of(account),
            manager=await self._directory.manager_of(account),
            groups=await self._directory.groups_of(account.id),
            tokens=await self._tokens.list_of(name, actor=person.actor),
            makes_tokens=person.actor.holds(Permission.PERSON_WRITE)
            or await self._directory.is_managed_by(account, person.actor),
            notice=notice_text(page_request.request),
            now=now,
        )


class RecycleBinPages:
    """What was deleted in the last days, and bringing it back."""

    def __init__(self, pages: Pages, recycle_bin: RecycleBin, clock: Clock) -> None:
        self._pages = pages
        self._recycle_bin = recycle_bin
        self._clock = clock

    async def show(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Accounts by name, then groups, for those who may read them."""
        listing = read_listing(page_request.request, RECYCLE_BIN_PAGE)
        accounts = await self._recycle_bin.list_accounts(beyond=listing.after, at_most=ON_A_PAGE + 1, actor=person.actor)
        groups: list[BinEntry] = []
        if person.actor.holds(Permission.GROUP_READ) and listing.at_start:
            groups = await self._recycle_bin.list_groups(beyond="", at_most=200, actor=person.actor)
        return self._pages.console(
            "recycle-bin.html",
            context_of(page_request, person),
            listing=listing,
            accounts=accounts[:ON_A_PAGE],
            groups=groups,
            next=accounts[ON_A_PAGE - 1].name if len(accounts) > ON_A_PAGE else "",
            notice=notice_text(page_request.request),
            now=self._clock.now(),
        )

    async def revive_account(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Bring an account back, without credentials."""
        await self._recycle_bin.revive_account(page_request.typed("name"), actor=person.actor)
        return done(RECYCLE_BIN_PAGE, "revived")

    async def revive_group(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Bring a group back."""
        await self._recycle_bin.revive_group(page_request.typed("name"), actor=person.actor)
        return done(RECYCLE_BIN_PAGE, "revived")
