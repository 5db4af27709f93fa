"""Trusted issuers: the list, one with its rules in the order in which they count, the forms, and what ends with each."""

from __future__ import annotations

from typing import Final

from sealwright.clock import in_words
from sealwright.errors import Conflict, InvalidInput, NotFound, NotPermitted
from sealwright.http import Response
from sealwright.identity import SignedIn
from sealwright.oauth import ClientUnknown, IssuerRule, IssuerWithRules, TrustedIssuer, TrustedIssuers
from sealwright.web.console.frame import Question, ask, context_of, hit_list
from sealwright.web.console.trusted_issuer_forms import (
    ISSUER_FIELDS,
    RULE_FIELDS,
    conditions,
    issuer_errors,
    lifetime,
    refused_issuer,
    refused_rule,
    rule_errors,
    typed_in,
    verification,
)
from sealwright.web.forms import FormError
from sealwright.web.navigation import PageLink
from sealwright.web.notices import done, notice_text
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import ConsoleContext, Pages

TRUSTED_ISSUERS_PAGE: Final = "/ui/trusted-issuers"
NEW_ISSUER_PAGE: Final = "/ui/new/trusted-issuer"


class TrustedIssuerPages:
    """Pages about issuers whose tokens are taken, for those who may read or change clients."""

    def __init__(self, pages: Pages, issuers: TrustedIssuers) -> None:
        self._pages = pages
        self._issuers = issuers

    async def show_list(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The issuers by name."""
        return self._pages.console(
            "trusted-issuers.html",
            context_of(page_request, person),
            issuers=tuple((path_of(each), each) for each in await self._issuers.list(actor=person.actor)),
            notice=notice_text(page_request.request),
        )

    async def show(self, page_request: PageRequest, person: SignedIn) -> Response:
        """One issuer: how its tokens are verified, and which of them are accepted for what."""
        found = await self._found(page_request, person)
        return self._pages.console(
            "trusted-issuer.html",
            context_of(page_request, person),
            notice=notice_text(page_request.request),
            issuer=found.issuer,
            path=path_of(found.issuer),
            keys=keys_in_words(found.issuer),
            rules=tuple((rule, in_words(rule.lifetime)) for rule in found.rules),
        )

    # --- a new issuer ---

    async def show_new(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The form of a new issuer."""
        return self._issuer_form(page_request, person)

    async def create(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Trust an issuer; its tokens are accepted for nothing until a rule says so."""
        form = page_request.form
        errors = issuer_errors(form)
        if errors:
            return self._issuer_form(page_request, person, errors)
        try:
            made = await self._issuers.create(
                page_request.typed("name").strip(),
                page_request.typed("issuer-url").strip(),
                actor=person.actor,
                **verification(form),
            )
        except InvalidInput as failure:
            return self._issuer_form(page_request, person, refused_issuer(failure))
        except Conflict as failure:
            return self._issuer_form(page_request, person, refused_issuer(failure), status=409)
        return done(path_of(made), "issuer-trusted")

    def _issuer_form(
        self, page_request: PageRequest, person: SignedIn, errors: tuple[FormError, ...] = (), *, status: int = 422
    ) -> Response:
        return self._pages.console(
            "trusted-issuer-form.html",
            ConsoleContext(person, page_request.csrf_token_of(person), f"{TRUSTED_ISSUERS_PAGE}/"),
            status=status if errors else 200,
            errors=errors,
            issuer=None,
            stale=None,
            seen="",
            typed=typed_in(page_request.form, ISSUER_FIELDS),
            action=NEW_ISSUER_PAGE,
            back=TRUSTED_ISSUERS_PAGE,
        )

    # --- a new rule ---

    async def show_new_rule(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The form of a new rule."""
        return self._rule_form(page_request, person, await self._found(page_request, person))

    async def add_rule(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Say which tokens are accepted for which access tokens; who may not is told what it needs, and what was typed stays."""
        found, form = await self._found(page_request, person), page_request.form
        errors, status = rule_errors(form), 422
        if not errors:
            try:
                await self._issuers.add_rule(
                    found.issuer.name,
                    client=page_request.typed("client").strip(),
                    conditions=conditions(form),
                    service_account=page_request.typed("service-account").strip() or None,
                    scopes=tuple(page_request.typed("scopes").split()),
                    lifetime=lifetime(form),
                    actor=person.actor,
                )
            except (InvalidInput, ClientUnknown) as failure:
                errors = refused_rule(failure)
            except NotPermitted as failure:
                errors, status = refused_rule(failure), 403
            else:
                return done(path_of(found.issuer), "issuer-rule-added")
        return self._rule_form(page_request, person, found, errors, status=status)

    def _rule_form(
        self,
        page_request: PageRequest,
        person: SignedIn,
        found: IssuerWithRules,
        errors: tuple[FormError, ...] = (),
        *,
        status: int = 422,
    ) -> Response:
        path = path_of(found.issuer)
        return self._pages.console(
            "trusted-issuer-rule-form.html",
            context_of(page_request, person, PageLink(path, found.issuer.name)),
            status=status if errors else 200,
            errors=errors,
            issuer=found.issuer,
            rule=None,
            stale=None,
            seen="",
            typed=typed_in(page_request.form, RULE_FIELDS),
            usual=in_words(self._issuers.usual_lifetime),
            action=f"{path}/rules",
            back=path,
        )

    # --- the end of a rule, and of the trust ---

    async def show_rule_deletion(self, page_request: PageRequest, person: SignedIn) -> Response:
        """What a rule gives, and the question whether to delete it."""
        found = await self._found(page_request, person)
        rule = rule_at(page_request, found)
        path = path_of(found.issuer)
        question = Question(
            title="Delete this rule?",
            impact=(),
            hits=(hit_list("Tokens that it takes, and for what", (rule_in_words(rule),)),),
            after=(
                "Every access token that it gave ends at once, here and at introspection; a certificate got with one stays.",
                "A token that another rule fits is taken by that one from then on.",
            ),
            action=f"{path}/rules/{rule.id}/delete",
            button="Delete the rule",
            keep=path,
        )
        return ask(self._pages, context_of(page_request, person, PageLink(path, found.issuer.name)), question)

    async def delete_rule(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Remove a rule; what was made by it ends at once."""
        name, rule = (page_request.request.path_parameters[each] for each in ("name", "id"))
        await self._issuers.delete_rule(name, rule, actor=person.actor)
        return done(f"{TRUSTED_ISSUERS_PAGE}/{name}", "issuer-rule-deleted")

    async def show_deletion(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The rules that go with an issuer, and the question whether to delete it."""
        found = await self._found(page_request, person)
        path = path_of(found.issuer)
        question = Question(
            title=f"Trust {found.issuer.name} no more?",
            impact=((len(found.rules), "rules, with every access token that they gave"),),
            hits=(hit_list("Rules", map(rule_in_words, found.rules)),),
            after=(
                "The access tokens end at once, here and at introspection; a certificate got with one stays.",
                f"Tokens of {found.issuer.issuer_url} are refused from then on.",
            ),
            action=f"{path}/delete",
            button=f"Trust {found.issuer.name} no more",
            keep=path,
        )
        return ask(self._pages, context_of(page_request, person, PageLink(path, found.issuer.name)), question)

    async def delete(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Trust an issuer no more."""
        await self._issuers.delete(page_request.request.path_parameters["name"], actor=person.actor)
        return done(TRUSTED_ISSUERS_PAGE, "issuer-deleted")

    async def _found(self, page_request: PageRequest, person: SignedIn) -> IssuerWithRules:
        return await self._issuers.get(page_request.request.path_parameters["name"], actor=person.actor)


def rule_at(page_request: PageRequest, found: IssuerWithRules) -> IssuerRule:
    """The rule that the address names."""
    rule = next((each for each in found.rules if each.id == page_request.request.path_parameters["id"]), None)
    if rule is None:
        raise NotFound(f"{found.issuer.name} has no such rule.", hint="It may have been deleted meanwhile: look at the issuer.")
    return rule


def path_of(issuer: TrustedIssuer) -> str:
    """The page of an issuer."""
    return f"{TRUSTED_ISSUERS_PAGE}/{issuer.name}"


def keys_in_words(issuer: TrustedIssuer) -> str:
    """Where the keys come from."""
    if issuer.jwks is not None:
        number = len(issuer.jwks["keys"])
        return f"{number} listed here" if number > 1 else "one listed here"
    return f"fetched from {issuer.jwks_uri}" if issuer.jwks_uri else "found by discovery at its address"


def rule_in_words(rule: IssuerRule) -> tuple[str, str]:
    """A rule in one line, and the page of its client."""
    wanted = ", ".join(f"{claim}={pattern}" for claim, pattern in rule.conditions.items())
    scopes = " ".join(rule.scopes) or "all scopes of the client"
    return f"{wanted}: {rule.client_name} as {rule.account_name or rule.client_name}, {scopes}", f"/ui/clients/{rule.client_name}"
