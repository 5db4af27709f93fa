"""Sign in and out, and tell who one is."""

from __future__ import annotations

from sealwright.api import answers, models
from sealwright.api.operations import OWN, Call, Operation
from sealwright.http import Response, json_response
from sealwright.identity import Completed, Directory, SecondFactor, SessionKind, Sessions, SignIn

_PASSWORD_IS_PROOF = "public: the password is the proof"  # noqa: S105 - a reason in words
_CODE_NEEDED = 202


class SigningIn:
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
                gives=models.SignedInAnswer,
                takes=models.SignInBody,
                status=201,
                else_gives=(_CODE_NEEDED, models.CodeNeeded),
            ),
            Operation(
                "login_code",
                "POST",
                "/login/code",
                "Finish a sign-in with a code of the second factor.",
                "public: the code is the proof",
                self._code,
                gives=models.SignedInAnswer,
                takes=models.CodeBody,
                status=201,
            ),
            Operation("logout", "POST", "/logout", "End the session that asks.", OWN, self._logout, status=204),
            Operation(
                "whoami",
                "GET",
                "/whoami",
                "Who is signed in, and what they may do.",
                OWN,
                self._whoami,
                gives=models.WhoamiAnswer,
            ),
        ]

    async def _login(self, call: Call) -> models.SignedInAnswer | Response:
        body: models.SignInBody = call.body
        address, user_agent = _where_from(call)
        outcome = await self._sign_in.with_password(
            body.name, body.password, kind=SessionKind.TERMINAL, address=address, user_agent=user_agent
        )
        if isinstance(outcome, SecondFactor):
            if not body.code:
                expires_at = answers.moment(outcome.expires_at)
                waiting = models.CodeNeeded(pending=outcome.pending_token, expires_at=expires_at, methods=("totp",))
                return json_response(_CODE_NEEDED, waiting)
            outcome = await self._sign_in.with_totp(outcome.pending_token, body.code, address=address, user_agent=user_agent)
        return self._answer(outcome)

    async def _code(self, call: Call) -> models.SignedInAnswer:
        body: models.CodeBody = call.body
        address, user_agent = _where_from(call)
        return self._answer(await self._sign_in.with_totp(body.pending, body.code, address=address, user_agent=user_agent))

    async def _logout(self, call: Call) -> None:
        await self._sessions.end(call.caller.session.id, "signed out", actor=call.actor)

    async def _whoami(self, call: Call) -> models.WhoamiAnswer:
        caller = call.caller
        groups = await self._directory.groups_of(caller.account.id)
        return models.WhoamiAnswer(
            account=answers.account_summary(self._directory, caller.account),
            session=answers.session(caller.session, caller.session.id),
            groups=tuple(group.name for group in groups),
            permissions=tuple(sorted(map(str, caller.actor.permissions))),
        )

    def _answer(self, outcome: Completed) -> models.SignedInAnswer:
        signed_in = outcome.signed_in
        return models.SignedInAnswer(
            token=outcome.token,
            expires_at=answers.moment(signed_in.session.expires_at),
            account=answers.account_summary(self._directory, signed_in.account),
        )


def _where_from(call: Call) -> tuple[str, str]:
    return call.request.peer.address, call.request.headers.get("user-agent", "")
