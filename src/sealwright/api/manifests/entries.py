"""What a server has, as entries of a manifest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from sealwright.access import DYNAMIC_GROUPS
from sealwright.ca import Provisioner
from sealwright.client_metadata import ClientMetadata
from sealwright.clock import Instant, to_rfc3339
from sealwright.identity import Account, Group, GroupPolicy, MailAddress, Members, PersonAttribute, SshKey
from sealwright.oauth import ClaimMap, ScopeMap, set_members

SECRET = "(secret)"  # noqa: S105 - what stands in place of one


def person_entry(account: Account, attributes: Mapping[str, PersonAttribute], keys: Iterable[SshKey]) -> dict[str, Any]:
    """A person with everything that is kept about them but credentials."""
    return {
        "display_name": account.display_name,
        "mails": mail_entries(account.mails),
        "valid_from": moment_entry(account.valid_from),
        "valid_until": moment_entry(account.valid_until),
        "disabled": account.disabled_at is not None,
        "attributes": {name: each.value for name, each in attributes.items()},
        "ssh_public_keys": {key.tag: key.public_key for key in keys},
    }


def service_account_entry(account: Account, manager: str | None) -> dict[str, Any]:
    """A service account without its tokens. `manager`: the name of the account or group that may make these."""
    return {
        "display_name": account.display_name,
        "managed_by": manager,
        "valid_from": moment_entry(account.valid_from),
        "valid_until": moment_entry(account.valid_until),
        "disabled": account.disabled_at is not None,
    }


def policy_entry(policy: GroupPolicy | None) -> dict[str, Any] | None:
    """What a group asks of its members, without what it does not say; durations in seconds."""
    if policy is None:
        return None
    values = {
        "auth_expiry": policy.auth_expiry,
        "privilege_expiry": policy.privilege_expiry,
        "credential_minimum": policy.credential_minimum,
        "password_minimum_length": policy.password_minimum_length,
        "self_mail_write": policy.self_mail_write,
    }
    return {
        name: int(value.total_seconds()) if isinstance(value, timedelta) else value
        for name, value in values.items()
        if value is not None
    }


def mail_entries(mails: Iterable[MailAddress]) -> list[Any]:
    """Addresses: as text, or as an object where one is not verified."""
    return [each.address if each.verified else {"address": each.address, "verified": False} for each in mails]


def moment_entry(instant: Instant | None) -> str | None:
    """A time as text."""
    return None if instant is None else to_rfc3339(instant)


def group_entry(group: Group, manager: str | None, members: Members, policy: GroupPolicy | None) -> dict[str, Any]:
    """A group. Of one that is built in nothing but the members can be changed, and of some not even these.

    `manager`: the name of the account or group that may change its members.
    """
    names = sorted([*(each.name for each in members.accounts), *(each.name for each in members.groups)])
    described = {} if group.builtin else {"description": group.description, "managed_by": manager}
    asked = {} if policy is None else {"account_policy": policy_entry(policy)}
    return {**described, **({} if group.id in DYNAMIC_GROUPS else {"members": names}), **asked}


def client_entry(
    client: ClientMetadata,
    scopes: Iterable[ScopeMap],
    supplementary: Iterable[ScopeMap],
    claims: Iterable[ClaimMap],
    issuer: str | None,
) -> dict[str, Any]:
    """A client without its secret, keys and image. `issuer`: the name of the one that it shares with others, if any."""
    members = msgspec.to_builtins(set_members(client))
    del members["name"]
    return {**members, "issuer": issuer, **maps_entry(scopes, supplementary, claims)}


def maps_entry(
    scopes: Iterable[ScopeMap], supplementary: Iterable[ScopeMap], claims: Iterable[ClaimMap]
) -> dict[str, dict[str, Any]]:
    """The scope maps and claim maps of a client."""
    return {
        "scope_maps": {each.group_name: sorted(each.scopes) for each in scopes},
        "supplementary_scope_maps": {each.group_name: sorted(each.scopes) for each in supplementary},
        "claim_maps": {
            each.claim: {"join": str(each.join), "groups": {group.group_name: sorted(group.values) for group in each.groups}}
            for each in claims
        },
    }


def provisioner_entry(provisioner: Provisioner) -> dict[str, Any]:
    """A provisioner in the form that `step` reads, without its secret; an issuer of this server as a path."""
    members: dict[str, Any] = msgspec.to_builtins(provisioner.stored())
    del members["name"]
    return members


def exported(entry: Mapping[str, Any]) -> dict[str, Any]:
    """An entry without the members that have the default of a new object."""
    return {
        name: value
        for name, value in entry.items()
        if value is not None and value not in ("", [], {}) and (name, value) != ("disabled", False)
    }
