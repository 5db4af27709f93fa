"""People."""

from __future__ import annotations

from msgspec.structs import asdict

from sealwright.access import Permission
from sealwright.api import answers, models
from sealwright.api.operations import OWN, Call, Operation
from sealwright.clock import Clock
from sealwright.errors import InvalidInput
from sealwright.identity import Account, Credentials, Directory

_READ, _WRITE = str(Permission.PERSON_READ), str(Permission.PERSON_WRITE)


class Persons:
    """Operations about people."""

    def __init__(self, directory: Directory, credentials: Credentials, clock: Clock) -> None:
        self._directory = directory
        self._credentials = credentials
        self._clock = clock

    def operations(self) -> list[Operation]:
        """All of them."""
        details = models.PersonDetails
        one = "/persons/{name}"
        page = {"after": "Begin after this name.", "limit": "At most so many.", "search": "Part of a name or display name."}
        return [
            Operation("list_persons", "GET", "/persons", "List people.", _READ, self._list, gives=models.PersonPage, query=page),
            Operation(
                "create_person",
                "POST",
                "/persons",
                "Create a person.",
                _WRITE,
                self._create,
                gives=details,
                takes=models.PersonBody,
                status=201,
            ),
            Operation("get_person", "GET", one, "Show a person.", f"{OWN}; for others {_READ}", self._get, gives=details),
            Operation(
                "update_person", "PATCH", one, "Change a person.", _WRITE, self._update, gives=details, takes=models.PersonChange
            ),
            Operation("delete_person", "DELETE", one, "Delete a person.", _WRITE, self._delete, status=204),
            Operation(
                "disable_person",
                "POST",
                f"{one}/disable",
                "Disable a person: sessions and tokens end, certificates are not renewed.",
                _WRITE,
                self._disable,
                gives=details,
            ),
            Operation(
                "enable_person", "POST", f"{one}/enable", "Let a disabled person act again.", _WRITE, self._enable, gives=details
            ),
            Operation(
                "set_password",
                "PUT",
                f"{one}/password",
                "Give a person a password; their sessions end, and their certificates unless they are kept.",
                _WRITE,
                self._set_password,
                gives=models.CredentialResetAnswer,
                takes=models.PasswordBody,
            ),
        ]

    async def _list(self, call: Call) -> models.PersonPage:
        limit = call.limit()
        search, after = call.query.get("search", ""), call.query.get("after", "")
        found = await self._directory.list_people(actor=call.actor, search=search, beyond=after, at_most=limit + 1)
        now = self._clock.now()
        shown = [answers.person(self._directory, each, now) for each in found[:limit]]
        return models.PersonPage(items=shown, next=shown[-1].name if len(found) > limit else None)

    async def _create(self, call: Call) -> models.PersonDetails:
        body: models.PersonBody = call.body
        made = await self._directory.create_person(body.name, body.display_name, mails=body.mails, actor=call.actor)
        return await self._details(made)

    async def _get(self, call: Call) -> models.PersonDetails:
        return await self._details(await self._directory.show_person(call.path("name"), actor=call.actor))

    async def _update(self, call: Call) -> models.PersonDetails:
        body: models.PersonChange = call.body
        if body.display_name is None and body.mails is None:
            raise InvalidInput("Nothing is to be changed.", hint="Give display_name, mails, or both.")
        changed = await self._directory.update_person(
            call.path("name"), display_name=body.display_name, mails=body.mails, actor=call.actor
        )
        return await self._details(changed)

    async def _delete(self, call: Call) -> None:
        await self._directory.delete(call.path("name"), actor=call.actor)

    async def _disable(self, call: Call) -> models.PersonDetails:
        return await self._details(await self._directory.disable(call.path("name"), actor=call.actor))

    async def _enable(self, call: Call) -> models.PersonDetails:
        return await self._details(await self._directory.enable(call.path("name"), actor=call.actor))

    async def _set_password(self, call: Call) -> models.CredentialResetAnswer:
        body: models.PasswordBody = call.body
        reset = await self._credentials.set_password(
            call.path("name"), body.password, end_certificates=body.end_certificates, actor=call.actor
        )
        return models.CredentialResetAnswer(**asdict(reset))

    async def _details(self, account: Account) -> models.PersonDetails:
        groups = await self._directory.groups_of(account.id)
        return answers.person_details(self._directory, account, groups, self._clock.now())
