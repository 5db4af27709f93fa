"""My account: who I am, how I sign in, where I am signed in."""

from __future__ import annotations

from collections.abc import Iterable

from sealwright.http import Response
from sealwright.identity import (
    CredentialKind,
    Credentials,
    Directory,
    KnownDevices,
    Passkeys,
    Session,
    SessionNotFound,
    Sessions,
    SignedIn,
    recovery_codes_left,
    second_factors,
)
from sealwright.web.formatting import device_text
from sealwright.web.forms import FormError, form_error
from sealwright.web.getting_started import GettingStarted
from sealwright.web.models import ListedSession
from sealwright.web.notices import done, notice_text
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import ConsoleContext, Pages
from sealwright.web.return_to import HOME

_PROOFS = {"pwd": "password", "otp": "code", "hwk": "passkey", "swk": "passkey"}
"""Method names of RFC 8176 that are shown; the others say how a passkey was used."""


class AccountPages:
    """Everyone's own; no one needs a permission for it."""

    def __init__(
        self,
        pages: Pages,
        *,
        directory: Directory,
        sessions: Sessions,
        devices: KnownDevices,
        credentials: Credentials,
        passkeys: Passkeys,
        getting_started: GettingStarted,
    ) -> None:
        self._pages = pages
        self._directory = directory
        self._sessions = sessions
        self._credentials = credentials
        self._passkeys = passkeys
        self._devices = devices
        self._first_steps = getting_started

    async def show(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The person's own account: addresses, second factors, sessions."""
        return await self._page(page_request, person, notice=notice_text(page_request.request))

    async def end_session(self, page_request: PageRequest, person: SignedIn) -> Response:
        """End one of the person's other sessions."""
        try:
            await self._sessions.end(page_request.typed("session"), "ended by its owner", actor=person.actor)
        except SessionNotFound as refusal:
            return await self._page(page_request, person, errors=(form_error(refusal),), status=404)
        return done(HOME, "session")

    async def end_other_sessions(self, _page_request: PageRequest, person: SignedIn) -> Response:
        """End every session of the person but this one."""
        await self._sessions.end_all(person.account.id, "ended by its owner", actor=person.actor, but=person.session.id)
        return done(HOME, "sessions")

    async def forget_devices(self, _page_request: PageRequest, person: SignedIn) -> Response:
        """Forget every device from which the person signed in."""
        await self._devices.forget_all(person.account.id, actor=person.actor)
        return done(HOME, "devices")

    async def _page(
        self,
        page_request: PageRequest,
        person: SignedIn,
        *,
        notice: str = "",
        errors: tuple[FormError, ...] = (),
        status: int = 200,
    ) -> Response:
        account = person.account
        held = await self._credentials.list_of(account.id, actor=person.actor)
        sessions = shown_sessions(await self._sessions.list_of(account.id, actor=person.actor), person.session.id)
        return self._pages.console(
            "account.html",
            ConsoleContext(person, page_request.csrf_token_of(person), HOME),
            status=status,
            notice=_CREDENTIAL_ASKED if person.session.restricted else notice,
            errors=errors,
            getting_started=await self._first_steps.of(person),
            spn=self._directory.spn_of(account),
            groups=await self._directory.groups_of(account.id),
            managed=await self._directory.managed_by(account),
            password_set_at=next((one.created_at for one in held if one.kind is CredentialKind.PASSWORD), None),
            second_factors=second_factors(held),
            recovery_codes=recovery_codes_left(held),
            passkeys=await self._passkeys.list_of(account.id, actor=person.actor),
            sessions=sessions,
            devices=[
                (device_text(one.user_agent), one.last_used_at)
                for one in await self._devices.list_of(account.id, actor=person.actor)
            ],
            other_sessions=sum(not one.here for one in sessions),
        )


_CREDENTIAL_ASKED = (
    "A group that you are in asks for more than a password. Set up a code from an app or a passkey below, then sign out and"
    " sign in with it. Until then this page is all that you can use."
)


def shown_sessions(sessions: Iterable[Session], here: str) -> tuple[ListedSession, ...]:
    """Sessions as rows, this browser's first."""
    rows = (
        ListedSession(
            id=one.id,
            device=device_text(one.user_agent),
            proofs=" and ".join(_PROOFS[method] for method in one.methods if method in _PROOFS),
            address=one.address,
            here=one.id == here,
            authenticated_at=one.authenticated_at,
            last_seen_at=one.last_seen_at,
            expires_at=one.expires_at,
        )
        for one in sessions
    )
    return tuple(sorted(rows, key=lambda row: not row.here))
