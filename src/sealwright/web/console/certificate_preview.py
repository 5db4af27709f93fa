"""A signing request, pasted or read from a file: what would be issued for it, and why. Nothing is signed or recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sealwright.access import Permission
from sealwright.ca import CertificateNameRefused, CsrRefused, Preview, Previews, ProvisionerRegistry, Verdict
from sealwright.errors import InvalidInput
from sealwright.http import Response
from sealwright.identity import SignedIn
from sealwright.web.certificates import CERTIFICATES_PAGE
from sealwright.web.console.certificates import ALL_CERTIFICATES_PAGE
from sealwright.web.console.contents import certificate_contents
from sealwright.web.console.moments import MomentRefused, moment_of
from sealwright.web.forms import FormError, fields_of, missing
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import ConsoleContext, Pages

PREVIEW_PAGE: Final = "/ui/preview/certificate"
_TYPED: Final = ("csr", "provisioner", "not-before", "not-after")
_KINDS: Mapping[type[Exception], str] = {CsrRefused: "csr", CertificateNameRefused: "csr"}
_VERDICTS: Mapping[Verdict, tuple[str, str]] = {
    Verdict.ALLOW: ("good", "would be issued"),
    Verdict.WARN: ("soon", "would be issued; look twice"),
    Verdict.NEEDS_APPROVAL: ("soon", "would wait for approval"),
    Verdict.BLOCK: ("bad", "would be refused"),
}


class CertificatePreviewPages:
    """Everyone's, as the operation of the API is: it says what the person, or the token that they hold, would get."""

    def __init__(self, pages: Pages, previews: Previews, provisioners: ProvisionerRegistry) -> None:
        self._pages = pages
        self._previews = previews
        self._provisioners = provisioners

    async def show(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The form for a request; the address can name the provisioner."""
        chosen = {"provisioner": page_request.request.query().get("provisioner", "")}
        return await self._page(page_request, person, {**dict.fromkeys(_TYPED, ""), **chosen})

    async def preview(self, page_request: PageRequest, person: SignedIn) -> Response:
        """What would become of the request."""
        typed = {name: page_request.typed(name).strip() for name in _TYPED}
        token = page_request.typed("token").strip()
        errors = missing(typed, {"csr": "Paste a signing request, or choose its file."})
        if errors:
            return await self._page(page_request, person, typed, errors=errors)
        try:
            found = await self._previews.preview(
                typed["csr"],
                token=token,
                provisioner="" if token else typed["provisioner"],
                not_before=moment_of(typed["not-before"], "Valid from", "not-before"),
                not_after=moment_of(typed["not-after"], "Until", "not-after"),
                actor=person.actor,
            )
        except MomentRefused as refusal:
            return await self._page(page_request, person, typed, errors=(refusal.error,))
        except InvalidInput as refusal:
            return await self._page(page_request, person, typed, errors=fields_of(refusal, kinds=_KINDS))
        return await self._page(page_request, person, typed, found=found)

    async def _page(
        self,
        page_request: PageRequest,
        person: SignedIn,
        typed: Mapping[str, str],
        *,
        found: Preview | None = None,
        errors: tuple[FormError, ...] = (),
    ) -> Response:
        reads_all = person.actor.holds(Permission.CERTIFICATE_READ)
        place = ALL_CERTIFICATES_PAGE if reads_all else CERTIFICATES_PAGE
        content = None if found is None else found.content
        return self._pages.console(
            "certificate-preview.html",
            ConsoleContext(person, page_request.csrf_token_of(person), f"{place}/"),
            status=422 if errors else 200,
            errors=errors,
            typed=typed,
            found=found,
            badge=("", "") if found is None else _VERDICTS[found.verdict],
            contents=None if content is None or found is None else certificate_contents(content, found.reasons),
            provisioners={"": "the token below"} | {each.name: each.name for each in await self._provisioners.all()},
            action=PREVIEW_PAGE,
            back=place,
        )
