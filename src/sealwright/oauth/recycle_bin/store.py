"""The only SQL about deleted clients."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
from msgspec import Struct
from sqlalchemy import bindparam, delete, insert, or_, select

from sealwright.clock import Instant
from sealwright.db import Database, Statement, Transaction, delete_before
from sealwright.db.schema import (
    groups,
    oauth_claim_joins,
    oauth_claim_maps,
    oauth_client_images,
    oauth_clients,
    oauth_credential_holders,
    oauth_deleted_clients,
    oauth_issuers,
    oauth_scope_maps,
    oauth_supplementary_scope_maps,
)

Reader = Database | Transaction

c, d = oauth_clients.c, oauth_deleted_clients.c
_COLUMNS = tuple(column for column in oauth_clients.c if not column.name.startswith("previous_"))
_CLIENT = Statement(select(*_COLUMNS).where(c.id == bindparam("of")))
_DEPENDENT_TABLES = (
    oauth_scope_maps,
    oauth_supplementary_scope_maps,
    oauth_claim_maps,
    oauth_claim_joins,
    oauth_credential_holders,
)
"""Tables whose rows belong to a client and hold no secret."""
_ROWS = {table.name: Statement(select(*table.c).where(table.c.client_id == bindparam("of"))) for table in _DEPENDENT_TABLES}
_INSERT_ROW = {table.name: Statement(insert(table)) for table in (*_DEPENDENT_TABLES, oauth_clients, oauth_client_images)}
_IMAGE = Statement(select(*oauth_client_images.c).where(oauth_client_images.c.client_id == bindparam("of")))
_IS_GROUP = Statement(select(groups.c.id).where(groups.c.id == bindparam("of")))
_IS_ISSUER = Statement(select(oauth_issuers.c.id).where(oauth_issuers.c.id == bindparam("of")))
_LISTED = (d.id, d.name, d.deleted_at, d.deleted_by)
_PAGE = Statement(select(*_LISTED).where(d.name > bindparam("beyond")).order_by(d.name).limit(bindparam("at_most")))
_FIND = Statement(select(*_LISTED).where(or_(d.name == bindparam("who"), d.id == bindparam("who"))))
_KEPT = Statement(select(d.content, d.secret_digest, d.sealed_secret, d.image).where(d.id == bindparam("of")))
_NAMED = Statement(select(d.id).where(d.name == bindparam("name")))
_INSERT = Statement(insert(oauth_deleted_clients))
_DELETE = Statement(delete(oauth_deleted_clients).where(d.id == bindparam("of")).returning(d.id))
_DELETE_OLD = delete_before(d.id, d.deleted_at)

_SECRETS = ("secret_digest", "sealed_secret")


class DeletedClient(Struct, frozen=True):
    """A client in the recycle bin, as it is listed."""

    id: str
    name: str
    deleted_at: Instant
    deleted_by: str


class KeptClient(Struct, frozen=True):
    """What is restored of a client, beside its secret and its image."""

    row: dict[str, str | int | None]
    """Its row, without secrets."""
    rows: dict[str, list[dict[str, str | int | None]]]
    """What depends on it, by table."""
    image: dict[str, str] | None
    """Of its image, what is not the image itself."""
    keys: list[str]
    """Ids of the keys that were its own, and that its deletion ended."""


@dataclass(frozen=True, slots=True)
class RestorableClient:
    """Everything that is kept of a client."""

    kept: KeptClient
    secret_digest: bytes | None = field(repr=False)
    sealed_secret: bytes | None = field(repr=False)
    image: bytes | None = field(repr=False)


async def keep(tx: Transaction, client_id: str, keys: list[str], now: Instant, deleted_by: str) -> None:
    """Put a client into the bin; the caller deletes it in the same transaction."""
    found = await tx.one(_CLIENT, of=client_id)
    if found is None:
        return
    row = dict(zip((column.name for column in _COLUMNS), found, strict=True))
    secrets = {name: row.pop(name) for name in _SECRETS}
    dependent = {}
    for table in _DEPENDENT_TABLES:
        names = [column.name for column in table.c]
        dependent[table.name] = [dict(zip(names, each, strict=True)) for each in await tx.all(_ROWS[table.name], of=client_id)]
    image, pixels = await tx.one(_IMAGE, of=client_id), None
    about_image = None
    if image is not None:
        about = dict(zip((column.name for column in oauth_client_images.c), image, strict=True))
        pixels = bytes(about.pop("content"))
        about_image = {"media_type": str(about["media_type"]), "digest": bytes(about["digest"]).hex()}
    content = KeptClient(row, dependent, about_image, keys)
    await tx.run(
        _INSERT,
        id=client_id,
        name=row["name"],
        content=msgspec.json.encode(content).decode(),
        image=pixels,
        deleted_at=now,
        deleted_by=deleted_by,
        **secrets,
    )


async def page(reader: Reader, *, beyond: str, at_most: int) -> list[DeletedClient]:
    """Deleted clients by name, after the name `beyond`."""
    return [DeletedClient(*row) for row in await reader.all(_PAGE, beyond=beyond, at_most=at_most)]


async def find(reader: Reader, name_or_id: str) -> DeletedClient | None:
    """The deleted client with this name or id."""
    row = await reader.one(_FIND, who=name_or_id)
    return None if row is None else DeletedClient(*row)


async def is_reserved(reader: Reader, name: str) -> bool:
    """Whether a client in the bin has this name."""
    return await reader.one(_NAMED, name=name) is not None


async def take(tx: Transaction, client_id: str) -> RestorableClient | None:
    """Take a client out of the bin: what is kept of it for the first who asks, None for everyone else."""
    row = await tx.one(_KEPT, of=client_id)
    if row is None or await tx.one(_DELETE, of=client_id) is None:
        return None
    digest, sealed, image = (None if each is None else bytes(each) for each in row[1:])
    return RestorableClient(msgspec.json.decode(row[0], type=KeptClient), digest, sealed, image)


async def restore(tx: Transaction, found: RestorableClient, now: Instant) -> int:
    """Store a client as it was; DuplicateRow where its name is taken. Returns how many maps are lost with their groups."""
    kept, client_id = found.kept, found.kept.row["id"]
    secrets = {"secret_digest": found.secret_digest, "sealed_secret": found.sealed_secret}
    previous = {"previous_secret_digest": None, "previous_secret_ends_at": None}
    await tx.run(_INSERT_ROW[oauth_clients.name], **kept.row | secrets | previous | {"updated_at": now})
    lost = 0
    for table in _DEPENDENT_TABLES:
        for each in kept.rows.get(table.name, ()):
            if "group_id" in each and await tx.one(_IS_GROUP, of=each["group_id"]) is None:
                lost += 1
            else:
                await tx.run(_INSERT_ROW[table.name], **each)
    if kept.image is not None and found.image is not None:
        values = {"media_type": kept.image["media_type"], "digest": bytes.fromhex(kept.image["digest"])}
        await tx.run(_INSERT_ROW[oauth_client_images.name], client_id=client_id, content=found.image, **values)
    return lost


async def has_issuer(tx: Transaction, kept: KeptClient) -> bool:
    """Whether the issuer that it shared is there still, if it shared one."""
    issuer_id = kept.row["issuer_id"]
    return issuer_id is None or await tx.one(_IS_ISSUER, of=issuer_id) is not None


async def purge(tx: Transaction, before: Instant, at_most: int) -> int:
    """Delete for good at most `at_most` clients that were deleted before `before`; returns how many."""
    return await tx.run(_DELETE_OLD, before=before, at_most=at_most)
