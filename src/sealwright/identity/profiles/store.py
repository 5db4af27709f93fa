"""The only SQL about attributes and SSH keys of people."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, select

from sealwright.clock import Instant
from sealwright.db import Database, Statement, Transaction, upsert
from sealwright.db.schema import person_attributes, ssh_public_keys
from sealwright.identity.profiles.attributes import PersonAttribute
from sealwright.identity.profiles.ssh_keys import SshKey

Reader = Database | Transaction

a = person_attributes.c
k = ssh_public_keys.c
_ATTRIBUTES = Statement(select(a.name, a.value, a.verified_at).where(a.account_id == bindparam("account_id")).order_by(a.name))
_PUT_ATTRIBUTE = upsert(person_attributes, key=("account_id", "name"), update=("value", "verified_at"))
_DELETE_ATTRIBUTE = Statement(delete(person_attributes).where(a.account_id == bindparam("of"), a.name == bindparam("which")))
_SSH_KEYS = Statement(select(k.tag, k.public_key, k.created_at).where(k.account_id == bindparam("account_id")).order_by(k.tag))
_INSERT_SSH_KEY = Statement(insert(ssh_public_keys))
_DELETE_SSH_KEY = Statement(
    delete(ssh_public_keys).where(k.account_id == bindparam("of"), k.tag == bindparam("which")).returning(k.tag)
)


async def attributes(reader: Reader, account_id: str) -> dict[str, PersonAttribute]:
    """The attributes of an account by name."""
    return {
        row[0]: PersonAttribute(row[1], verified=row[2] is not None)
        for row in await reader.all(_ATTRIBUTES, account_id=account_id)
    }


async def put_attribute(tx: Transaction, account_id: str, name: str, value: str, verified_at: Instant | None) -> None:
    """Set one attribute."""
    await tx.run(_PUT_ATTRIBUTE, account_id=account_id, name=name, value=value, verified_at=verified_at)


async def delete_attribute(tx: Transaction, account_id: str, name: str) -> None:
    """Take one attribute away."""
    await tx.run(_DELETE_ATTRIBUTE, of=account_id, which=name)


async def ssh_keys(reader: Reader, account_id: str) -> list[SshKey]:
    """The SSH public keys of an account by tag."""
    return [SshKey(row[0], row[1], Instant(row[2])) for row in await reader.all(_SSH_KEYS, account_id=account_id)]


async def insert_ssh_key(tx: Transaction, account_id: str, new: SshKey) -> None:
    """Store a key; DuplicateRow where its tag is taken."""
    await tx.run(_INSERT_SSH_KEY, account_id=account_id, tag=new.tag, public_key=new.public_key, created_at=new.created_at)


async def delete_ssh_key(tx: Transaction, account_id: str, tag: str) -> bool:
    """Take a key away; False where there was none."""
    return await tx.one(_DELETE_SSH_KEY, of=account_id, which=tag) is not None
