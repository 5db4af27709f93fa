"""Links for people: the first password, and a new one."""

from __future__ import annotations

from datetime import timedelta

from sealwright.access import Permission
from sealwright.api import models
from sealwright.api.operations import Call, Operation
from sealwright.clock import to_rfc3339
from sealwright.errors import InvalidInput
from sealwright.identity import INVITATION_LIFETIME, RESET_LIFETIME, Invitations, ResetLinks

_WRITE = str(Permission.PERSON_WRITE)
_LONGEST_SECONDS = 366 * 86_400


class Links:
    """Operations that make a link. It is in the answer, and nowhere else: what is stored is its digest."""

    def __init__(self, invitations: Invitations, reset_links: ResetLinks, people_url: str) -> None:
        self._invitations = invitations
        self._reset_links = reset_links
        self._people_url = people_url

    def operations(self) -> list[Operation]:
        """All of them."""
        return [
            Operation(
                "invite_person",
                "POST",
                "/invitations",
                "Invite a person, who is created if they are not there: a link to choose the first password with.",
                _WRITE,
                self._invite,
                gives=models.InvitationAnswer,
                takes=models.InvitationBody,
                status=201,
            ),
            Operation(
                "create_reset_link",
                "POST",
                "/persons/{name}/reset-link",
                "Make a link with which a person sets a new password.",
                _WRITE,
                self._reset,
                gives=models.ResetLinkAnswer,
                takes=models.ResetLinkBody,
                status=201,
            ),
        ]

    async def _invite(self, call: Call) -> models.InvitationAnswer:
        body: models.InvitationBody = call.body
        made = await self._invitations.create(
            body.name,
            display_name=body.display_name,
            mails=body.mails,
            lifetime=_lifetime(body.lifetime_seconds, INVITATION_LIFETIME),
            actor=call.actor,
        )
        return models.InvitationAnswer(
            name=made.person.name,
            link=f"{self._people_url}/invitation/{made.link.token}",
            expires_at=to_rfc3339(made.link.expires_at),
            created=made.created,
        )

    async def _reset(self, call: Call) -> models.ResetLinkAnswer:
        body: models.ResetLinkBody = call.body
        name = call.path("name")
        link = await self._reset_links.create(
            name,
            lifetime=_lifetime(body.lifetime_seconds, RESET_LIFETIME),
            end_certificates=body.end_certificates,
            actor=call.actor,
        )
        held = await self._reset_links.require(link.token)
        return models.ResetLinkAnswer(
            name=held.account.name,
            link=f"{self._people_url}/reset/{link.token}",
            expires_at=to_rfc3339(link.expires_at),
            certificates=held.certificates,
            end_certificates=held.end_certificates,
        )


def _lifetime(seconds: int | None, usual: timedelta) -> timedelta:
    if seconds is None:
        return usual
    if not 0 < seconds <= _LONGEST_SECONDS:
        raise InvalidInput(f"lifetime_seconds is {seconds}; it must be the seconds that the link is good for.")
    return timedelta(seconds=seconds)
