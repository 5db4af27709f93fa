"""Links for people: inviting someone new, and setting a password anew. A link is shown once, to be read off or sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from sealwright.errors import Conflict, InvalidInput, NotFound
from sealwright.http import Response
from sealwright.identity import (
    INVITATION_LIFETIME,
    RESET_LIFETIME,
    Account,
    AccountKind,
    Credentials,
    Directory,
    Invitations,
    NameTaken,
    OneTimeLink,
    ResetLinks,
    SignedIn,
)
from sealwright.link_mail import LinkDelivery, LinkMail
from sealwright.mail import MailKind, Outbox
from sealwright.web.console.people import PEOPLE_PAGE
from sealwright.web.forms import FormError, fields_of, missing
from sealwright.web.navigation import PageLink
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import ConsoleContext, Pages
from sealwright.web.qr_code import qr_code

DAYS: Mapping[str, str] = {"1": "1 day", "3": "3 days", "7": "7 days", "14": "14 days"}
HOURS: Mapping[str, str] = {"1": "1 hour", "4": "4 hours", "24": "24 hours"}
_NEEDED = {"name": "Give the user name.", "display-name": "Give the name that others see."}
_FIELDS: Final = {"name": "name", "display_name": "display-name", "mails": "mail"}


class PersonLinkPages:
    """The parts that are called check the permissions. No page but the one that answers the form holds a link."""

    def __init__(
        self,
        pages: Pages,
        *,
        directory: Directory,
        credentials: Credentials,
        invitations: Invitations,
        reset_links: ResetLinks,
        outbox: Outbox,
    ) -> None:
        self._pages = pages
        self._directory = directory
        self._credentials = credentials
        self._invitations = invitations
        self._reset_links = reset_links
        self._outbox = outbox

    # --- someone new ---

    async def show_new(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The form that invites someone."""
        return self._new_form(page_request, person)

    async def invite(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Make the person, and a link with which they choose a password."""
        errors = missing(page_request.form, _NEEDED)
        if errors:
            return self._new_form(page_request, person, errors=errors)
        try:
            await self._require_new(page_request.typed("name").strip())
            return await self._invite(
                page_request,
                person,
                page_request.typed("name").strip(),
                display_name=page_request.typed("display-name").strip(),
                mails=tuple(page_request.typed("mail").split()),
            )
        except (InvalidInput, Conflict) as refusal:
            return self._new_form(page_request, person, errors=fields_of(refusal, _FIELDS))

    async def _require_new(self, name: str) -> None:
        """The form makes someone: who exists already gets a link on their own page, which says who they are."""
        if await self._directory.find(name) is not None:
            raise NameTaken(
                f"There is an account {name[:64]!r} already.", hint="Choose another name, or open its page.", pointer="/name"
            )

    def _new_form(self, page_request: PageRequest, person: SignedIn, *, errors: tuple[FormError, ...] = ()) -> Response:
        typed = page_request.typed
        return self._pages.console(
            "person-new.html",
            ConsoleContext(person, page_request.csrf_token_of(person), f"{PEOPLE_PAGE}/"),
            status=422 if errors else 200,
            errors=errors,
            typed={name: typed(name) for name in ("name", "display-name", "mail")},
            days=DAYS,
            chosen_days=typed("days") or str(INVITATION_LIFETIME.days),
            sends_mail=self._outbox.is_on,
            wants_mail=not page_request.form or typed("send-mail") == "yes",
        )

    # --- someone who is there ---

    async def show_link(self, page_request: PageRequest, person: SignedIn) -> Response:
        """What a link of this person does, and the question whether to make one."""
        return await self._link_form(page_request, person)

    async def create_link(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Make the link: an invitation for someone who cannot sign in yet, a reset link for anyone else."""
        account = await self._account(page_request, person)
        try:
            if not await self._can_sign_in(account, person):
                return await self._invite(page_request, person, account.name)
            return await self._reset(page_request, person, account)
        except (InvalidInput, Conflict) as refusal:
            return await self._link_form(page_request, person, errors=fields_of(refusal))

    async def _link_form(self, page_request: PageRequest, person: SignedIn, *, errors: tuple[FormError, ...] = ()) -> Response:
        account = await self._account(page_request, person)
        resets = await self._can_sign_in(account, person)
        return self._pages.console(
            "person-link.html",
            self._context(page_request, person, account),
            status=422 if errors else 200,
            errors=errors,
            account=account,
            resets=resets,
            certificates=await self._credentials.certificates_of(account.id) if resets else 0,
            lifetimes=HOURS if resets else DAYS,
            chosen=str(RESET_LIFETIME // timedelta(hours=1)) if resets else str(INVITATION_LIFETIME.days),
            sends_mail=self._outbox.is_on and any(each.verified for each in account.mails),
        )

    # --- what both do ---

    async def _invite(
        self,
        page_request: PageRequest,
        person: SignedIn,
        name: str,
        *,
        display_name: str = "",
        mails: tuple[str, ...] = (),
    ) -> Response:
        days = page_request.typed("days")
        message = self._mail(MailKind.INVITATION, page_request, person)
        made = await self._invitations.create(
            name,
            display_name=display_name,
            mails=mails,
            lifetime=timedelta(days=int(days)) if days in DAYS else INVITATION_LIFETIME,
            actor=person.actor,
            with_link=message,
        )
        return self._made(page_request, person, made.person, made.link, await message.outcome(), resets=False)

    async def _reset(self, page_request: PageRequest, person: SignedIn, account: Account) -> Response:
        hours = page_request.typed("hours")
        message = self._mail(MailKind.RESET, page_request, person)
        link = await self._reset_links.create(
            account.name,
            lifetime=timedelta(hours=int(hours)) if hours in HOURS else RESET_LIFETIME,
            end_certificates=page_request.typed("keep-certificates") != "yes",
            actor=person.actor,
            with_link=message,
        )
        return self._made(page_request, person, account, link, await message.outcome(), resets=True)

    def _made(
        self,
        page_request: PageRequest,
        person: SignedIn,
        account: Account,
        link: OneTimeLink,
        sent: LinkDelivery | None,
        *,
        resets: bool,
    ) -> Response:
        address = self._address(link, resets=resets)
        return self._pages.console(
            "person-link-made.html",
            self._context(page_request, person, account),
            account=account,
            link=address,
            drawing=qr_code(address),
            expires_at=link.expires_at,
            sent=sent,
            resets=resets,
        )

    def _mail(self, kind: MailKind, page_request: PageRequest, person: SignedIn) -> LinkMail:
        wanted = page_request.typed("send-mail") == "yes"

        def address(link: OneTimeLink) -> str:
            return self._address(link, resets=kind is MailKind.RESET)

        return LinkMail(self._outbox, kind, person.actor, wanted=wanted, address=address)

    def _address(self, link: OneTimeLink, *, resets: bool) -> str:
        return f"{self._pages.site.origin}/{'reset' if resets else 'invitation'}/{link.token}"

    async def _can_sign_in(self, account: Account, person: SignedIn) -> bool:
        return bool(await self._credentials.list_of(account.id, actor=person.actor))

    async def _account(self, page_request: PageRequest, person: SignedIn) -> Account:
        account = await self._directory.show_person(page_request.request.path_parameters["name"], actor=person.actor)
        if account.kind is not AccountKind.PERSON:
            raise NotFound(f"{account.name} is not a person, and has no link.", hint="Open the page of a person.")
        return account

    @staticmethod
    def _context(page_request: PageRequest, person: SignedIn, account: Account) -> ConsoleContext:
        path = f"{PEOPLE_PAGE}/{account.name}"
        return ConsoleContext(person, page_request.csrf_token_of(person), f"{path}/link", (PageLink(path, account.display_name),))
