"""Ask for a certificate, by the same way as `step` does."""

from __future__ import annotations

from typing import Any, Literal

from sealwright.access.approvals import ApprovalPending
from sealwright.api.approvals import HeldView, held
from sealwright.api.json_types import Moment, RequestBody, ResponseBody, Secret, instant_of, moment
from sealwright.api.operations import OWN, Call, Operation
from sealwright.ca import Previews, ShownProof, Signing, certificates_pem, decimal_text, serial_text
from sealwright.http import Response


class CertificateRequestBody(RequestBody, frozen=True, kw_only=True):
    """A signing request, and the token of a provisioner that vouches for its names."""

    csr: str
    """PEM."""
    token: Secret
    not_before: Moment | None = None
    not_after: Moment | None = None


class IssuedView(ResponseBody, frozen=True, kw_only=True):
    """A new certificate."""

    serial: str
    serial_decimal: str
    certificate: str
    """PEM."""
    chain: str
    """PEM: the certificate, its issuer and those above it; the root is left out."""
    not_before: Moment
    not_after: Moment


class PreviewBody(RequestBody, frozen=True, kw_only=True):
    """A signing request, and who would vouch for its names: a provisioner by name, or one of its tokens, which is not used up."""

    csr: str
    """PEM."""
    provisioner: str = ""
    token: Secret = ""
    not_before: Moment | None = None
    not_after: Moment | None = None


class PreviewView(ResponseBody, frozen=True, kw_only=True):
    """What would be issued. No key is used, and nothing is recorded."""

    verdict: Literal["allow", "warn", "needs_approval", "block"]
    detail: str
    reasons: list[str]
    hint: str
    warnings: list[str]
    content: dict[str, Any] | None
    """The bytes that would be signed, the same in words, and what is different from the last certificate of these names."""


class CertificateRequestOperations:
    """The operation by which certificates are asked for."""

    def __init__(self, signing: Signing, previews: Previews) -> None:
        self._signing = signing
        self._previews = previews

    def operations(self) -> list[Operation]:
        """All of them."""
        return [
            Operation(
                "issue_certificate",
                "POST",
                "/certificates",
                "Ask for a certificate. What needs approval is held; the same request again gets it once it is approved.",
                "public: the token in the body says who asks",
                self._issue,
                returns=IssuedView,
                accepts=CertificateRequestBody,
                status=201,
                also_returns=(202, HeldView),
            ),
            Operation(
                "preview_certificate",
                "POST",
                "/certificate-requests/preview",
                "Show what would be issued for a signing request, and why. No key is used, and nothing is recorded.",
                OWN,
                self._preview,
                returns=PreviewView,
                accepts=PreviewBody,
                recent_sign_in=False,
                changes_nothing=True,
            ),
        ]

    async def _preview(self, call: Call) -> PreviewView:
        body: PreviewBody = call.body
        found = await self._previews.preview(
            body.csr,
            token=body.token,
            provisioner=body.provisioner,
            not_before=None if body.not_before is None else instant_of("not_before", body.not_before),
            not_after=None if body.not_after is None else instant_of("not_after", body.not_after),
            actor=call.actor,
        )
        return PreviewView(
            verdict=found.verdict.value,
            detail=found.detail,
            reasons=list(found.reasons),
            hint=found.hint,
            warnings=list(found.warnings),
            content=None if found.content is None else dict(found.content),
        )

    async def _issue(self, call: Call) -> IssuedView | Response:
        body: CertificateRequestBody = call.body
        try:
            issued = await self._signing.sign(
                body.token,
                body.csr,
                not_before=None if body.not_before is None else instant_of("not_before", body.not_before),
                not_after=None if body.not_after is None else instant_of("not_after", body.not_after),
                shown=ShownProof(call.request.peer, call.request.headers.get("dpop"), call.request.path),
            )
        except ApprovalPending as pending:
            return held(pending)
        return IssuedView(
            serial=serial_text(issued.serial),
            serial_decimal=decimal_text(issued.serial),
            certificate=certificates_pem((issued.der,)),
            chain=certificates_pem((issued.der, *issued.chain)),
            not_before=moment(issued.contents.not_before),
            not_after=moment(issued.contents.not_after),
        )
