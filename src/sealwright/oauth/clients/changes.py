"""A client with other metadata, checked against the table. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, replace
from typing import Any, TypeVar

import msgspec

from sealwright.client_metadata import (
    AUTHENTICATION_MEMBERS,
    FAPI_2,
    MOST_URIS,
    ClientMetadata,
    ClientRefused,
    Row,
    profile_members,
    require_complete_authentication,
    require_fapi,
    rows,
)
from sealwright.errors import in_member
from sealwright.misfit import misfit

_C = TypeVar("_C", bound=ClientMetadata)


def with_members(client: _C, members: Mapping[str, Any]) -> _C:
    """`client` with these members in place of its own; None brings a default back. Raises ClientRefused."""
    values = {}
    for name, value in members.items():
        with in_member(name[:80]):
            values[name] = _value(_row(name), value)
    if "profile" in values:
        usual = profile_members(values["profile"], public=client.is_public)
        if values.get("tls_client_certificate_bound_access_tokens", client.tls_client_certificate_bound_access_tokens):
            usual.pop("dpop_bound_access_tokens", None)  # one binding is enough
        values = {**usual, **values}
    changed = _replaced(client, values)
    for name in values:
        require_allowed(changed, name)
    if not AUTHENTICATION_MEMBERS.isdisjoint(values):
        require_complete_authentication(changed)
    if changed.profile == FAPI_2:
        require_fapi(changed)
    return changed


def with_element(client: _C, member: str, element: Any) -> _C:
    """`client` with one more element in a list; no change where it is in there. Raises ClientRefused.

    Those that are in there are not judged again: what may stay may be of an older rule.
    """
    row = list_row(member)
    value = _value(row, (element,))[0]
    present = getattr(client, member)
    if value in present:
        return client
    _require_room(client, row, len(present) + 1)
    if row.declared.rule is not None:
        row.declared.rule(value, client)
    return _replaced(client, {member: (*present, value)})


def without_element(client: _C, member: str, element: Any) -> _C:
    """`client` without one element of a list."""
    return _replaced(client, {member: tuple(each for each in getattr(client, member) if each != element)})


def require_allowed(client: ClientMetadata, name: str) -> None:
    """Raise ClientRefused where the value of one member may not stand in this client."""
    row, value = rows()[name], getattr(client, name)
    with in_member(name):
        if row.is_list:
            _require_room(client, row, len(value))
        if row.declared.rule is None or value is None:
            return
        for each in value if row.is_list else (value,):
            row.declared.rule(each, client)


def _require_room(client: ClientMetadata, row: Row, length: int) -> None:
    if length > MOST_URIS:
        raise ClientRefused(f"{client.name} would have {length} {row.declared.label}.", hint=f"At most {MOST_URIS} are allowed.")


def _replaced(client: _C, members: dict[str, Any]) -> _C:
    return replace(client, **members)


def list_row(name: str) -> Row:
    """The row of a member that holds any number of values; raises ClientRefused where there is none."""
    row = _row(name)
    if not row.is_list:
        raise ClientRefused(f"{name} of a client is one value, not a list.", hint="Set it as a whole.")
    return row


def _row(name: str) -> Row:
    row = rows().get(name)
    if row is None:
        raise ClientRefused(f"A client has no {name[:80]!r}.", hint=f"There are {', '.join(rows())}.")
    if not row.changeable:
        raise ClientRefused(f"The {row.declared.label} of a client is given when it is created, and cannot be set.")
    return row


def _value(row: Row, value: Any) -> Any:
    if value is None:
        if row.default is MISSING:
            raise ClientRefused(f"A client cannot be without {row.name}.")
        return row.default
    try:
        typed = msgspec.convert(value, row.type)
    except msgspec.ValidationError as cause:
        problem = misfit(value, row.type).sentence("the value")
        raise ClientRefused(f"{str(value)[:80]!r} cannot be {row.name} of a client: {problem}") from cause
    if row.is_list:
        return tuple(dict.fromkeys(_cleaned(row, each) for each in typed))
    return _cleaned(row, typed)


def _cleaned(row: Row, value: Any) -> Any:
    return value if row.declared.clean is None else row.declared.clean(value)
