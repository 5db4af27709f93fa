"""Roles of a person that are granted by hand: grant one, within a scope and until a moment, and take it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sealwright.access.approvals import ApprovalPending
from sealwright.clock import Clock
from sealwright.errors import Conflict, InvalidInput, Refused
from sealwright.grant_scopes import GrantScopes
from sealwright.http import Response, redirect
from sealwright.identity import Account, Directory, GrantNotFound, Roles, ScopeNotFound, SignedIn
from sealwright.web.console.approvals import APPROVALS_PAGE
from sealwright.web.console.frame import Question, ask, context_of
from sealwright.web.console.moments import MomentRefused, moment_of
from sealwright.web.console.people import MANUAL, PEOPLE_PAGE, ListedRole, listed_role
from sealwright.web.forms import FormError, fields_of, missing
from sealwright.web.navigation import PageLink
from sealwright.web.notices import done
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import Pages

_NAMES: Final = ("role", "scope", "expires-at")
_NEEDS: Final = {"role": "Choose a role."}
_FIELDS: Final = {"expires_at": "expires-at"}
_KINDS_OF_SCOPE: Mapping[type[Exception], str] = {ScopeNotFound: "scope", InvalidInput: "scope"}
_KINDS: Mapping[type[Exception], str] = {Refused: "role", Conflict: "role"}


class PersonRolePages:
    """The parts that are called check the permissions."""

    def __init__(self, pages: Pages, directory: Directory, roles: Roles, scopes: GrantScopes, clock: Clock) -> None:
        self._pages = pages
        self._directory = directory
        self._roles = roles
        self._scopes = scopes
        self._clock = clock

    async def show_grant(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The form of a grant."""
        return await self._form(page_request, person, dict.fromkeys(_NAMES, ""))

    async def grant(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Grant the role; where its grants need approval, show the request that holds this one."""
        typed = {name: page_request.typed(name).strip() for name in _NAMES}
        errors = missing(typed, _NEEDS)
        if errors:
            return await self._form(page_request, person, typed, errors)
        account = await self._account(page_request, person)
        await self._roles.require_may_grant(typed["role"], actor=person.actor)
        try:
            ends_at = moment_of(typed["expires-at"], "Until", "expires-at")
            scope = await self._scopes.find(typed["scope"]) if typed["scope"] else None
        except MomentRefused as refusal:
            return await self._form(page_request, person, typed, (refusal.error,))
        except (InvalidInput, ScopeNotFound) as refusal:
            return await self._form(page_request, person, typed, fields_of(refusal, kinds=_KINDS_OF_SCOPE))
        try:
            await self._roles.grant(typed["role"], person=account.id, scope=scope, expires_at=ends_at, actor=person.actor)
        except ApprovalPending as held:
            return redirect(f"{APPROVALS_PAGE}/{held.request_id}")
        except (Refused, Conflict) as refusal:
            return await self._form(page_request, person, typed, fields_of(refusal, _FIELDS, _KINDS))
        return done(_path(account), "role-granted")

    async def show_withdrawal(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The question whether to take a grant back."""
        account = await self._account(page_request, person)
        role = await self._granted(page_request, person, account)
        within = "" if role.scope == "everything" else f" within {role.scope}"
        question = Question(
            title=f"Take the role {role.role} from {account.display_name}?",
            impact=(),
            after=(
                f"They do not hold {role.role}{within} by hand any more, from their next request on. So do their API keys.",
                "What groups, other grants or an identity provider give them stays.",
            ),
            action=f"{_path(account)}/roles/{role.id}/withdraw",
            button=f"Take {role.role} away",
            keep=_path(account),
        )
        return ask(self._pages, context_of(page_request, person, _trail(account)), question)

    async def withdraw(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Take the grant back."""
        account = await self._account(page_request, person)
        role = await self._granted(page_request, person, account)
        await self._roles.withdraw(role.id, actor=person.actor)
        return done(_path(account), "role-withdrawn")

    async def _form(
        self, page_request: PageRequest, person: SignedIn, typed: Mapping[str, str], errors: tuple[FormError, ...] = ()
    ) -> Response:
        account = await self._account(page_request, person)
        known = await self._roles.list_roles(actor=person.actor)
        return self._pages.console(
            "person-role.html",
            context_of(page_request, person, _trail(account)),
            status=422 if errors else 200,
            errors=errors,
            account=account,
            path=_path(account),
            roles={"": "choose one"} | {each.id: f"{each.id}: {each.description}" for each in known},
            typed=typed,
        )

    async def _account(self, page_request: PageRequest, person: SignedIn) -> Account:
        return await self._directory.show_person(page_request.request.path_parameters["name"], actor=person.actor)

    async def _granted(self, page_request: PageRequest, person: SignedIn, account: Account) -> ListedRole:
        """The grant of the path, where it is one to this account itself that was made by hand."""
        grant_id = page_request.request.path_parameters["grant"]
        for each in await self._roles.held_by(account.id, actor=person.actor):
            if each.grant.id == grant_id and each.grant.account_id == account.id and each.grant.source == MANUAL:
                return listed_role(each, account, self._clock.now())
        raise GrantNotFound(f"{account.name} holds no role by the grant {grant_id[:64]!r} of someone.")


def _path(account: Account) -> str:
    return f"{PEOPLE_PAGE}/{account.name}"


def _trail(account: Account) -> PageLink:
    return PageLink(_path(account), account.display_name)
