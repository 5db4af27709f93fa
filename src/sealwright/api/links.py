"""Links for people: the first password, and a new one."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from sealwright.access import Permission
from sealwright.api.json_types import Moment, Name, RequestBody, ResponseBody, Secret
from sealwright.api.operations import Call, Operation
from sealwright.clock import to_rfc3339
from sealwright.errors import InvalidInput
from sealwright.identity import INVITATION_LIFETIME, RESET_LIFETIME, Invitations, OneTimeLink, ResetLinks
from sealwright.link_mail import LinkDelivery, LinkMail
from sealwright.mail import MailKind, Outbox

_WRITE = str(Permission.PERSON_WRITE)
_LONGEST_SECONDS = 366 * 86_400


class InvitationBody(RequestBody, frozen=True, kw_only=True):
    """The person to invite. One who does not exist is created."""

    name: Name
    display_name: str = ""
    mails: tuple[str, ...] = ()
    lifetime_seconds: int | None = None
    send_mail: bool = True
    """Whether the link is sent, where the server can send mail and the person has a verified address."""


class ResetLinkBody(RequestBody, frozen=True, kw_only=True):
    """A link to set a new password, and whether the person's certificates end when it is used."""

    end_certificates: bool = True
    lifetime_seconds: int | None = None
    send_mail: bool = True
    """Whether the link is sent, where the server can send mail and the person has a verified address."""


class MailOutcome(ResponseBody, frozen=True, kw_only=True):
    """Whether a link was sent by mail."""

    to: str | None = None
    state: str
    """sent, queued (it is tried again until the link ends), failed, or not_sent."""
    detail: str
    """Why it was not sent; else empty."""


class LinkResponse(ResponseBody, frozen=True, kw_only=True):
    """A link that works once. No other response holds it."""

    name: str
    link: Secret
    expires_at: Moment
    mail: MailOutcome | None
    """None if no mail was asked for, or no SMTP server is set."""


class InvitationResponse(LinkResponse, frozen=True, kw_only=True):
    """An invitation."""

    created: bool
    """Whether the person was created by this call."""


class ResetLinkResponse(LinkResponse, frozen=True, kw_only=True):
    """A link to set a new password."""

    certificates: int
    """How many certificates the person has now."""
    end_certificates: bool


class LinkOperations:
    """Operations that make a link. The response and the mail hold the link; the database holds its digest."""

    def __init__(self, invitations: Invitations, reset_links: ResetLinks, outbox: Outbox, people_url: str) -> None:
        self._invitations = invitations
        self._reset_links = reset_links
        self._outbox = outbox
        self._people_url = people_url

    def operations(self) -> list[Operation]:
        """All of them."""
        return [
            Operation(
                "invite_person",
                "POST",
                "/invitations",
                "Invite a person, who is created if they do not exist: a link to choose the first password with.",
                _WRITE,
                self._invite,
                returns=InvitationResponse,
                accepts=InvitationBody,
                status=201,
            ),
            Operation(
                "create_reset_link",
                "POST",
                "/persons/{name}/reset-link",
                "Make a link with which a person sets a new password.",
                _WRITE,
                self._reset,
                returns=ResetLinkResponse,
                accepts=ResetLinkBody,
                status=201,
            ),
        ]

    async def _invite(self, call: Call) -> InvitationResponse:
        body: InvitationBody = call.body
        message = self._mail(MailKind.INVITATION, "invitation", call, wanted=body.send_mail)
        made = await self._invitations.create(
            body.name,
            display_name=body.display_name,
            mails=body.mails,
            lifetime=_lifetime(body.lifetime_seconds, INVITATION_LIFETIME),
            actor=call.actor,
            with_link=message,
        )
        return InvitationResponse(
            name=made.person.name,
            link=self._address("invitation", made.link),
            expires_at=to_rfc3339(made.link.expires_at),
            mail=_outcome(await message.outcome()),
            created=made.created,
        )

    async def _reset(self, call: Call) -> ResetLinkResponse:
        body: ResetLinkBody = call.body
        name = call.path("name")
        message = self._mail(MailKind.RESET, "reset", call, wanted=body.send_mail)
        link = await self._reset_links.create(
            name,
            lifetime=_lifetime(body.lifetime_seconds, RESET_LIFETIME),
            end_certificates=body.end_certificates,
            actor=call.actor,
            with_link=message,
        )
        held = await self._reset_links.require(link.token)
        return ResetLinkResponse(
            name=held.account.name,
            link=self._address("reset", link),
            expires_at=to_rfc3339(link.expires_at),
            mail=_outcome(await message.outcome()),
            certificates=held.certificates,
            end_certificates=held.end_certificates,
        )

    def _address(self, page: str, link: OneTimeLink) -> str:
        return f"{self._people_url}/{page}/{link.token}"

    def _mail(self, kind: MailKind, page: str, call: Call, *, wanted: bool) -> LinkMail:
        return LinkMail(self._outbox, kind, call.actor, wanted=wanted, address=partial(self._address, page))


def _outcome(sent: LinkDelivery | None) -> MailOutcome | None:
    return None if sent is None else MailOutcome(to=sent.to, state=sent.state, detail=sent.detail)


def _lifetime(seconds: int | None, usual: timedelta) -> timedelta:
    if seconds is None:
        return usual
    if not 0 < seconds <= _LONGEST_SECONDS:
        raise InvalidInput(f"lifetime_seconds is {seconds}; it must be the seconds that the link is valid.")
    return timedelta(seconds=seconds)
