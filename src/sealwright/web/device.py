"""Sign-in on a device without a browser: the person types its code here, then decides as for any application."""

from __future__ import annotations

from sealwright.http import Response
from sealwright.oauth import DEVICE_PAGE, AuthorizationEndpoint, StepResponse, UserCodeUnknown
from sealwright.web.forms import FormError, form_error, missing
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import Pages


class DevicePages:
    """Anyone may type a code; the person who decides about it has to be signed in."""

    def __init__(self, pages: Pages, authorization: AuthorizationEndpoint, step_response: StepResponse) -> None:
        self._pages = pages
        self._authorization = authorization
        self._step_response = step_response

    async def show(self, page_request: PageRequest) -> Response:
        """The form for the code; an address with the code fills it in, and the person still says that it is theirs."""
        return self._form(page_request, page_request.request.query().get("user_code", ""))

    async def submit(self, page_request: PageRequest) -> Response:
        """On to the request that the device made."""
        typed = page_request.typed("user_code")
        errors = missing(page_request.form, {"user_code": "Type the code that the device shows."})
        if errors:
            return self._form(page_request, typed, errors)
        try:
            handle = await self._authorization.handle_of_device(typed, page_request.address)
        except UserCodeUnknown as failure:
            return self._form(page_request, typed, (form_error(failure, "user_code"),))
        return self._step_response(await self._authorization.next_step(handle, page_request.signed_in))

    async def show_done(self, page_request: PageRequest) -> Response:
        """What the person decided."""
        return self._pages.single("device-done.html", allowed=page_request.request.query_text == "allowed")

    def _form(self, page_request: PageRequest, user_code: str, errors: tuple[FormError, ...] = ()) -> Response:
        return self._pages.single(
            "device.html",
            status=422 if errors else 200,
            errors=errors,
            user_code=user_code[:20],
            action=DEVICE_PAGE,
            csrf_token=page_request.anonymous_csrf_token,
        )
