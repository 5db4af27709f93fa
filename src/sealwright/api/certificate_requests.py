"""Ask for a certificate, by the same way as `step` does."""

from __future__ import annotations

from sealwright.access.approvals import ApprovalPending
from sealwright.api.approvals import HeldView, held
from sealwright.api.json_types import Moment, RequestBody, ResponseBody, Secret, instant_of, moment
from sealwright.api.operations import Call, Operation
from sealwright.ca import ShownProof, Signing, certificates_pem, decimal_text, serial_text
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


class CertificateRequestOperations:
    """The operation by which certificates are asked for."""

    def __init__(self, signing: Signing) -> None:
        self._signing = signing

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
            )
        ]

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
