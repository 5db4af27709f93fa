"""Issuers whose tokens OAuth clients may present for access tokens, and the rules by which they are taken."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from msgspec import UNSET, UnsetType
from msgspec.structs import asdict

from sealwright.access import Permission
from sealwright.api.json_types import Moment, RequestBody, ResponseBody, moment
from sealwright.api.operations import Call, Operation
from sealwright.api.paging import PAGED, page_of
from sealwright.oauth import IssuerRule, TrustedIssuer, TrustedIssuers

_READ, _WRITE = str(Permission.CLIENT_READ), str(Permission.CLIENT_WRITE)
_ALL, _ONE = "/oauth2/trusted-issuers", "/oauth2/trusted-issuers/{name}"
_RULES = f"{_ONE}/rules"
_MOST_SECONDS = 10**9


class TrustedIssuerBody(RequestBody, frozen=True, kw_only=True):
    """An issuer to trust."""

    name: str
    issuer_url: str
    """`iss` of its tokens."""
    audience: str | None = None
    """What `aud` of its tokens has to hold; null for the address of this server."""
    jwks_uri: str | None = None
    """Where its keys are. Without this and `jwks` they are found by discovery."""
    jwks: dict[str, Any] | None = None
    """Its public keys (RFC 7517), where they cannot be fetched."""
    reusable: bool = False
    """Whether a token is taken more than once, until it ends."""


class TrustedIssuerChange(RequestBody, frozen=True, kw_only=True):
    """How tokens are to be verified; what is left out stays as it is."""

    audience: str | UnsetType | None = UNSET
    """Null for the address of this server."""
    jwks_uri: str | UnsetType | None = UNSET
    """Null takes it away. To list keys in its place, give this as null and `jwks`, and the other way around."""
    jwks: dict[str, Any] | UnsetType | None = UNSET
    reusable: bool | UnsetType = UNSET


class TrustedIssuerView(ResponseBody, frozen=True, kw_only=True):
    """An issuer that is trusted."""

    name: str
    issuer_url: str
    audience: str
    jwks_uri: str | None
    jwks: dict[str, Any] | None
    reusable: bool
    created_at: Moment


class IssuerRuleBody(RequestBody, frozen=True, kw_only=True):
    """Which tokens are accepted for what."""

    client: str
    """The client that presents them, and for which access tokens are made."""
    conditions: dict[str, str]
    """Claims, and what each has to be. `*` stands for any characters but / and :, `**` for any."""
    service_account: str | None = None
    """Of whom the access tokens speak; null for the client itself. Needs person:write as well."""
    scopes: tuple[str, ...] = ()
    """The most that they may have; none is all that the scope maps of the client give."""
    lifetime_seconds: int | None = None


class IssuerRuleChange(RequestBody, frozen=True, kw_only=True):
    """What is to be different; what is left out stays as it is. For another client or service account, add another rule."""

    conditions: dict[str, str] | UnsetType = UNSET
    """All of them."""
    scopes: tuple[str, ...] | UnsetType = UNSET
    lifetime_seconds: int | UnsetType | None = UNSET
    """Null for as long as usual."""


class IssuerRuleView(ResponseBody, frozen=True, kw_only=True):
    """A rule."""

    id: str
    client: str
    service_account: str | None
    conditions: dict[str, str]
    scopes: tuple[str, ...]
    lifetime_seconds: int
    created_at: Moment


class IssuerWithRulesView(TrustedIssuerView, frozen=True, kw_only=True):
    """An issuer that is trusted, and its rules, oldest first."""

    rules: list[IssuerRuleView]


class TrustedIssuersView(ResponseBody, frozen=True, kw_only=True):
    """Trusted issuers by name."""

    items: list[TrustedIssuerView]
    next: str | None = None


class TrustedIssuerOperations:
    """Operations about them."""

    def __init__(self, issuers: TrustedIssuers) -> None:
        self._issuers = issuers

    def operations(self) -> list[Operation]:
        """All of them."""
        return [
            Operation(
                "list_trusted_issuers",
                "GET",
                _ALL,
                "List the issuers whose tokens are taken for access tokens.",
                _READ,
                self._list,
                TrustedIssuersView,
                query=PAGED,
            ),
            Operation(
                "create_trusted_issuer",
                "POST",
                _ALL,
                "Trust an issuer; its tokens are accepted for nothing until a rule says so.",
                _WRITE,
                self._create,
                returns=TrustedIssuerView,
                accepts=TrustedIssuerBody,
                status=201,
            ),
            Operation(
                "get_trusted_issuer", "GET", _ONE, "Show a trusted issuer with its rules.", _READ, self._get, IssuerWithRulesView
            ),
            Operation(
                "update_trusted_issuer",
                "PATCH",
                _ONE,
                "Change how tokens of an issuer are verified. What its rules gave ends, unless all that was verified still is.",
                _WRITE,
                self._update,
                returns=IssuerWithRulesView,
                accepts=TrustedIssuerChange,
            ),
            Operation(
                "delete_trusted_issuer",
                "DELETE",
                _ONE,
                "Trust an issuer no more; what its tokens were given for ends at once.",
                _WRITE,
                self._delete,
                status=204,
            ),
            *self._of_rules(),
        ]

    def _of_rules(self) -> list[Operation]:
        return [
            Operation(
                "add_trusted_issuer_rule",
                "POST",
                _RULES,
                "Say which tokens of a trusted issuer are accepted for which access tokens.",
                _WRITE,
                self._add_rule,
                returns=IssuerRuleView,
                accepts=IssuerRuleBody,
                status=201,
            ),
            Operation(
                "update_trusted_issuer_rule",
                "PATCH",
                f"{_RULES}/{{id}}",
                "Change a rule in its place. What it gave ends, where its conditions or scopes are others.",
                _WRITE,
                self._update_rule,
                returns=IssuerRuleView,
                accepts=IssuerRuleChange,
            ),
            Operation(
                "delete_trusted_issuer_rule",
                "DELETE",
                f"{_RULES}/{{id}}",
                "Remove a rule; what was made by it ends at once.",
                _WRITE,
                self._delete_rule,
                status=204,
            ),
        ]

    async def _list(self, call: Call) -> TrustedIssuersView:
        found = await self._issuers.list(actor=call.actor)
        return page_of(call, TrustedIssuersView(items=[TrustedIssuerView(**_members(each)) for each in found]), "name")

    async def _create(self, call: Call) -> TrustedIssuerView:
        body: TrustedIssuerBody = call.body
        made = await self._issuers.create(
            body.name,
            body.issuer_url,
            audience=body.audience,
            jwks_uri=body.jwks_uri,
            jwks=body.jwks,
            reusable=body.reusable,
            actor=call.actor,
        )
        return TrustedIssuerView(**_members(made))

    async def _get(self, call: Call) -> IssuerWithRulesView:
        found = await self._issuers.get(call.path("name"), actor=call.actor)
        return IssuerWithRulesView(**_members(found.issuer), rules=[_rule(each) for each in found.rules])

    async def _update(self, call: Call) -> IssuerWithRulesView:
        found = await self._issuers.update(call.path("name"), **asdict(call.body), actor=call.actor)
        return IssuerWithRulesView(**_members(found.issuer), rules=[_rule(each) for each in found.rules])

    async def _delete(self, call: Call) -> None:
        await self._issuers.delete(call.path("name"), actor=call.actor)

    async def _add_rule(self, call: Call) -> IssuerRuleView:
        body: IssuerRuleBody = call.body
        made = await self._issuers.add_rule(
            call.path("name"),
            client=body.client,
            conditions=body.conditions,
            service_account=body.service_account,
            scopes=body.scopes,
            lifetime=_lifetime(body.lifetime_seconds),
            actor=call.actor,
        )
        return _rule(made)

    async def _update_rule(self, call: Call) -> IssuerRuleView:
        body: IssuerRuleChange = call.body
        seconds = body.lifetime_seconds
        changed = await self._issuers.update_rule(
            call.path("name"),
            call.path("id"),
            conditions=body.conditions,
            scopes=body.scopes,
            lifetime=UNSET if isinstance(seconds, UnsetType) else _lifetime(seconds),
            actor=call.actor,
        )
        return _rule(changed)

    async def _delete_rule(self, call: Call) -> None:
        await self._issuers.delete_rule(call.path("name"), call.path("id"), actor=call.actor)


def _members(issuer: TrustedIssuer) -> dict[str, Any]:
    return {
        "name": issuer.name,
        "issuer_url": issuer.issuer_url,
        "audience": issuer.audience,
        "jwks_uri": issuer.jwks_uri,
        "jwks": None if issuer.jwks is None else dict(issuer.jwks),
        "reusable": issuer.reusable,
        "created_at": moment(issuer.created_at),
    }


def _lifetime(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=max(0, min(seconds, _MOST_SECONDS)))


def _rule(rule: IssuerRule) -> IssuerRuleView:
    return IssuerRuleView(
        id=rule.id,
        client=rule.client_name,
        service_account=rule.account_name,
        conditions=dict(rule.conditions),
        scopes=rule.scopes,
        lifetime_seconds=rule.lifetime // timedelta(seconds=1),
        created_at=moment(rule.created_at),
    )
