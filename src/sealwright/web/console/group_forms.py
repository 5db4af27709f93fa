"""Making and editing groups, and what a group asks of the sign-ins of its members."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from msgspec import UNSET

from sealwright.access import DYNAMIC_GROUPS, Permission, require
from sealwright.clock import format_duration, parse_duration
from sealwright.errors import Conflict, InvalidInput
from sealwright.http import Response
from sealwright.identity import (
    AccountPolicies,
    CredentialMinimum,
    Directory,
    Group,
    GroupPolicy,
    MemberNotFound,
    SignedIn,
)
from sealwright.web.console.groups import GROUPS_PAGE, NEW_GROUP_PAGE
from sealwright.web.forms import FormError, fields_of, missing
from sealwright.web.navigation import PageLink
from sealwright.web.notices import done
from sealwright.web.overtaken import FormOvertaken, OvertakenForm, unless_overtaken, version_of
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import ConsoleContext, Pages

_LABELS: Final = {"name": "Name", "description": "Description", "manager": "Manager"}
_POLICY_LABELS: Final = {
    "minimum": "What a sign-in needs",
    "auth-expiry": "How long a sign-in lasts",
    "privilege-expiry": "How long changes can be made",
    "password-length": "Characters of a password",
    "self-mail-write": "Change their own e-mail addresses",
}
MINIMUMS: Mapping[str, str] = {"": "the group says nothing"} | {str(each): each.words for each in CredentialMinimum}
MAY_WRITE: Mapping[str, str] = {"": "the group says nothing", "yes": "they may", "no": "they may not"}
_FIELDS: Final = {"name": "name", "description": "description", "managed_by": "manager"}
_POLICY_FIELDS: Final = {
    "auth_expiry": "auth-expiry",
    "privilege_expiry": "privilege-expiry",
    "password_minimum_length": "password-length",
}


class GroupFormPages:
    """The parts that are called check the permissions."""

    def __init__(self, pages: Pages, directory: Directory, policies: AccountPolicies) -> None:
        self._pages = pages
        self._directory = directory
        self._policies = policies

    # --- the group ---

    async def show_new(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The form of a new group."""
        return self._form(page_request, person, None, dict.fromkeys(_LABELS, ""))

    async def create(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Make the group."""
        typed = _typed(page_request, _LABELS)
        errors = missing(typed, {"name": "Give the group a name."})
        if errors:
            return self._form(page_request, person, None, typed, errors=errors)
        try:
            made = await self._directory.create_group(
                typed["name"], description=typed["description"], managed_by=typed["manager"] or None, actor=person.actor
            )
        except (InvalidInput, Conflict, MemberNotFound) as refusal:
            return self._form(page_request, person, None, typed, errors=fields_of(refusal, _FIELDS))
        return done(f"{GROUPS_PAGE}/{made.name}", "group-created")

    async def show_edit(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The form of a group that is there, for those who may change it."""
        group = await self._group(page_request, person)
        if not await self._directory.is_managed_by(group, person.actor):
            require(person.actor, Permission.GROUP_WRITE)
        return self._form(page_request, person, group, await self._held(group))

    async def save(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Change the group."""
        group = await self._group(page_request, person)
        typed, held = _typed(page_request, _LABELS), await self._held(group)
        changed = group

        async def read() -> Mapping[str, str]:
            return await self._held(await self._directory.show_group(group.id, actor=person.actor))

        try:
            async with unless_overtaken(page_request.typed("seen"), read, typed, _LABELS):
                if typed != held:
                    changed = await self._directory.update_group(
                        group.id,
                        name=typed["name"] if typed["name"] != held["name"] else UNSET,
                        description=typed["description"] if typed["description"] != held["description"] else UNSET,
                        managed_by=(typed["manager"] or None) if typed["manager"] != held["manager"] else UNSET,
                        actor=person.actor,
                    )
        except FormOvertaken as overtaken:
            return self._form(page_request, person, group, typed, stale=overtaken.form, held=await read())
        except (InvalidInput, Conflict, MemberNotFound) as refusal:
            errors = fields_of(refusal, _FIELDS)
            return self._form(page_request, person, group, typed, held=held, errors=errors)
        return done(f"{GROUPS_PAGE}/{changed.name}", "group-changed")

    def _form(
        self,
        page_request: PageRequest,
        person: SignedIn,
        group: Group | None,
        typed: Mapping[str, str],
        *,
        held: Mapping[str, str] | None = None,
        stale: OvertakenForm | None = None,
        errors: tuple[FormError, ...] = (),
    ) -> Response:
        path = NEW_GROUP_PAGE if group is None else f"{GROUPS_PAGE}/{group.name}/edit"
        return self._pages.console(
            "group-form.html",
            _context(page_request, person, group, path if group else f"{GROUPS_PAGE}/"),
            status=409 if stale is not None else 422 if errors else 200,
            errors=errors,
            stale=stale,
            group=group,
            typed=typed,
            seen=version_of(typed if held is None else held),
            action=path,
        )

    async def _held(self, group: Group) -> dict[str, str]:
        return {
            "name": group.name,
            "description": group.description,
            "manager": await self._directory.manager_of(group) or "",
        }

    # --- what it asks of its members ---

    async def show_policy(self, page_request: PageRequest, person: SignedIn) -> Response:
        """The form of what a group asks."""
        group = await self._group(page_request, person)
        held = policy_fields(await self._policies.show(group.id, actor=person.actor))
        return self._policy_form(page_request, person, group, held, held)

    async def save_policy(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Change what a group asks; where it asks for nothing, the policy is removed."""
        group = await self._group(page_request, person)
        typed = _typed(page_request, _POLICY_LABELS)

        async def read() -> Mapping[str, str]:
            return policy_fields(await self._policies.show(group.id, actor=person.actor))

        try:
            async with unless_overtaken(page_request.typed("seen"), read, typed, _POLICY_LABELS):
                wanted, errors = _policy_of(group, typed)
                if errors:
                    return self._policy_form(page_request, person, group, typed, await read(), errors=errors)
                await self._set_policy(group, wanted, person)
        except FormOvertaken as overtaken:
            return self._policy_form(page_request, person, group, typed, await read(), stale=overtaken.form)
        except InvalidInput as refusal:
            errors = fields_of(refusal, _POLICY_FIELDS)
            return self._policy_form(page_request, person, group, typed, await read(), errors=errors)
        return done(f"{GROUPS_PAGE}/{group.name}", "policy-changed")

    async def _set_policy(self, group: Group, wanted: GroupPolicy, person: SignedIn) -> None:
        """One that asks for nothing is removed."""
        if wanted != GroupPolicy(group.name):
            await self._policies.change(
                group.id,
                auth_expiry=wanted.auth_expiry,
                privilege_expiry=wanted.privilege_expiry,
                credential_minimum=wanted.credential_minimum,
                password_minimum_length=wanted.password_minimum_length,
                self_mail_write=wanted.self_mail_write,
                actor=person.actor,
            )
        elif await self._policies.show(group.id, actor=person.actor) is not None:
            await self._policies.remove(group.id, actor=person.actor)

    def _policy_form(
        self,
        page_request: PageRequest,
        person: SignedIn,
        group: Group,
        typed: Mapping[str, str],
        held: Mapping[str, str],
        *,
        stale: OvertakenForm | None = None,
        errors: tuple[FormError, ...] = (),
    ) -> Response:
        path = f"{GROUPS_PAGE}/{group.name}/policy"
        return self._pages.console(
            "group-policy.html",
            _context(page_request, person, group, path),
            status=409 if stale is not None else 422 if errors else 200,
            errors=errors,
            stale=stale,
            group=group,
            everyone=group.id in DYNAMIC_GROUPS,
            typed=typed,
            seen=version_of(held),
            minimums=MINIMUMS,
            may_write=MAY_WRITE,
        )

    async def _group(self, page_request: PageRequest, person: SignedIn) -> Group:
        return await self._directory.show_group(page_request.request.path_parameters["name"], actor=person.actor)


def _context(page_request: PageRequest, person: SignedIn, group: Group | None, here: str) -> ConsoleContext:
    trail = () if group is None else (PageLink(f"{GROUPS_PAGE}/{group.name}", group.name),)
    return ConsoleContext(person, page_request.csrf_token_of(person), here, trail)


def _typed(page_request: PageRequest, names: Mapping[str, str]) -> dict[str, str]:
    return {name: page_request.typed(name).strip() for name in names}


def policy_fields(policy: GroupPolicy | None) -> dict[str, str]:
    """What the form holds of a policy."""
    if policy is None:
        return dict.fromkeys(_POLICY_LABELS, "")
    may_write = {None: "", True: "yes", False: "no"}[policy.self_mail_write]
    return {
        "minimum": "" if policy.credential_minimum is None else str(policy.credential_minimum),
        "auth-expiry": "" if policy.auth_expiry is None else format_duration(policy.auth_expiry),
        "privilege-expiry": "" if policy.privilege_expiry is None else format_duration(policy.privilege_expiry),
        "password-length": "" if policy.password_minimum_length is None else str(policy.password_minimum_length),
        "self-mail-write": may_write,
    }


def _policy_of(group: Group, typed: Mapping[str, str]) -> tuple[GroupPolicy, tuple[FormError, ...]]:
    """The policy that was typed, and what of it cannot be read."""
    errors: list[FormError] = []

    def duration(name: str) -> timedelta | None:
        try:
            return parse_duration(typed[name]) if typed[name] else None
        except ValueError as cause:
            errors.append(FormError(f"{typed[name][:40]!r} is not a duration: {cause}.", name))
            return None

    length = typed["password-length"]
    if length and not (length.isascii() and length.isdigit() and len(length) <= len("999")):
        errors.append(FormError(f"{length[:40]!r} is not a number of characters.", "password-length"))
        length = ""
    for name, choices in (("minimum", MINIMUMS), ("self-mail-write", MAY_WRITE)):
        if typed[name] not in choices:
            errors.append(FormError("Choose one of these.", name))
    policy = GroupPolicy(
        group.name,
        auth_expiry=duration("auth-expiry"),
        privilege_expiry=duration("privilege-expiry"),
        credential_minimum=next((each for each in CredentialMinimum if each == typed["minimum"]), None),
        password_minimum_length=int(length) if length else None,
        self_mail_write={"yes": True, "no": False}.get(typed["self-mail-write"]),
    )
    return policy, tuple(errors)
