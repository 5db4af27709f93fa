"""People."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import asdict

from sealwright.access import Permission
from sealwright.api.json_types import DisplayName, Moment, Name, RequestBody, ResponseBody, Secret, instant_of, moment
from sealwright.api.operations import OWN, Call, Operation
from sealwright.clock import Clock, Instant
from sealwright.errors import InvalidInput
from sealwright.identity import Account, Credentials, Directory, Group

_READ, _WRITE = str(Permission.PERSON_READ), str(Permission.PERSON_WRITE)

_SEARCHED = "Beginnings of words of a name, display name or mail address."


class PersonBody(RequestBody, frozen=True, kw_only=True):
    """A new person."""

    name: Name
    display_name: DisplayName
    mails: tuple[str, ...] = ()


class PersonChange(RequestBody, frozen=True, kw_only=True):
    """The members to change. `mails` replaces all addresses; the first is the main one."""

    name: Name | None = None
    display_name: DisplayName | None = None
    mails: tuple[str, ...] | None = None


class ValidityBody(RequestBody, frozen=True, kw_only=True):
    """When the account may be used; null leaves a side open, and what is not given stays."""

    valid_from: Moment | UnsetType | None = UNSET
    valid_until: Moment | UnsetType | None = UNSET


class PasswordBody(RequestBody, frozen=True, kw_only=True):
    """A new password, and whether it ends the certificates that the person got with the old one."""

    password: Secret
    end_certificates: bool = True


class CredentialResetResponse(ResponseBody, frozen=True, kw_only=True):
    """What a reset of credentials ended."""

    sessions_ended: int
    certificates_ended: int
    certificates_kept: int


class MailView(ResponseBody, frozen=True, kw_only=True):
    """An e-mail address."""

    address: str
    verified: bool


class PersonView(ResponseBody, frozen=True, kw_only=True):
    """A person, or a built-in account."""

    id: str
    kind: str
    name: str
    spn: str
    display_name: str
    mails: list[MailView]
    state: Literal["active", "disabled", "not valid"]
    state_reason: str
    valid_from: Moment | None
    valid_until: Moment | None
    created_at: Moment
    updated_at: Moment


class PersonDetails(PersonView, frozen=True, kw_only=True):
    """A person and the groups that they are in, directly or through other groups."""

    groups: list[str]


class ProfileView(ResponseBody, frozen=True, kw_only=True):
    """What is kept about a person beside names and mail addresses."""

    name: str
    attributes: dict[str, str]
    """By the names of the claims; parts of an address begin with `address.`."""
    ssh_public_keys: dict[str, str]
    """By tag."""


class AttributesBody(RequestBody, frozen=True, kw_only=True):
    """Attributes to set, by name; null takes one away, and what is not named stays."""

    attributes: dict[str, str | None]


class SshKeyBody(RequestBody, frozen=True, kw_only=True):
    """An SSH public key, as a line of a file that ends in .pub."""

    public_key: str


class PersonPage(ResponseBody, frozen=True, kw_only=True):
    """People by name."""

    items: list[PersonView]
    next: str | None = None


class PersonOperations:
    """Operations about people."""

    def __init__(self, directory: Directory, credentials: Credentials, clock: Clock) -> None:
        self._directory = directory
        self._credentials = credentials
        self._clock = clock

    def operations(self) -> list[Operation]:
        """All of them."""
        details = PersonDetails
        one = "/persons/{name}"
        page = {
            "after": "Begin after this name.",
            "limit": "At most this many.",
            "search": "Beginnings of words of a name, display name or mail address.",
        }
        return [
            Operation("list_persons", "GET", "/persons", "List people.", _READ, self._list, returns=PersonPage, query=page),
            Operation(
                "create_person",
                "POST",
                "/persons",
                "Create a person.",
                _WRITE,
                self._create,
                returns=details,
                accepts=PersonBody,
                status=201,
            ),
            Operation("get_person", "GET", one, "Show a person.", f"{OWN}; for others {_READ}", self._get, returns=details),
            Operation(
                "update_person", "PATCH", one, "Change a person.", _WRITE, self._update, returns=details, accepts=PersonChange
            ),
            Operation("delete_person", "DELETE", one, "Delete a person.", _WRITE, self._delete, status=204),
            *self._about_state(),
            Operation(
                "set_password",
                "PUT",
                f"{one}/password",
                "Give a person a password; their sessions end, and their certificates unless they are kept.",
                _WRITE,
                self._set_password,
                returns=CredentialResetResponse,
                accepts=PasswordBody,
            ),
        ]

    def _about_state(self) -> list[Operation]:
        """Those that say whether a person may act."""
        details, one = PersonDetails, "/persons/{name}"
        return [
            Operation(
                "set_validity",
                "PATCH",
                f"{one}/validity",
                "Set from when and until when a person may act.",
                _WRITE,
                self._set_validity,
                returns=details,
                accepts=ValidityBody,
            ),
            Operation(
                "disable_person",
                "POST",
                f"{one}/disable",
                "Disable a person: sessions and tokens end, certificates are not renewed.",
                _WRITE,
                self._disable,
                returns=details,
            ),
            Operation(
                "enable_person",
                "POST",
                f"{one}/enable",
                "Let a disabled person act again.",
                _WRITE,
                self._enable,
                returns=details,
            ),
        ]

    async def _list(self, call: Call) -> PersonPage:
        limit = call.limit()
        search, after = call.query.get("search", ""), call.query.get("after", "")
        found = await self._directory.list_people(actor=call.actor, search=search, beyond=after, at_most=limit + 1)
        now = self._clock.now()
        shown = [person_view(self._directory, each, now) for each in found[:limit]]
        return PersonPage(items=shown, next=shown[-1].name if len(found) > limit else None)

    async def _create(self, call: Call) -> PersonDetails:
        body: PersonBody = call.body
        made = await self._directory.create_person(body.name, body.display_name, mails=body.mails, actor=call.actor)
        return await self._details(made)

    async def _get(self, call: Call) -> PersonDetails:
        return await self._details(await self._directory.show_person(call.path("name"), actor=call.actor))

    async def _update(self, call: Call) -> PersonDetails:
        body: PersonChange = call.body
        if body == PersonChange():
            raise InvalidInput("Nothing is to be changed.", hint="Give name, display_name, mails, or several of them.")
        changed = await self._directory.update_person(
            call.path("name"), name=body.name, display_name=body.display_name, mails=body.mails, actor=call.actor
        )
        return await self._details(changed)

    async def _set_validity(self, call: Call) -> PersonDetails:
        begins, ends = instants_of(call.body)
        changed = await self._directory.set_validity(call.path("name"), valid_from=begins, valid_until=ends, actor=call.actor)
        return await self._details(changed)

    async def _delete(self, call: Call) -> None:
        await self._directory.delete(call.path("name"), actor=call.actor)

    async def _disable(self, call: Call) -> PersonDetails:
        return await self._details(await self._directory.disable(call.path("name"), actor=call.actor))

    async def _enable(self, call: Call) -> PersonDetails:
        return await self._details(await self._directory.enable(call.path("name"), actor=call.actor))

    async def _set_password(self, call: Call) -> CredentialResetResponse:
        body: PasswordBody = call.body
        reset = await self._credentials.set_password(
            call.path("name"), body.password, end_certificates=body.end_certificates, actor=call.actor
        )
        return CredentialResetResponse(**asdict(reset))

    async def _details(self, account: Account) -> PersonDetails:
        groups = await self._directory.groups_of(account.id)
        return person_details(self._directory, account, groups, self._clock.now())


def instants_of(body: ValidityBody) -> tuple[Instant | UnsetType | None, Instant | UnsetType | None]:
    """From when and until when; raises InvalidInput where neither is given."""
    if body == ValidityBody():
        raise InvalidInput("Nothing is to be changed.", hint="Give valid_from, valid_until, or both.")
    return _instant("valid_from", body.valid_from), _instant("valid_until", body.valid_until)


def _instant(name: str, text: str | UnsetType | None) -> Instant | UnsetType | None:
    return instant_of(name, text) if isinstance(text, str) else text


def person_view(directory: Directory, account: Account, now: Instant) -> PersonView:
    """An account in a list."""
    status = account.status(now)
    return PersonView(
        id=account.id,
        kind=str(account.kind),
        name=account.name,
        spn=directory.spn_of(account),
        display_name=account.display_name,
        mails=[MailView(address=mail.address, verified=mail.verified) for mail in account.mails],
        state="active" if status.active else "disabled" if account.disabled_at is not None else "not valid",
        state_reason=status.reason,
        valid_from=moment(account.valid_from),
        valid_until=moment(account.valid_until),
        created_at=moment(account.created_at),
        updated_at=moment(account.updated_at),
    )


def person_details(directory: Directory, account: Account, groups: tuple[Group, ...], now: Instant) -> PersonDetails:
    """An account with its groups."""
    shown = msgspec.structs.asdict(person_view(directory, account, now))
    return PersonDetails(**shown, groups=[group.name for group in groups])
