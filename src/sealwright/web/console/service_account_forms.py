"""Making and editing service accounts, and their API tokens, each shown once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from sealwright.access import Permission, require
from sealwright.audit import Event
from sealwright.clock import Clock, after
from sealwright.errors import Conflict, InvalidInput
from sealwright.http import Response
from sealwright.identity import (
    Account,
    ApiTokens,
    Directory,
    MemberNotFound,
    SignedIn,
)
from sealwright.web.console.accounts import NEW_SERVICE_ACCOUNT_PAGE, SERVICE_ACCOUNTS_PAGE
from sealwright.web.console.frame import Question, ask, hit_list
from sealwright.web.forms import FormError, fields_of, missing
from sealwright.web.navigation import PageLink
from sealwright.web.notices import done
from sealwright.web.overtaken import FormOvertaken, OvertakenForm, unless_overtaken, version_of
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import ConsoleContext, Pages

_LABELS: Final = {"name": "Name", "display-name": "What it is called", "manager": "Manager"}
_NEEDED: Final = {"name": "Give the account a name.", "display-name": "Say what it is called."}
LIFETIMES: Mapping[str, str] = {"30": "30 days", "90": "90 days", "365": "a year", "": "no end"}
_FIELDS: Final = {"name": "name", "display_name": "display-name", "managed_by": "manager"}
_REFUSALS = (InvalidInput, Conflict, MemberNotFound)


class ServiceAccountFormPages:
    """The parts that are called check the permissions; the manager of an account may make and revoke its tokens."""

    def __init__(self, pages: Pages, directory: Directory, tokens: ApiTokens, clock: Clock) -> None:
        self._pages = pages
        self._directory = directory
        self._tokens = tokens
        self._clock = clock

    # --- the account ---

    async def show_new(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The form of a new account."""
        return self._form(page_request, person, None, dict.fromkeys(_LABELS, ""))

    async def create(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Make the account."""
        typed = _typed(page_request)
        errors = missing(typed, _NEEDED)
        if errors:
            return self._form(page_request, person, None, typed, errors=errors)
        try:
            made = await self._directory.create_service_account(
                typed["name"], typed["display-name"], managed_by=typed["manager"] or None, actor=person.actor
            )
        except _REFUSALS as refusal:
            return self._form(page_request, person, None, typed, errors=fields_of(refusal, _FIELDS))
        return done(_path(made), "service-account-created")

    async def show_edit(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The form of an account that is there."""
        account = await self._account(page_request, person)
        return self._form(page_request, person, account, await self._held(account))

    async def save(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Change the account."""
        account = await self._account(page_request, person)
        typed, held = _typed(page_request), await self._held(account)
        directory, actor, account_id = self._directory, person.actor, account.id

        async def read() -> Mapping[str, str]:
            return await self._held(await directory.show_service_account(account_id, actor=actor))

        try:
            async with unless_overtaken(page_request.typed("seen"), read, typed, _LABELS):
                which = await directory.changeable_service_account(account.id, Event.PERSON_UPDATED, actor=actor)
                if typed["manager"] != held["manager"]:
                    account = await directory.set_service_account_manager(which, typed["manager"] or None, actor=actor)
                if (typed["name"], typed["display-name"]) != (held["name"], held["display-name"]):
                    names = {"name": typed["name"], "display_name": typed["display-name"]}
                    account = await directory.update_person(which, **names, actor=actor)
        except FormOvertaken as overtaken:
            return self._form(page_request, person, account, typed, held=await read(), stale=overtaken.form)
        except _REFUSALS as refusal:
            errors = fields_of(refusal, _FIELDS)
            return self._form(page_request, person, account, typed, held=await self._held(account), errors=errors)
        return done(_path(account), "service-account-changed")

    def _form(
        self,
        page_request: PageRequest,
        person: SignedIn,
        account: Account | None,
        typed: Mapping[str, str],
        *,
        held: Mapping[str, str] | None = None,
        stale: OvertakenForm | None = None,
        errors: tuple[FormError, ...] = (),
    ) -> Response:
        path = NEW_SERVICE_ACCOUNT_PAGE if account is None else f"{_path(account)}/edit"
        return self._pages.console(
            "service-account-form.html",
            _context(page_request, person, account, "edit"),
            status=409 if stale is not None else 422 if errors else 200,
            errors=errors,
            stale=stale,
            account=account,
            typed=typed,
            seen=version_of(typed if held is None else held),
            action=path,
        )

    # --- whether it may act ---

    async def show_disabling(self, page_request: PageRequest, person: SignedIn) -> Response:
        """What ends when the account is disabled, and the question whether to."""
        after_it = ("It cannot act any more.", "You can enable it again. Its tokens stay ended: it needs new ones.")
        return await self._ask(page_request, person, "disable", after_it)

    async def disable(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Let the account act no more."""
        account = await self._directory.disable(
            await self._changeable(page_request, person, Event.PERSON_DISABLED), actor=person.actor
        )
        return done(_path(account), "service-account-disabled")

    async def enable(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Let the account have tokens again."""
        account = await self._directory.enable(
            await self._changeable(page_request, person, Event.PERSON_ENABLED), actor=person.actor
        )
        return done(_path(account), "service-account-enabled")

    async def show_deletion(self, page_request: PageRequest, person: SignedIn) -> Response:
        """What ends when the account is deleted, and the question whether to."""
        after_it = ("For 7 days it is in the recycle bin and can be revived, without its tokens. Then it is gone.",)
        return await self._ask(page_request, person, "delete", after_it)

    async def delete(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Move the account to the recycle bin."""
        await self._directory.delete(await self._changeable(page_request, person, Event.PERSON_DELETED), actor=person.actor)
        return done(SERVICE_ACCOUNTS_PAGE, "service-account-deleted")

    async def _changeable(self, page_request: PageRequest, person: SignedIn, event: Event) -> str:
        name = page_request.request.path_parameters["name"]
        return await self._directory.changeable_service_account(name, event, actor=person.actor)

    async def _ask(self, page_request: PageRequest, person: SignedIn, verb: str, after_it: tuple[str, ...]) -> Response:
        account = await self._account(page_request, person)
        tokens = await self._tokens.list_of(account.id, actor=person.actor)
        question = Question(
            title=f"{verb.title()} {account.display_name}?",
            impact=((len(tokens), "API tokens end at once"),),
            hits=(hit_list("Tokens that end", ((each.label, "") for each in tokens)),),
            after=after_it,
            action=f"{_path(account)}/{verb}",
            button=f"{verb.title()} {account.name}",
            keep=_path(account),
        )
        return ask(self._pages, _context(page_request, person, account, verb), question)

    # --- its tokens ---

    async def show_new_token(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The form of a new token."""
        account = await self._account(page_request, person)
        if not await self._directory.is_managed_by(account, person.actor):
            require(person.actor, Permission.PERSON_WRITE)
        return self._token_form(page_request, person, account)

    async def create_token(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Make a token, and show it once."""
        account, days = await self._account(page_request, person), page_request.typed("days")
        errors = missing(page_request.form, {"label": "Give the token a label."})
        if days not in LIFETIMES:
            errors = (*errors, FormError("Choose one of these.", "days"))
        if errors:
            return self._token_form(page_request, person, account, errors=errors)
        try:
            made = await self._tokens.generate(
                account.id,
                page_request.typed("label").strip(),
                expires_at=after(self._clock.now(), timedelta(days=int(days))) if days else None,
                read_only=page_request.typed("read-only") == "yes",
                actor=person.actor,
            )
        except (InvalidInput, Conflict) as refusal:
            errors = fields_of(refusal, {"label": "label"})
            return self._token_form(page_request, person, account, errors=errors)
        return self._pages.console(
            "service-account-token-made.html",
            _context(page_request, person, account, "tokens"),
            account=account,
            token=made.described,
            secret=made.token,
        )

    async def revoke_token(self, page_request: PageRequest, person: SignedIn) -> Response:
        """End a token."""
        account = await self._account(page_request, person)
        await self._tokens.revoke(account.id, page_request.typed("token"), actor=person.actor)
        return done(_path(account), "token-revoked")

    def _token_form(
        self, page_request: PageRequest, person: SignedIn, account: Account, *, errors: tuple[FormError, ...] = ()
    ) -> Response:
        return self._pages.console(
            "service-account-token.html",
            _context(page_request, person, account, "tokens"),
            status=422 if errors else 200,
            errors=errors,
            account=account,
            label=page_request.typed("label"),
            read_only=not page_request.form or page_request.typed("read-only") == "yes",
            lifetimes=LIFETIMES,
            chosen=page_request.form.get("days", "90"),
        )

    async def _held(self, account: Account) -> dict[str, str]:
        manager = await self._directory.manager_of(account) or ""
        return {"name": account.name, "display-name": account.display_name, "manager": manager}

    async def _account(self, page_request: PageRequest, person: SignedIn) -> Account:
        return await self._directory.show_service_account(page_request.request.path_parameters["name"], actor=person.actor)


def _path(account: Account) -> str:
    return f"{SERVICE_ACCOUNTS_PAGE}/{account.name}"


def _typed(page_request: PageRequest) -> dict[str, str]:
    return {name: page_request.typed(name).strip() for name in _LABELS}


def _context(page_request: PageRequest, person: SignedIn, account: Account | None, page: str) -> ConsoleContext:
    token = page_request.csrf_token_of(person)
    if account is None:
        return ConsoleContext(person, token, f"{SERVICE_ACCOUNTS_PAGE}/")
    return ConsoleContext(person, token, f"{_path(account)}/{page}", (PageLink(_path(account), account.display_name),))
