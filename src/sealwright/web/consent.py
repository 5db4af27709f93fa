"""Consent: what an application asks to know, and the person's answer."""

from __future__ import annotations

from sealwright.errors import InvalidInput
from sealwright.http import Response
from sealwright.identity import SignedIn
from sealwright.oauth import CONSENT_PAGE, SIGN_IN_PAGE, Authorization, ConsentNeeded, answer_step
from sealwright.web.onward import Onward, read_onward
from sealwright.web.pages import Pages
from sealwright.web.visits import Visit
from sealwright.web.wishes import application_of, wishes_of


class ConsentPages:
    """Shows what the tokens will say, with the values that they will hold."""

    def __init__(self, pages: Pages, authorization: Authorization) -> None:
        self._pages = pages
        self._authorization = authorization

    async def show(self, visit: Visit, person: SignedIn) -> Response:
        """The consent page, or straight on where it is not needed."""
        onward = _onward(visit)
        step = await self._authorization.next_step(onward.handle, person)
        if not isinstance(step, ConsentNeeded):
            return answer_step(step)
        pending = await self._authorization.pending(onward.handle)
        disclosed = await self._authorization.disclosed(pending, person)
        return self._pages.single(
            "consent.html",
            leads_away=True,
            application=application_of(pending),
            person=person.account,
            wishes=wishes_of(disclosed.claims, disclosed.scopes),
            asks_each_time=disclosed.asks_each_time,
            action=onward.path(CONSENT_PAGE),
            not_you=onward.path(SIGN_IN_PAGE) + "&other",
            form_token=visit.token_of(person),
        )

    async def decide(self, visit: Visit, person: SignedIn) -> Response:
        """Allow or deny what the application asks for."""
        handle, decision = _onward(visit).handle, visit.typed("decision")
        if decision == "allow":
            return answer_step(await self._authorization.allow(handle, person))
        if decision == "deny":
            return answer_step(await self._authorization.deny(handle, person))
        raise InvalidInput(
            f"The answer must be “allow” or “deny”, not {decision[:20]!r}.", hint="Go back and press one of the two."
        )


def _onward(visit: Visit) -> Onward:
    return read_onward(visit.request)
