"""Consent: what an application asks to know, and the person's answer."""

from __future__ import annotations

from sealwright.errors import InvalidInput
from sealwright.http import Response
from sealwright.identity import SignedIn
from sealwright.oauth import CONSENT_PAGE, SIGN_IN_PAGE, AuthorizationEndpoint, ClientImages, ConsentStep, StepResponse
from sealwright.web.claims_preview import claim_previews, client_preview, details_previews
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import Pages
from sealwright.web.return_to import ReturnTo, read_return_to


class ConsentPages:
    """Shows what the tokens will say, with the values that they will hold."""

    def __init__(
        self, pages: Pages, authorization: AuthorizationEndpoint, step_response: StepResponse, images: ClientImages
    ) -> None:
        self._pages = pages
        self._step_response = step_response
        self._authorization = authorization
        self._images = images

    async def show(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The consent page, or straight on where it is not needed."""
        return_to = _return_to(page_request)
        step = await self._authorization.next_step(return_to.handle, person)
        if not isinstance(step, ConsentStep):
            return self._step_response(step)
        pending = await self._authorization.pending(return_to.handle)
        disclosed = await self._authorization.disclosed_claims(pending, person)
        return self._pages.single(
            "consent.html",
            leads_away=True,
            application=client_preview(pending, await self._images.digest_of(pending.client.name)),
            person=person.account,
            claims=claim_previews(disclosed.claims, disclosed.scopes),
            asks_each_time=disclosed.asks_each_time or bool(disclosed.authorization_details),
            details=details_previews(disclosed.authorization_details),
            resources=disclosed.resources,
            action=return_to.path(CONSENT_PAGE),
            not_you=return_to.path(SIGN_IN_PAGE) + "&other",
            csrf_token=page_request.csrf_token_of(person),
        )

    async def decide(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Allow or deny what the application asks for."""
        handle, decision = _return_to(page_request).handle, page_request.typed("decision")
        if decision == "allow":
            return self._step_response(await self._authorization.allow(handle, person))
        if decision == "deny":
            return self._step_response(await self._authorization.deny(handle, person))
        raise InvalidInput(
            f"The answer must be “allow” or “deny”, not {decision[:20]!r}.", hint="Go back and press one of the two."
        )


def _return_to(page_request: PageRequest) -> ReturnTo:
    return read_return_to(page_request.request)
