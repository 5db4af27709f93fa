"""What is kept of an account or a group, and put into the bin with its deletion.

No credential, session, token, link, consent or grant of a role is kept: no one can sign in or act by what is revived alone.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from sealwright.access import Actor
from sealwright.clock import Instant
from sealwright.db import Transaction
from sealwright.identity.account_policy import store as policies
from sealwright.identity.account_policy.models import GroupPolicy
from sealwright.identity.directory import store as directory
from sealwright.identity.models import Account, Group
from sealwright.identity.profiles import store as profiles
from sealwright.identity.profiles.attributes import PersonAttribute
from sealwright.identity.profiles.ssh_keys import SshKey
from sealwright.identity.recycle_bin import store


class KeptAccount(Struct, frozen=True):
    """An account without its credentials."""

    account: Account
    attributes: dict[str, PersonAttribute]
    ssh_keys: list[SshKey]
    groups: list[str]
    """Ids of the groups of which it was a direct member."""
    credential_generation: int


class KeptGroup(Struct, frozen=True):
    """A group with its memberships and its account policy."""

    group: Group
    accounts: list[str]
    member_groups: list[str]
    groups: list[str]
    policy: GroupPolicy | None


async def keep_account(tx: Transaction, account: Account, actor: Actor, now: Instant) -> None:
    """Put an account into the bin; the caller deletes it in the same transaction."""
    status = await directory.status_of(tx, account.id, now)
    kept = KeptAccount(
        account,
        await profiles.attributes(tx, account.id),
        await profiles.ssh_keys(tx, account.id),
        list(await store.groups_of_account(tx, account.id)),
        0 if status is None else status.credential_generation,
    )
    await store.insert_entry(tx, _entry(account.id, str(account.kind), account.name, kept, actor, now))


async def keep_group(tx: Transaction, group: Group, actor: Actor, now: Instant) -> None:
    """Put a group into the bin; the caller deletes it in the same transaction."""
    kept = KeptGroup(
        group,
        [each.id for each in await directory.accounts_in(tx, group.id)],
        [each.id for each in await directory.groups_in(tx, group.id)],
        list(await store.groups_of_group(tx, group.id)),
        await policies.of_group(tx, group.id),
    )
    await store.insert_entry(tx, _entry(group.id, "group", group.name, kept, actor, now))


def account_in(entry: store.BinEntry) -> KeptAccount:
    """The account of an entry."""
    return msgspec.json.decode(entry.content, type=KeptAccount)


def group_in(entry: store.BinEntry) -> KeptGroup:
    """The group of an entry."""
    return msgspec.json.decode(entry.content, type=KeptGroup)


def _entry(entry_id: str, kind: str, name: str, kept: KeptAccount | KeptGroup, actor: Actor, now: Instant) -> store.BinEntry:
    return store.BinEntry(entry_id, kind, name, msgspec.json.encode(kept).decode(), now, actor.name)
