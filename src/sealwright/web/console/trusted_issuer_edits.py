"""Change a trusted issuer and its rules on pages: how tokens are verified, and which of them are accepted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import UNSET

from sealwright.clock import in_words
from sealwright.errors import InvalidInput, NotPermitted
from sealwright.http import Response
from sealwright.identity import SignedIn
from sealwright.oauth import IssuerRule, IssuerWithRules, TrustedIssuers
from sealwright.web.console.frame import context_of
from sealwright.web.console.trusted_issuer_forms import (
    ISSUER_FIELDS,
    RULE_FIELDS,
    conditions,
    issuer_values,
    key_errors,
    lifetime,
    refused_issuer,
    refused_rule,
    rule_errors,
    rule_values,
    typed_in,
    verification,
)
from sealwright.web.console.trusted_issuers import path_of, rule_at
from sealwright.web.forms import FormError
from sealwright.web.navigation import PageLink
from sealwright.web.notices import done
from sealwright.web.overtaken import FormOvertaken, OvertakenForm, unless_overtaken, version_of
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import Pages

_ISSUER_LABELS: Final = {
    "audience": "Audience",
    "jwks-uri": "Address of its keys",
    "jwks": "Its keys",
    "reusable": "Tokens may be used more than once",
}
_RULE_LABELS: Final = {"conditions": "What the token has to say", "scopes": "Scopes", "lifetime": "Lasts"}


class TrustedIssuerEdits:
    """Forms of what is there, filled in. One that someone else overtook saves nothing."""

    def __init__(self, pages: Pages, issuers: TrustedIssuers) -> None:
        self._pages = pages
        self._issuers = issuers

    async def show(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The form of an issuer, as it is."""
        return self._form(page_request, person, await self._found(page_request, person))

    async def change(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Change how its tokens are verified."""
        found, form = await self._found(page_request, person), page_request.form

        async def read() -> Mapping[str, str]:
            return issuer_values((await self._found(page_request, person)).issuer)

        try:
            async with unless_overtaken(page_request.typed("seen"), read, typed_in(form, ISSUER_FIELDS), _ISSUER_LABELS):
                errors, status = key_errors(form), 422
                if not errors:
                    await self._issuers.update(
                        found.issuer.name,
                        actor=person.actor,
                        **verification(form),
                    )
        except FormOvertaken as overtaken:
            found = await self._found(page_request, person)
            return self._form(page_request, person, found, status=409, stale=overtaken.form)
        except InvalidInput as failure:
            errors = refused_issuer(failure)
        except NotPermitted as failure:
            errors, status = refused_issuer(failure), 403
        if errors:
            return self._form(page_request, person, found, errors, status=status)
        return done(path_of(found.issuer), "issuer-changed")

    def _form(
        self,
        page_request: PageRequest,
        person: SignedIn,
        found: IssuerWithRules,
        errors: tuple[FormError, ...] = (),
        *,
        status: int = 200,
        stale: OvertakenForm | None = None,
    ) -> Response:
        path, held = path_of(found.issuer), issuer_values(found.issuer)
        typed = typed_in(page_request.form if errors or stale is not None else held, ISSUER_FIELDS)
        return self._pages.console(
            "trusted-issuer-form.html",
            context_of(page_request, person, PageLink(path, found.issuer.name)),
            status=status,
            errors=errors,
            stale=stale,
            issuer=found.issuer,
            seen=version_of(held),
            typed=typed,
            action=f"{path}/edit",
            back=path,
        )

    async def show_rule(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The form of a rule, as it is."""
        found = await self._found(page_request, person)
        return self._rule_form(page_request, person, found, rule_at(page_request, found))

    async def change_rule(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Change which tokens it takes, and what it gives for them."""
        found, form = await self._found(page_request, person), page_request.form
        rule = rule_at(page_request, found)

        async def read() -> Mapping[str, str]:
            return rule_values(rule_at(page_request, await self._found(page_request, person)))

        try:
            async with unless_overtaken(page_request.typed("seen"), read, typed_in(form, RULE_FIELDS), _RULE_LABELS):
                errors, status = rule_errors(form, is_new=False), 422
                if not errors:
                    typed = conditions(form)
                    await self._issuers.update_rule(
                        found.issuer.name,
                        rule.id,
                        conditions=UNSET if typed == conditions(rule_values(rule)) else typed,
                        scopes=tuple(page_request.typed("scopes").split()),
                        lifetime=lifetime(form),
                        actor=person.actor,
                    )
        except FormOvertaken as overtaken:
            found = await self._found(page_request, person)
            rule = rule_at(page_request, found)
            return self._rule_form(page_request, person, found, rule, status=409, stale=overtaken.form)
        except InvalidInput as failure:
            errors = refused_rule(failure)
        except NotPermitted as failure:
            errors, status = refused_rule(failure), 403
        if errors:
            return self._rule_form(page_request, person, found, rule, errors, status=status)
        return done(path_of(found.issuer), "issuer-rule-changed")

    def _rule_form(
        self,
        page_request: PageRequest,
        person: SignedIn,
        found: IssuerWithRules,
        rule: IssuerRule,
        errors: tuple[FormError, ...] = (),
        *,
        status: int = 200,
        stale: OvertakenForm | None = None,
    ) -> Response:
        path, held = path_of(found.issuer), rule_values(rule)
        return self._pages.console(
            "trusted-issuer-rule-form.html",
            context_of(page_request, person, PageLink(path, found.issuer.name)),
            status=status,
            errors=errors,
            stale=stale,
            issuer=found.issuer,
            rule=rule,
            seen=version_of(held),
            typed=typed_in(page_request.form if errors or stale is not None else held, RULE_FIELDS),
            usual=in_words(self._issuers.usual_lifetime),
            action=f"{path}/rules/{rule.id}/edit",
            back=path,
        )

    async def _found(self, page_request: PageRequest, person: SignedIn) -> IssuerWithRules:
        return await self._issuers.get(page_request.request.path_parameters["name"], actor=person.actor)
