"""Add, rename and remove one's own passkeys."""

from __future__ import annotations

import json
from typing import Final

from sealwright.errors import Failure
from sealwright.http import Response
from sealwright.identity import (
    CredentialNotFound,
    LabelTaken,
    Passkey,
    PasskeyRefused,
    Passkeys,
    SignedIn,
    TextRefused,
    TooManyCredentials,
)
from sealwright.web.forms import FormError, fields_of, missing
from sealwright.web.notices import done
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import ConsoleContext, Pages
from sealwright.web.return_to import HOME

PASSKEY_PAGE = "/ui/account/passkey"
_FIELDS: Final = {"label": "label"}
_NEEDS_SCRIPT = {"credential": "No passkey was used. Allow JavaScript for this page: browsers offer passkeys only with it."}


class PasskeyPages:
    """Each of these needs a recent sign-in."""

    def __init__(self, pages: Pages, passkeys: Passkeys) -> None:
        self._pages = pages
        self._passkeys = passkeys

    async def show_new(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The form that adds a passkey."""
        return await self._new_form(page_request, person)

    async def add(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Add the passkey that the browser made."""
        errors = missing(page_request.form, _NEEDS_SCRIPT)
        if errors:
            return await self._new_form(page_request, person, errors=(FormError(errors[0].text),))
        try:
            await self._passkeys.register(page_request.typed("credential"), label=page_request.typed("label"), actor=person.actor)
        except (PasskeyRefused, TextRefused, LabelTaken, TooManyCredentials) as refusal:
            return await self._new_form(page_request, person, errors=_errors(refusal))
        return done(HOME, "passkey")

    async def show_change(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Rename or remove one passkey."""
        return await self._change_form(page_request, person, page_request.request.query().get("passkey", ""))

    async def rename(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Give a passkey another name."""
        passkey_id = page_request.typed("passkey")
        errors = missing(page_request.form, {"label": "Type a name."})
        if errors:
            return await self._change_form(page_request, person, passkey_id, errors=errors)
        try:
            await self._passkeys.rename(passkey_id, page_request.typed("label"), actor=person.actor)
        except (TextRefused, LabelTaken) as refusal:
            return await self._change_form(page_request, person, passkey_id, errors=_errors(refusal))
        return done(HOME, "passkey-renamed")

    async def remove(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Remove a passkey."""
        await self._passkeys.remove(page_request.typed("passkey"), actor=person.actor)
        return done(HOME, "passkey-removed")

    async def _new_form(self, page_request: PageRequest, person: SignedIn, *, errors: tuple[FormError, ...] = ()) -> Response:
        return self._pages.console(
            "passkey.html",
            ConsoleContext(person, page_request.csrf_token_of(person), HOME),
            status=422 if errors else 200,
            errors=errors,
            usable=self._passkeys.usable,
            options=json.dumps(await self._passkeys.creation_options(actor=person.actor)),
            label=page_request.typed("label"),
        )

    async def _change_form(
        self, page_request: PageRequest, person: SignedIn, passkey_id: str, *, errors: tuple[FormError, ...] = ()
    ) -> Response:
        held = await self._passkeys.list_of(person.account.id, actor=person.actor)
        passkey: Passkey | None = next((each for each in held if each.id == passkey_id), None)
        if passkey is None:
            raise CredentialNotFound("You have no such passkey.", hint="Go back to your account.")
        return self._pages.console(
            "passkey-change.html",
            ConsoleContext(person, page_request.csrf_token_of(person), HOME),
            status=422 if errors else 200,
            errors=errors,
            passkey=passkey,
            label=page_request.typed("label") or passkey.label,
        )


def _errors(refusal: Failure) -> tuple[FormError, ...]:
    return fields_of(refusal, _FIELDS)
