"""Permissions that come with a name: a provisioner trusts a group, a mail address or a client, and its holder gains by that.

A domain that trusts a name states it here as data; a domain that assigns names asks before a name changes hands. Neither knows
the other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from enum import StrEnum

from msgspec import Struct

from sealwright.access.errors import BeyondOwnAuthority
from sealwright.access.models import Actor, Permission
from sealwright.access.policy import holders_of
from sealwright.db import Database, Transaction


class NameKind(StrEnum):
    """The kind of a trusted name."""

    ACCOUNT_ID = "account"
    GROUP_ID = "group"
    GROUP_NAME = "group name"
    MAIL = "mail address"
    CLIENT = "client"


class NamedAuthority(Struct, frozen=True):
    """One name that something trusts."""

    named_by: str
    """Who trusts it, such as ``the provisioner ops``."""
    place: str
    """Where it stands there, such as ``admins``."""
    kind: NameKind
    name: str
    """As it is written there."""
    confers: frozenset[Permission] = frozenset()
    """Permissions that the holder of the name gets by it; empty if it is only used."""


NamedAuthorities = Callable[[Database | Transaction], Awaitable[Sequence[NamedAuthority]]]
"""Everything that is named at this moment."""


async def nothing_named(_reader: Database | Transaction) -> Sequence[NamedAuthority]:
    """No names: for commands at the server's own shell, which run without a certificate authority and hold every permission."""
    return ()


def require_over_names(actor: Actor, named: Iterable[NamedAuthority], what: str) -> None:
    """Raise BeyondOwnAuthority unless `actor` holds what every one of `named` confers. `what` finishes the sentence."""
    for each in named:
        missing = sorted(each.confers - actor.permissions.everywhere)
        if missing:
            raise BeyondOwnAuthority(
                f"{actor.name or 'An unknown caller'} may not {what}: {each.named_by} trusts the {each.kind} {each.name}.",
                reasons=(
                    f"{each.named_by} names it in {each.place}, which carries {', '.join(missing)}",
                    *(f"{each} is held by members of {', '.join(holders_of(each))}" for each in missing),
                ),
                hint="Ask someone who holds this permission, or have what trusts it changed first.",
            )
