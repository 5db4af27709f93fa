"""Change one's own password; set up and remove an authenticator."""

from __future__ import annotations

from sealwright.errors import RateLimited
from sealwright.http import Response
from sealwright.identity import (
    MIN_PASSWORD,
    CodeRefused,
    CredentialNotFound,
    Credentials,
    PasswordRefused,
    SignedIn,
    TextRefused,
    TooManyCredentials,
    TotpEnrolment,
    WeakPassword,
    recovery_codes_left,
    second_factors,
)
from sealwright.web.failures import waiting_headers
from sealwright.web.forms import FormError, fields_of, form_error, missing, not_the_same, unlike_a_code
from sealwright.web.notices import done
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import ConsoleContext, Pages
from sealwright.web.qr_code import qr_code
from sealwright.web.return_to import HOME

PASSWORD_PAGE = "/ui/account/password"  # noqa: S105 - an address
AUTHENTICATOR_PAGE = "/ui/account/authenticator"
RECOVERY_PAGE = "/ui/account/recovery-codes"

_KINDS: dict[type[Exception], str] = {
    PasswordRefused: "password",
    WeakPassword: "new-password",
    CodeRefused: "code",
    TextRefused: "label",
}


class CredentialPages:
    """Each change asks for the password that holds now."""

    def __init__(self, pages: Pages, credentials: Credentials) -> None:
        self._pages = pages
        self._credentials = credentials

    # --- password ---

    async def show_password(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The form for another password."""
        return self._password_form(page_request, person)

    async def change_password(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Change the password; other sessions end."""
        asked = {"password": "Type the password that you use until now.", "new-password": "Choose a new password."}
        errors = missing(page_request.form, asked) or not_the_same(page_request.form, "new-password", "new-password-again")
        if errors:
            return self._password_form(page_request, person, errors=errors)
        try:
            await self._credentials.change_password(
                page_request.typed("password"), page_request.typed("new-password"), actor=person.actor
            )
        except (PasswordRefused, WeakPassword) as refusal:
            return self._password_form(page_request, person, errors=fields_of(refusal, kinds=_KINDS))
        except RateLimited as refusal:
            return self._password_form(page_request, person, errors=(form_error(refusal),), failure=refusal)
        return done(HOME, "password")

    # --- authenticator ---

    async def show_authenticator(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Where setting up an authenticator begins."""
        return await self._begin_form(page_request, person)

    async def begin_authenticator(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Make a key for an authenticator and show it, this once."""
        errors = missing(page_request.form, {"password": "Type your password."})
        if errors:
            return await self._begin_form(page_request, person, errors=errors)
        try:
            enrolment = await self._credentials.begin_totp(
                page_request.typed("password"), label=page_request.typed("label"), actor=person.actor
            )
        except (PasswordRefused, TextRefused, TooManyCredentials) as refusal:
            return await self._begin_form(page_request, person, errors=fields_of(refusal, kinds=_KINDS))
        except RateLimited as refusal:
            return await self._begin_form(page_request, person, errors=(form_error(refusal),), failure=refusal)
        return self._code_form(page_request, person, enrolment=enrolment)

    async def confirm_authenticator(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Turn an authenticator on, with a right code of it."""
        code, key = page_request.typed("code"), "".join(page_request.typed("key").split())
        shown = await self._credentials.unconfirmed_totp(key, actor=person.actor) if key else None
        errors = unlike_a_code(code)
        if errors:
            return self._code_form(page_request, person, enrolment=shown, errors=errors)
        try:
            await self._credentials.confirm_totp(code, actor=person.actor)
        except CodeRefused as refusal:
            return self._code_form(page_request, person, enrolment=shown, errors=fields_of(refusal, kinds=_KINDS))
        except RateLimited as refusal:
            return self._code_form(page_request, person, enrolment=shown, errors=(form_error(refusal),), failure=refusal)
        return done(HOME, "second-factor")

    async def show_removal(self, page_request: PageRequest, person: SignedIn) -> Response:
        """What removing an authenticator means, and the password for it."""
        return await self._removal_form(page_request, person, page_request.request.query().get("authenticator", ""))

    async def remove_authenticator(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Remove an authenticator."""
        credential_id = page_request.typed("authenticator")
        errors = missing(page_request.form, {"password": "Type your password."})
        if errors:
            return await self._removal_form(page_request, person, credential_id, errors=errors)
        try:
            await self._credentials.remove_totp(credential_id, page_request.typed("password"), actor=person.actor)
        except PasswordRefused as refusal:
            return await self._removal_form(page_request, person, credential_id, errors=fields_of(refusal, kinds=_KINDS))
        except RateLimited as refusal:
            return await self._removal_form(page_request, person, credential_id, errors=(form_error(refusal),), failure=refusal)
        return done(HOME, "second-factor-removed")

    # --- recovery codes ---

    async def show_recovery_codes(self, page_request: PageRequest, person: SignedIn) -> Response:
        """What recovery codes are for, and how many are left."""
        return await self._recovery_page(page_request, person)

    async def create_recovery_codes(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Make new recovery codes and show them, this once."""
        codes = await self._credentials.create_recovery_codes(actor=person.actor)
        return await self._recovery_page(page_request, person, codes)

    # --- parts ---

    async def _recovery_page(self, page_request: PageRequest, person: SignedIn, codes: tuple[str, ...] = ()) -> Response:
        held = await self._credentials.list_of(person.account.id, actor=person.actor)
        return self._pages.console(
            "recovery-codes.html",
            ConsoleContext(person, page_request.csrf_token_of(person), HOME),
            codes=codes,
            left=recovery_codes_left(held),
            second_factors=second_factors(held),
        )

    def _password_form(
        self,
        page_request: PageRequest,
        person: SignedIn,
        *,
        errors: tuple[FormError, ...] = (),
        failure: RateLimited | None = None,
    ) -> Response:
        return self._pages.console(
            "password.html",
            ConsoleContext(person, page_request.csrf_token_of(person), HOME),
            status=_status(errors, failure),
            headers=waiting_headers(failure),
            errors=errors,
            shortest_password=MIN_PASSWORD,
        )

    async def _begin_form(
        self,
        page_request: PageRequest,
        person: SignedIn,
        *,
        errors: tuple[FormError, ...] = (),
        failure: RateLimited | None = None,
    ) -> Response:
        held = await self._credentials.list_of(person.account.id, actor=person.actor)
        return self._pages.console(
            "authenticator.html",
            ConsoleContext(person, page_request.csrf_token_of(person), HOME),
            status=_status(errors, failure),
            headers=waiting_headers(failure),
            errors=errors,
            second_factors=second_factors(held),
            label=page_request.typed("label"),
        )

    def _code_form(
        self,
        page_request: PageRequest,
        person: SignedIn,
        *,
        enrolment: TotpEnrolment | None = None,
        errors: tuple[FormError, ...] = (),
        failure: RateLimited | None = None,
    ) -> Response:
        return self._pages.console(
            "authenticator-code.html",
            ConsoleContext(person, page_request.csrf_token_of(person), HOME),
            status=_status(errors, failure),
            headers=waiting_headers(failure),
            errors=errors,
            drawing=None if enrolment is None else qr_code(enrolment.uri),
            key="" if enrolment is None else _in_fours(enrolment.secret),
            uri="" if enrolment is None else enrolment.uri,
        )

    async def _removal_form(
        self,
        page_request: PageRequest,
        person: SignedIn,
        credential_id: str,
        *,
        errors: tuple[FormError, ...] = (),
        failure: RateLimited | None = None,
    ) -> Response:
        held = second_factors(await self._credentials.list_of(person.account.id, actor=person.actor))
        removed = next((one for one in held if one.id == credential_id), None)
        if removed is None:
            raise CredentialNotFound("You have no such second factor.", hint="Go back to your account.")
        return self._pages.console(
            "authenticator-removal.html",
            ConsoleContext(person, page_request.csrf_token_of(person), HOME),
            status=_status(errors, failure),
            headers=waiting_headers(failure),
            errors=errors,
            authenticator=removed,
            last=len(held) == 1,
        )


def _status(errors: tuple[FormError, ...], failure: RateLimited | None) -> int:
    if failure is not None:
        return 429
    return 422 if errors else 200


def _in_fours(key: str) -> str:
    return " ".join(key[start : start + 4] for start in range(0, len(key), 4))
