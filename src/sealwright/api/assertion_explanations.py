"""Why a token of another issuer would be taken for an access token, or refused."""

from __future__ import annotations

from typing import Final

from sealwright.access import Permission
from sealwright.api.json_types import Moment, RequestBody, ResponseBody, moment
from sealwright.api.operations import Call, Operation
from sealwright.oauth import AssertionExplanation, AssertionExplanations

_LARGEST: Final = 36 * 1024
"""Bytes of a body: that of the longest token, and what is around it."""


class AssertionBody(RequestBody, frozen=True, kw_only=True):
    """A token to explain."""

    assertion: str
    """The whole token, as the client would present it. Nothing of it is kept."""


class ExplainedRuleView(ResponseBody, frozen=True, kw_only=True):
    """A rule beside the claims of the token."""

    id: str
    client: str
    service_account: str | None
    conditions: dict[str, str]
    counts: bool
    """Whether it would take the token: the first that fits of those for its client."""
    lacking: list[str]
    """What is wrong for this rule, such as `ref is refs/heads/x, not refs/heads/main`; empty where it fits."""


class AssertionExplanationView(ResponseBody, frozen=True, kw_only=True):
    """What came of the checks."""

    taken: bool
    """Whether a client of one of the rules would get an access token for it."""
    failed: str | None
    """The first check that failed: format, issuer, keys, signature, audience, times, subject, rule or use."""
    detail: str
    issuer: str | None
    """The name of the trusted issuer."""
    issuer_url: str | None
    subject: str | None
    """`sub`, where it was verified."""
    expires_at: Moment | None
    rules: list[ExplainedRuleView]
    """All rules of the issuer in their order, where the token itself is right."""


class AssertionExplanationOperations:
    """The operation about them."""

    def __init__(self, explanations: AssertionExplanations) -> None:
        self._explanations = explanations

    def operations(self) -> list[Operation]:
        """All of them."""
        return [
            Operation(
                "explain_assertion",
                "POST",
                "/oauth2/assertions/explain",
                "Tell why a token of another issuer would be taken or refused. It is not used up, and nothing of it is kept.",
                str(Permission.CLIENT_READ),
                self._explain,
                returns=AssertionExplanationView,
                accepts=AssertionBody,
                recent_sign_in=False,
                changes_nothing=True,
                max_body=_LARGEST,
            )
        ]

    async def _explain(self, call: Call) -> AssertionExplanationView:
        body: AssertionBody = call.body
        return _view(await self._explanations.explain(body.assertion, actor=call.actor))


def _view(found: AssertionExplanation) -> AssertionExplanationView:
    return AssertionExplanationView(
        taken=found.failed is None,
        failed=None if found.failed is None else found.failed.value,
        detail=found.detail,
        issuer=found.issuer or None,
        issuer_url=found.issuer_url or None,
        subject=found.subject or None,
        expires_at=None if found.expires_at is None else moment(found.expires_at),
        rules=[
            ExplainedRuleView(
                id=each.rule.id,
                client=each.rule.client_name,
                service_account=each.rule.account_name,
                conditions=dict(each.rule.conditions),
                counts=each.counts,
                lacking=[str(one) for one in each.lacking],
            )
            for each in found.rules
        ],
    )
