"""The only SQL about stored profiles."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec
from msgspec import Struct
from sqlalchemy import bindparam, delete, func, select, update

from sealwright.ca.models import Profile
from sealwright.ca.profiles.definition import BUILT_IN
from sealwright.ca.profiles.errors import ProfileMissing
from sealwright.clock import Instant
from sealwright.confusables import shown
from sealwright.db import Database, Statement, Transaction, insert_once
from sealwright.db.schema import certificate_profiles as t
from sealwright.db.schema import role_grants
from sealwright.errors import Action, Remedy

MOST_PROFILES = 1_000

_COLUMNS = [t.c.name, t.c.definition, t.c.created_at, t.c.updated_at]
_INSERT = insert_once(t, returning=t.c.name)
_UPDATE = Statement(
    update(t)
    .where(t.c.name == bindparam("of"))
    .values(definition=bindparam("to"), updated_at=bindparam("now"))
    .returning(t.c.name)
)
_LOCK = Statement(update(t).where(t.c.name == bindparam("of")).values(updated_at=t.c.updated_at).returning(*_COLUMNS))
_DELETE = Statement(delete(t).where(t.c.name == bindparam("of")).returning(t.c.name))
_BY_NAME = Statement(select(*_COLUMNS).where(t.c.name == bindparam("of")))
_ALL = Statement(select(*_COLUMNS).order_by(t.c.name).limit(bindparam("at_most")))
_COUNT = Statement(select(func.count()).select_from(t))
_DEFINITIONS = Statement(select(t.c.name, t.c.definition))
_GRANTS = Statement(
    select(func.count())
    .select_from(role_grants)
    .where(role_grants.c.scope_kind == "profile", role_grants.c.scope_id == bindparam("of"))
)


class ProfileRow(Struct, frozen=True):
    """One stored profile."""

    name: str
    definition: str
    """JSON."""
    created_at: Instant
    updated_at: Instant

    @property
    def revision(self) -> str:
        """Tells one version of it from another."""
        return revision_of(self.definition)


def revision_of(definition: str) -> str:
    """SHA-256 of a stored definition."""
    return hashlib.sha256(definition.encode()).hexdigest()


def encoded(profile: Profile) -> str:
    """The definition as it is stored."""
    return msgspec.json.encode(profile).decode()


async def insert_profile(tx: Transaction, profile: Profile, now: Instant) -> bool:
    """Store a new profile; false where there is one of this name."""
    values = {"name": profile.name, "definition": encoded(profile), "created_at": now, "updated_at": now}
    return await tx.one(_INSERT, **values) is not None


async def update_profile(tx: Transaction, profile: Profile, now: Instant) -> bool:
    """Give a profile another definition; false where there is none of this name."""
    return await tx.one(_UPDATE, of=profile.name, to=encoded(profile), now=now) is not None


async def delete_profile(tx: Transaction, name: str) -> bool:
    """Delete a profile; false where there is none of this name."""
    return await tx.one(_DELETE, of=name) is not None


async def by_name(reader: Database | Transaction, name: str) -> ProfileRow | None:
    """The stored profile of this name."""
    row = await reader.one(_BY_NAME, of=name)
    return None if row is None else ProfileRow(*row)


async def locked(tx: Transaction, name: str) -> ProfileRow | None:
    """The same; until the end of the transaction no one else changes or deletes it."""
    row = await tx.one(_LOCK, of=name)
    return None if row is None else ProfileRow(*row)


async def all_profiles(reader: Database | Transaction) -> list[ProfileRow]:
    """Every stored profile, by name."""
    return [ProfileRow(*row) for row in await reader.all(_ALL, at_most=MOST_PROFILES)]


async def count(reader: Database | Transaction) -> int:
    """How many there are."""
    row = await reader.one(_COUNT)
    return 0 if row is None else int(row[0])


async def grants_within(reader: Database | Transaction, name: str) -> int:
    """How many grants of roles hold within a profile alone."""
    row = await reader.one(_GRANTS, of=name)
    return 0 if row is None else int(row[0])


async def current_revisions(tx: Transaction) -> Mapping[str, str]:
    """Name of each stored profile → its revision, at this moment."""
    return {row[0]: revision_of(row[1]) for row in await tx.all(_DEFINITIONS)}


async def require_chosen(tx: Transaction, name: str) -> Profile:
    """The profile that a provisioner chooses, which is not deleted until the transaction has ended; or ProfileMissing."""
    if name in BUILT_IN:
        return BUILT_IN[name]
    row = await locked(tx, name)
    if row is None:
        raise missing(name)
    return msgspec.json.decode(row.definition, type=Profile)


def missing(name: str) -> ProfileMissing:
    """What to raise where there is no such profile."""
    return ProfileMissing(f"There is no profile {shown(name)}.", remedy=Remedy(Action.LIST_PROFILES))
