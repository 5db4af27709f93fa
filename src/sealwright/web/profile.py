"""The person's own profile: attributes that applications may read, SSH keys, and mail addresses with their confirmation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

from sealwright import mail
from sealwright.db import Transaction
from sealwright.errors import Failure
from sealwright.http import Response
from sealwright.identity import (
    Account,
    Directory,
    MailAddresses,
    MailLink,
    SignedIn,
    check_attributes,
    check_display_name,
)
from sealwright.web.forms import FormError, fields_of, form_error
from sealwright.web.notices import done, notice_text
from sealwright.web.overtaken import FormOvertaken, OvertakenForm, unless_overtaken, version_of
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import ConsoleContext, Pages
from sealwright.web.return_to import HOME

PROFILE_PAGE = "/ui/account/profile"
MAIL_PAGE = "/ui/account/mail"
_SEND_TIMEOUT = timedelta(seconds=5)


class ProfileField(NamedTuple):
    """One attribute in the form."""

    name: str
    """Of the attribute."""
    label: str
    autocomplete: str
    type: str = "text"
    hint: str = ""

    @property
    def id(self) -> str:
        """Of its control."""
        return self.name.replace(".", "-").replace("_", "-")


FIELDS = (
    ProfileField("given_name", "Given name", "given-name"),
    ProfileField("family_name", "Family name", "family-name"),
    ProfileField("nickname", "Nickname", "nickname"),
    ProfileField("phone_number", "Phone", "tel", "tel", "With the country, such as +49 30 1234567."),
    ProfileField("locale", "Language", "language", hint="A language tag, such as de-AT."),
    ProfileField("zoneinfo", "Time zone", "off", hint="Such as Europe/Berlin."),
    ProfileField("website", "Website", "url", "url"),
    ProfileField("address.street_address", "Street and number", "street-address"),
    ProfileField("address.postal_code", "Postal code", "postal-code"),
    ProfileField("address.locality", "Town", "address-level2"),
    ProfileField("address.region", "Region", "address-level1"),
    ProfileField("address.country", "Country", "country-name"),
)


_LABELS: Mapping[str, str] = {"": "Name", **{field.name: field.label for field in FIELDS}}


class ProfilePages:
    """Everyone's own. Addresses and SSH keys need a recent sign-in: certificates are made out to them, and hosts let them in."""

    def __init__(self, pages: Pages, directory: Directory, addresses: MailAddresses, outbox: mail.Outbox) -> None:
        self._pages = pages
        self._directory = directory
        self._addresses = addresses
        self._outbox = outbox

    # --- profile ---

    async def show(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The form with what is kept about the person."""
        return await self._form(page_request, person, notice=notice_text(page_request.request))

    async def save(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Change the profile: all that was typed, or nothing."""
        held = await self._held(person.account)
        typed = {field.name: page_request.typed(field.id).strip() for field in FIELDS}
        display_name = page_request.typed("display-name")
        given = {**typed, "": display_name}

        async def read() -> Mapping[str, str]:
            account = await self._directory.find(person.account.id) or person.account
            return _versioned(account, await self._held(account))

        try:
            async with unless_overtaken(page_request.typed("seen"), read, given, _LABELS):
                errors = _wrong(display_name, typed)
                if errors:
                    return await self._form(page_request, person, typed=given, errors=errors)
                changes = {name: value or None for name, value in typed.items() if value != held.get(name, "")}
                await self._directory.edit_own(display_name, changes, actor=person.actor)
        except FormOvertaken as overtaken:
            return await self._form(page_request, person, typed=given, stale=overtaken.form)
        return done(PROFILE_PAGE, "profile")

    # --- SSH keys ---

    async def add_key(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Add an SSH public key."""
        tag, key = page_request.typed("tag").strip(), page_request.typed("public-key").strip()
        try:
            await self._directory.add_ssh_key(person.account.id, tag, key, actor=person.actor)
        except Failure as refusal:
            errors = fields_of(refusal, {"tag": "tag", "public_key": "public-key"})
            return await self._form(page_request, person, key=(tag, key), errors=errors)
        return done(PROFILE_PAGE, "ssh-key")

    async def delete_key(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Delete an SSH public key."""
        await self._directory.delete_ssh_key(person.account.id, page_request.typed("tag"), actor=person.actor)
        return done(PROFILE_PAGE, "ssh-key-removed")

    # --- mail addresses ---

    async def show_mail(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The person's addresses."""
        return await self._mail_form(page_request, person, notice=notice_text(page_request.request))

    async def add_mail(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Add an address, which is not confirmed yet."""
        typed = page_request.typed("address").strip()
        return await self._change_mail(page_request, person, [*_addresses(person.account), typed], typed)

    async def remove_mail(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Take an address out."""
        gone = page_request.typed("address").lower()
        return await self._change_mail(
            page_request, person, [each for each in _addresses(person.account) if each.lower() != gone], ""
        )

    async def send_link(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Send a link to an address that is not confirmed."""
        if not self._outbox.is_on:
            problem = FormError("This server sends no mail. Ask an administrator.")
            return await self._mail_form(page_request, person, errors=(problem,))
        queued: list[str] = []

        async def with_link(tx: Transaction, account: Account, link: MailLink) -> None:
            content = mail.verification(
                self._outbox.sender,
                to=account.display_name,
                account=account.name,
                address=link.address,
                link=f"{self._pages.site.origin}/mail/{link.token}",
                until=link.expires_at,
            )
            draft = mail.Draft(mail.MailKind.VERIFICATION, account.id, link.address, link.digest, content, link.expires_at)
            queued[:] = [await self._outbox.queue(tx, draft)]

        try:
            await self._addresses.create_link(page_request.typed("address"), with_link, actor=person.actor)
        except Failure as refusal:
            return await self._mail_form(page_request, person, errors=(form_error(refusal),))
        tried = await self._outbox.send_now(queued[0], _SEND_TIMEOUT)
        return done(MAIL_PAGE, "mail-sent" if tried.state is mail.DeliveryState.SENT else "mail-queued")

    async def show_link(self, page_request: PageRequest, person: SignedIn) -> Response:
        """What a link from a message confirms. Nothing is done before the button is used: programs open links, too."""
        address = await self._addresses.address_of_link(_token(page_request), actor=person.actor)
        return self._pages.console(
            "mail-confirm.html",
            ConsoleContext(person, page_request.csrf_token_of(person), HOME),
            address=address,
            action=page_request.request.path,
        )

    async def confirm(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Confirm the address."""
        await self._addresses.confirm(_token(page_request), actor=person.actor)
        return done(MAIL_PAGE, "mail-confirmed")

    # --- parts ---

    async def _change_mail(self, page_request: PageRequest, person: SignedIn, wanted: list[str], typed: str) -> Response:
        try:
            await self._addresses.set_own(wanted, actor=person.actor)
        except Failure as refusal:
            errors = fields_of(refusal, {"mails": "address"} if typed else {})
            return await self._mail_form(page_request, person, typed=typed, errors=errors)
        return done(MAIL_PAGE, "mails")

    async def _mail_form(
        self,
        page_request: PageRequest,
        person: SignedIn,
        *,
        notice: str = "",
        typed: str = "",
        errors: tuple[FormError, ...] = (),
    ) -> Response:
        return self._pages.console(
            "mail.html",
            ConsoleContext(person, page_request.csrf_token_of(person), HOME),
            status=422 if errors else 200,
            notice=notice,
            errors=errors,
            mails=person.account.mails,
            may_edit=await self._addresses.may_edit_own(person.account.id),
            sends_mail=self._outbox.is_on,
            typed=typed,
        )

    async def _held(self, account: Account) -> dict[str, str]:
        return {name: each.value for name, each in (await self._directory.attributes_of(account.id)).items()}

    async def _form(
        self,
        page_request: PageRequest,
        person: SignedIn,
        *,
        notice: str = "",
        typed: Mapping[str, str] | None = None,
        key: tuple[str, str] = ("", ""),
        errors: tuple[FormError, ...] = (),
        stale: OvertakenForm | None = None,
    ) -> Response:
        account = await self._directory.find(person.account.id) or person.account
        held = await self._held(account)
        shown = {field.id: held.get(field.name, "") for field in FIELDS}
        if typed is not None:
            shown = {field.id: typed[field.name] for field in FIELDS}
        return self._pages.console(
            "profile.html",
            ConsoleContext(person, page_request.csrf_token_of(person), HOME),
            status=409 if stale is not None else 422 if errors else 200,
            notice=notice,
            errors=errors,
            stale=stale,
            fields=FIELDS,
            values=shown,
            display_name=account.display_name if typed is None else typed[""],
            seen=version_of(_versioned(account, held)),
            keys=await self._directory.ssh_keys_of(account.id),
            tag=key[0],
            public_key=key[1],
        )


def _addresses(account: Account) -> list[str]:
    return [each.address for each in account.mails]


def _wrong(display_name: str, typed: Mapping[str, str]) -> tuple[FormError, ...]:
    """Everything that cannot be kept, each with its control."""
    errors: list[FormError] = []
    try:
        check_display_name(display_name)
    except Failure as refusal:
        errors.append(FormError(fields_of(refusal)[0].text, "display-name"))
    for field in FIELDS:
        try:
            check_attributes({field.name: typed[field.name]})
        except Failure as refusal:
            errors.append(FormError(fields_of(refusal)[0].text, field.id))
    return tuple(errors)


def _versioned(account: Account, held: Mapping[str, str]) -> dict[str, str]:
    """What the form is made from."""
    return {"": account.display_name, **{field.name: held.get(field.name, "") for field in FIELDS}}


def _token(page_request: PageRequest) -> str:
    return page_request.request.path_parameters["token"]
