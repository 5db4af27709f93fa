"""Editing a person: names and addresses, what applications are told, and from when until when they may act."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from sealwright.clock import Clock
from sealwright.errors import Conflict, Failure, InvalidInput, NotFound
from sealwright.http import Response
from sealwright.identity import (
    Account,
    AccountKind,
    Directory,
    GroupNotFound,
    MailAddress,
    SignedIn,
    check_attributes,
)
from sealwright.web.console.frame import Question, ask
from sealwright.web.console.moments import MomentRefused, moment_of, moment_text
from sealwright.web.console.people import PEOPLE_PAGE
from sealwright.web.forms import FormError, fields_of
from sealwright.web.navigation import PageLink
from sealwright.web.notices import done
from sealwright.web.overtaken import FormOvertaken, OvertakenForm, unless_overtaken, version_of
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import ConsoleContext, Pages
from sealwright.web.profile import FIELDS

_NAMES: Final = {"name": "User name", "display-name": "Name", "mails": "E-mail addresses"}
_VALIDITY: Final = {"valid-from": "Valid from", "valid-until": "Valid until"}
_ATTRIBUTES: Final = {field.id: field.label for field in FIELDS}
_FIELDS: Final = {"name": "name", "display_name": "display-name", "mails": "mails"}
_VALIDITY_FIELDS: Final = {"valid_from": "valid-from", "valid_until": "valid-until"}


class PersonForms(Struct, frozen=True):
    """What the three forms hold."""

    names: Mapping[str, str]
    attributes: Mapping[str, str]
    validity: Mapping[str, str]


class PersonEditPages:
    """Three forms, each saved as a whole. The directory checks the permissions."""

    def __init__(self, pages: Pages, directory: Directory, clock: Clock) -> None:
        self._pages = pages
        self._directory = directory
        self._clock = clock

    async def show(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The forms with what is kept about the person."""
        return await self._page(page_request, person, await self._account(page_request, person))

    async def save_names(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Change the names and addresses."""
        account = await self._account(page_request, person)
        typed, held = _typed(page_request, _NAMES), _names_of(account)

        async def read() -> Mapping[str, str]:
            return _names_of(await self._directory.show_person(account.id, actor=person.actor))

        try:
            async with unless_overtaken(page_request.typed("seen"), read, typed, _NAMES):
                changed = await self._directory.update_person(
                    account.id,
                    name=typed["name"] if typed["name"] != account.name else None,
                    display_name=typed["display-name"],
                    mails=_mails(typed["mails"], account) if typed["mails"].split() != held["mails"].split() else None,
                    actor=person.actor,
                )
        except FormOvertaken as overtaken:
            return await self._page(page_request, person, account, names=typed, stale=overtaken.form)
        except (InvalidInput, Conflict) as refusal:
            return await self._page(page_request, person, account, names=typed, errors=fields_of(refusal, _FIELDS))
        return done(_path(changed), "person-changed")

    async def save_attributes(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Change what applications may be told about the person."""
        account = await self._account(page_request, person)
        typed, held = _typed(page_request, _ATTRIBUTES), await self._attributes_of(account)
        try:
            async with unless_overtaken(page_request.typed("seen"), lambda: self._attributes_of(account), typed, _ATTRIBUTES):
                errors = _wrong_attributes(typed)
                changes = {each.name: typed[each.id] or None for each in FIELDS if typed[each.id] != held[each.id]}
                if changes and not errors:
                    await self._directory.set_attributes(account.id, changes, actor=person.actor)
        except FormOvertaken as overtaken:
            return await self._page(page_request, person, account, attributes=typed, stale=overtaken.form)
        if errors:
            return await self._page(page_request, person, account, attributes=typed, errors=errors)
        return done(_path(account), "person-changed")

    async def save_validity(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Set from when and until when the person may act; it asks first where that ends their access now."""
        account = await self._account(page_request, person)
        typed = _typed(page_request, _VALIDITY)

        async def read() -> Mapping[str, str]:
            return _validity_of(await self._directory.show_person(account.id, actor=person.actor))

        try:
            async with unless_overtaken(page_request.typed("seen"), read, typed, _VALIDITY):
                begins, ends = (moment_of(typed[name], _VALIDITY[name], name) for name in _VALIDITY)
                now = self._clock.now()
                out = (begins is not None and begins > now) or (ends is not None and ends <= now)
                if out and page_request.typed("sure") != "yes" and account.status(now).active:
                    return await self._ask(page_request, person, account, typed)
                await self._directory.set_validity(account.id, valid_from=begins, valid_until=ends, actor=person.actor)
        except FormOvertaken as overtaken:
            return await self._page(page_request, person, account, validity=typed, stale=overtaken.form)
        except MomentRefused as refusal:
            return await self._page(page_request, person, account, validity=typed, errors=(refusal.error,))
        except (InvalidInput, Conflict) as refusal:
            errors = fields_of(refusal, _VALIDITY_FIELDS)
            return await self._page(page_request, person, account, validity=typed, errors=errors)
        return done(_path(account), "person-changed")

    async def add_group(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Put the person into a group."""
        account, name = await self._account(page_request, person), page_request.typed("group").strip()
        if not name:
            raise InvalidInput("No group was named.", hint="Go back, and type the name of a group.")
        if await self._directory.find_group(name) is None:
            raise GroupNotFound(f"There is no group {name[:64]!r}.", hint="Look for it among the groups.")
        await self._directory.add_members(name, [account.id], actor=person.actor)
        return done(_path(account), "member-added")

    async def remove_group(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Take the person out of a group, where they are in it directly."""
        account, name = await self._account(page_request, person), page_request.typed("group")
        if not await self._directory.remove_members(name, [account.id], actor=person.actor):
            raise Conflict(
                f"{account.name} is in {name[:64]} only through another group.",
                hint="Open the group to see which groups are in it, and take them out there.",
            )
        return done(_path(account), "member-removed")

    # --- parts ---

    async def _ask(self, page_request: PageRequest, person: SignedIn, account: Account, typed: Mapping[str, str]) -> Response:
        _, sessions = await self._directory.impact_of_deletion_of_person(account.name, actor=person.actor)
        question = Question(
            title=f"End the access of {account.display_name} now?",
            impact=((sessions, "sessions end at once"),),
            after=(
                "The time that you set does not hold now: they cannot sign in until it does.",
                "Their links, API tokens and keys end as if the account were disabled.",
            ),
            action=f"{_path(account)}/validity",
            button=f"Set the time of {account.name}",
            keep=f"{_path(account)}/edit",
            fields=(("sure", "yes"), ("seen", page_request.typed("seen")), *typed.items()),
        )
        return ask(self._pages, self._context(page_request, person, account), question)

    async def _attributes_of(self, account: Account) -> dict[str, str]:
        held = await self._directory.attributes_of(account.id)
        return {each.id: held[each.name].value if each.name in held else "" for each in FIELDS}

    async def _account(self, page_request: PageRequest, person: SignedIn) -> Account:
        account = await self._directory.show_person(page_request.request.path_parameters["name"], actor=person.actor)
        if account.kind is not AccountKind.PERSON:
            raise NotFound(f"{account.name} is not a person who can be edited here.", hint="Open the page of a person.")
        return account

    async def _page(
        self,
        page_request: PageRequest,
        person: SignedIn,
        account: Account,
        *,
        names: Mapping[str, str] | None = None,
        attributes: Mapping[str, str] | None = None,
        validity: Mapping[str, str] | None = None,
        stale: OvertakenForm | None = None,
        errors: tuple[FormError, ...] = (),
    ) -> Response:
        if stale is not None:
            account = await self._directory.show_person(account.id, actor=person.actor)
        held = PersonForms(_names_of(account), await self._attributes_of(account), _validity_of(account))
        return self._pages.console(
            "person-edit.html",
            self._context(page_request, person, account),
            status=409 if stale is not None else 422 if errors else 200,
            errors=errors,
            stale=stale,
            account=account,
            fields=FIELDS,
            typed=PersonForms(names or held.names, attributes or held.attributes, validity or held.validity),
            seen=PersonForms(*({"": version_of(each)} for each in (held.names, held.attributes, held.validity))),
        )

    @staticmethod
    def _context(page_request: PageRequest, person: SignedIn, account: Account) -> ConsoleContext:
        path = _path(account)
        return ConsoleContext(person, page_request.csrf_token_of(person), f"{path}/edit", (PageLink(path, account.display_name),))


def _path(account: Account) -> str:
    return f"{PEOPLE_PAGE}/{account.name}"


def _typed(page_request: PageRequest, names: Mapping[str, str]) -> dict[str, str]:
    return {name: page_request.typed(name).strip().replace("\r\n", "\n") for name in names}


def _names_of(account: Account) -> dict[str, str]:
    mails = "\n".join(each.address for each in account.mails)
    return {"name": account.name, "display-name": account.display_name, "mails": mails}


def _validity_of(account: Account) -> dict[str, str]:
    return {"valid-from": moment_text(account.valid_from), "valid-until": moment_text(account.valid_until)}


def _mails(text: str, account: Account) -> list[str | MailAddress]:
    """Addresses that are kept stay as confirmed as they are; a new one is one that an administrator asserts."""
    held = {each.address.lower(): each for each in account.mails}
    return [held.get(address.lower(), address) for address in text.split()]


def _wrong_attributes(typed: Mapping[str, str]) -> tuple[FormError, ...]:
    errors = []
    for each in FIELDS:
        try:
            check_attributes({each.name: typed[each.id] or None})
        except Failure as refusal:
            errors.append(FormError(fields_of(refusal)[0].text, each.id))
    return tuple(errors)
