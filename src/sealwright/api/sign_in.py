"""Sign in, sign out, and show who is signed in."""

from __future__ import annotations

from sealwright.api.errors import SessionNeeded
from sealwright.api.json_types import Moment, RequestBody, ResponseBody, Secret, moment
from sealwright.api.operations import OWN, Call, Operation
from sealwright.api.sessions import SessionView, session_view
from sealwright.errors import Action, Remedy
from sealwright.http import Response, json_response
from sealwright.identity import Account, CompletedSignIn, Directory, SecondFactorRequired, SessionKind, Sessions, SignIn

_PASSWORD_IS_PROOF = "public: the password is the proof"  # noqa: S105 - a reason in words
_CODE_NEEDED = 202


class SignInBody(RequestBody, frozen=True, kw_only=True):
    """A name (user name, SPN or e-mail address) and its password; with `code`, the second factor at once."""

    name: str
    password: Secret
    code: str = ""


class CodeBody(RequestBody, frozen=True, kw_only=True):
    """The code that a pending sign-in waits for."""

    pending: Secret
    code: str


class ReauthBody(RequestBody, frozen=True, kw_only=True):
    """One's password; with `code`, the second factor at once."""

    password: Secret
    code: str = ""


class AccountSummary(ResponseBody, frozen=True, kw_only=True):
    """The names of an account."""

    id: str
    name: str
    spn: str
    display_name: str


class SignInResponse(ResponseBody, frozen=True, kw_only=True):
    """A session of a terminal. No other response holds its token."""

    token: Secret
    expires_at: Moment
    account: AccountSummary


class CodeRequired(ResponseBody, frozen=True, kw_only=True):
    """The password was right; a code of the second factor is needed."""

    pending: Secret
    expires_at: Moment
    methods: tuple[str, ...]


class WhoamiResponse(ResponseBody, frozen=True, kw_only=True):
    """Who is signed in, and what they may do."""

    account: AccountSummary
    session: SessionView
    groups: tuple[str, ...]
    permissions: tuple[str, ...]
    """What the caller may do to everything."""
    scoped_permissions: tuple[str, ...]
    """What the caller may do to what belongs to one issuer, profile or provisioner: ``certificate:read within issuer:ID``."""


class SignInOperations:
    """Operations about the caller's own session."""

    def __init__(self, sign_in: SignIn, sessions: Sessions, directory: Directory) -> None:
        self._sign_in = sign_in
        self._sessions = sessions
        self._directory = directory

    def operations(self) -> list[Operation]:
        """All of them."""
        return [
            Operation(
                "login",
                "POST",
                "/login",
                "Sign in with a password; 202 with `pending` where a code is needed.",
                _PASSWORD_IS_PROOF,
                self._login,
                returns=SignInResponse,
                accepts=SignInBody,
                status=201,
                also_returns=(_CODE_NEEDED, CodeRequired),
            ),
            Operation(
                "login_code",
                "POST",
                "/login/code",
                "Finish a sign-in with a code of the second factor.",
                "public: the code is the proof",
                self._code,
                returns=SignInResponse,
                accepts=CodeBody,
                status=201,
            ),
            *self._about_own_session(),
            Operation(
                "whoami",
                "GET",
                "/whoami",
                "Who is signed in, and what they may do.",
                OWN,
                self._whoami,
                returns=WhoamiResponse,
            ),
        ]

    def _about_own_session(self) -> list[Operation]:
        return [
            Operation(
                "logout", "POST", "/logout", "End the session that asks.", OWN, self._logout, status=204, recent_sign_in=False
            ),
            Operation(
                "reauth",
                "POST",
                "/reauth",
                "Give one's password again: the session goes on under another token, and may make changes for a while.",
                OWN,
                self._reauth,
                returns=SignInResponse,
                accepts=ReauthBody,
                also_returns=(_CODE_NEEDED, CodeRequired),
                recent_sign_in=False,
            ),
            Operation(
                "reauth_code",
                "POST",
                "/reauth/code",
                "Finish it with a code of the second factor.",
                OWN,
                self._reauth_code,
                returns=SignInResponse,
                accepts=CodeBody,
                recent_sign_in=False,
            ),
        ]

    async def _reauth(self, call: Call) -> SignInResponse | Response:
        body: ReauthBody = call.body
        address, user_agent = _where_from(call)
        held = call.request.bearer() or ""
        if call.caller.session.kind is not SessionKind.TERMINAL:
            raise SessionNeeded("Only a session at a terminal goes on by this.", remedy=Remedy(Action.SIGN_IN))
        outcome = await self._sign_in.again(call.caller, body.password, held_token=held, address=address, user_agent=user_agent)
        return await self._after_password(call, outcome, body.code, held_token=held)

    async def _reauth_code(self, call: Call) -> SignInResponse:
        return await self._finish(call, call.body, held_token=call.request.bearer() or "")

    async def _login(self, call: Call) -> SignInResponse | Response:
        body: SignInBody = call.body
        address, user_agent = _where_from(call)
        outcome = await self._sign_in.with_password(
            body.name, body.password, kind=SessionKind.TERMINAL, address=address, user_agent=user_agent
        )
        return await self._after_password(call, outcome, body.code)

    async def _after_password(
        self, call: Call, outcome: CompletedSignIn | SecondFactorRequired, code: str, *, held_token: str = ""
    ) -> SignInResponse | Response:
        if not isinstance(outcome, SecondFactorRequired):
            return self._answer(outcome)
        if code:
            return await self._finish(call, CodeBody(pending=outcome.pending_token, code=code), held_token=held_token)
        expires_at = moment(outcome.expires_at)
        waiting = CodeRequired(pending=outcome.pending_token, expires_at=expires_at, methods=("totp",))
        return json_response(_CODE_NEEDED, waiting)

    async def _code(self, call: Call) -> SignInResponse:
        return await self._finish(call, call.body)

    async def _finish(self, call: Call, body: CodeBody, *, held_token: str = "") -> SignInResponse:
        address, user_agent = _where_from(call)
        outcome = await self._sign_in.with_totp(
            body.pending, body.code, address=address, user_agent=user_agent, held_token=held_token
        )
        return self._answer(outcome)

    async def _logout(self, call: Call) -> None:
        await self._sessions.end(call.caller.session.id, "signed out", actor=call.actor)

    async def _whoami(self, call: Call) -> WhoamiResponse:
        caller = call.caller
        groups = await self._directory.groups_of(caller.account.id)
        return WhoamiResponse(
            account=account_summary(self._directory, caller.account),
            session=session_view(caller.session, caller.session.id, caller.account.name),
            groups=tuple(group.name for group in groups),
            permissions=tuple(sorted(map(str, caller.actor.permissions.everywhere))),
            scoped_permissions=tuple(sorted(map(str, caller.actor.permissions.scoped))),
        )

    def _answer(self, outcome: CompletedSignIn) -> SignInResponse:
        signed_in = outcome.signed_in
        return SignInResponse(
            token=outcome.token,
            expires_at=moment(signed_in.session.expires_at),
            account=account_summary(self._directory, signed_in.account),
        )


def _where_from(call: Call) -> tuple[str, str]:
    return call.request.peer.address, call.request.headers.get("user-agent", "")


def account_summary(directory: Directory, account: Account) -> AccountSummary:
    """Who an account is."""
    return AccountSummary(id=account.id, name=account.name, spn=directory.spn_of(account), display_name=account.display_name)
