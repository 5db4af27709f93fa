"""The only SQL about clients and their scope maps."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import bindparam, delete, exists, insert, select, update

from sealwright.client_metadata import ClientKind, ClientMetadata, rows
from sealwright.clock import Instant
from sealwright.db import Database, Row, Statement, Transaction, upsert
from sealwright.db.schema import (
    groups,
    oauth_claim_maps,
    oauth_client_images,
    oauth_clients,
    oauth_credential_holders,
    oauth_issuers,
    oauth_scope_maps,
)
from sealwright.oauth.issuers.models import SharedIssuer
from sealwright.oauth.models import Client, ScopeMap

c = oauth_clients.c
_COLUMNS = tuple(row.name for row in rows().values() if row.declared.column)
_SETTINGS = msgspec.defstruct(
    "_SETTINGS",
    [(row.name, row.type, row.default) for row in rows().values() if not row.declared.column],
    frozen=True,
    omit_defaults=True,
)
"""The members that have no column of their own: what differs from the default is stored as one JSON object."""
_SETTINGS_DECODER = msgspec.json.Decoder(_SETTINGS)

_has_claim_maps = exists().where(oauth_claim_maps.c.client_id == c.id).label("has_claim_maps")
_issuer_name = select(oauth_issuers.c.name).where(oauth_issuers.c.id == c.issuer_id).scalar_subquery().label("issuer_name")
CLIENT_COLUMNS = (
    c.id,
    c.secret_digest,
    c.previous_secret_digest,
    c.previous_secret_ends_at,
    c.created_at,
    c.updated_at,
    c.settings,
    _has_claim_maps,
    c.issuer_id,
    _issuer_name,
    *(c[name] for name in _COLUMNS),
)
_CLIENT_BY_NAME = Statement(select(*CLIENT_COLUMNS).where(c.name == bindparam("name")))
_CLIENT_BY_ID = Statement(select(*CLIENT_COLUMNS).where(c.id == bindparam("id")))
_CLIENT_TO_CHANGE = Statement(select(*CLIENT_COLUMNS).where(c.id == bindparam("id")).with_for_update())
_CLIENTS = Statement(select(*CLIENT_COLUMNS).where(c.name > bindparam("after")).order_by(c.name).limit(bindparam("at_most")))
_SEALED_SECRET = Statement(select(c.sealed_secret).where(c.id == bindparam("id")))
_INSERT_CLIENT = Statement(insert(oauth_clients))
_DELETE_CLIENT = Statement(delete(oauth_clients).where(c.id == bindparam("id")))
_UPDATE_CLIENT = Statement(
    update(oauth_clients)
    .where(c.id == bindparam("which"))
    .values({name: bindparam(f"new_{name}") for name in (*_COLUMNS, "settings", "updated_at")})
)
_TOUCH = Statement(update(oauth_clients).where(c.id == bindparam("which")).values(updated_at=bindparam("changed_at")))
_SET_ISSUER = Statement(
    update(oauth_clients)
    .where(c.id == bindparam("which"))
    .values(issuer_id=bindparam("new_issuer_id"), updated_at=bindparam("changed_at"))
)
_SET_SECRET = Statement(
    update(oauth_clients)
    .where(c.id == bindparam("which"))
    .values(
        previous_secret_digest=bindparam("previous_digest"),
        previous_secret_ends_at=bindparam("previous_ends_at"),
        secret_digest=bindparam("new_digest"),
        sealed_secret=bindparam("new_sealed"),
        updated_at=bindparam("changed_at"),
    )
)

h = oauth_credential_holders.c
SECRET, KEYS = "secret", "keys"
"""What someone can act as a client by: its secret; or keys and certificates, which they said it authenticates with."""
_NOTE_HOLDER = upsert(oauth_credential_holders, key=("client_id", "account_id", "credential"), update=("ends_at",))
_secret_of = (h.client_id == bindparam("of"), h.credential == SECRET)
_FORGET_HOLDERS = Statement(delete(oauth_credential_holders).where(*_secret_of))
_END_HOLDERS = Statement(
    update(oauth_credential_holders).where(*_secret_of, h.ends_at.is_(None)).values(ends_at=bindparam("tokens_end_at"))
)

i = oauth_client_images.c
_PUT_IMAGE = upsert(oauth_client_images, key=("client_id",), update=("media_type", "content", "digest"))
_DELETE_IMAGE = Statement(delete(oauth_client_images).where(i.client_id == bindparam("client_id")))
_IMAGE_DIGEST = Statement(
    select(i.digest).join(oauth_clients, oauth_clients.c.id == i.client_id).where(oauth_clients.c.name == bindparam("name"))
)
_IMAGE_WITH_DIGEST = Statement(select(i.media_type, i.content).where(i.digest == bindparam("digest")).limit(1))

m = oauth_scope_maps.c
_SCOPE_MAPS_OF_CLIENTS = Statement(
    select(m.client_id, m.group_id, groups.c.name, m.scopes)
    .join(groups, groups.c.id == m.group_id)
    .join(oauth_clients, c.id == m.client_id)
    .where(c.name > bindparam("after"), c.name <= bindparam("until"))
    .order_by(groups.c.name)
)


async def client_named(reader: Database | Transaction, name: str) -> Client | None:
    """The client with this `client_id`."""
    row = await reader.one(_CLIENT_BY_NAME, name=name)
    return None if row is None else client_from(row)


async def client_with_id(reader: Database | Transaction, client_id: str) -> Client | None:
    """The client whose row has this identifier."""
    row = await reader.one(_CLIENT_BY_ID, id=client_id)
    return None if row is None else client_from(row)


async def client_to_change(tx: Transaction, client_id: str) -> Client | None:
    """The same, which no one else changes until this transaction ends."""
    row = await tx.one(_CLIENT_TO_CHANGE, id=client_id)
    return None if row is None else client_from(row)


async def clients(db: Database, after: str, at_most: int) -> list[Client]:
    """Clients whose names come after `after`, by name."""
    return [client_from(row) for row in await db.all(_CLIENTS, after=after, at_most=at_most)]


async def scope_maps_of(db: Database, clients: list[Client], after: str) -> dict[str, tuple[ScopeMap, ...]]:
    """The scope maps of those clients that `clients` returned, by the clients' ids."""
    found: dict[str, list[ScopeMap]] = {client.id: [] for client in clients}
    if clients:
        for row in await db.all(_SCOPE_MAPS_OF_CLIENTS, after=after, until=clients[-1].name):
            found.setdefault(row[0], []).append(ScopeMap(row[1], row[2], tuple(row[3].split())))
    return {client_id: tuple(maps) for client_id, maps in found.items()}


async def insert_client(tx: Transaction, client: Client, sealed_secret: bytes | None, *, created_by: str) -> None:
    """Add a client; DuplicateRow where its name is taken. `created_by`: id of the account that does."""
    await tx.run(
        _INSERT_CLIENT,
        id=client.id,
        secret_digest=client.secret_digest,
        sealed_secret=sealed_secret,
        previous_secret_digest=None,
        previous_secret_ends_at=None,
        created_at=client.created_at,
        updated_at=client.updated_at,
        issuer_id=None if client.issuer is None else client.issuer.id,
        created_by=created_by,
        **_stored(client),
    )


async def update_client(tx: Transaction, client: Client, now: Instant) -> bool:
    """Store what is set on a client."""
    values = {f"new_{name}": value for name, value in _stored(client).items()}
    return await tx.run(_UPDATE_CLIENT, which=client.id, new_updated_at=now, **values) == 1


async def set_issuer(tx: Transaction, client_id: str, issuer: SharedIssuer | None, now: Instant) -> bool:
    """Put a client on an issuer that it shares, or give it its own again."""
    issuer_id = None if issuer is None else issuer.id
    return await tx.run(_SET_ISSUER, which=client_id, new_issuer_id=issuer_id, changed_at=now) == 1


async def set_secret(
    tx: Transaction,
    client: Client,
    digest: bytes,
    sealed: bytes,
    now: Instant,
    *,
    previous_ends_at: Instant | None = None,
    tokens_end_at: Instant | None = None,
) -> bool:
    """Replace a client's secret; the one before works on until `previous_ends_at`, if at all.

    Its holders count until `tokens_end_at`, when the last token that they got by it ends. Without the first, all have ended.
    """
    previous = None if previous_ends_at is None else client.secret_digest
    values = {"new_digest": digest, "new_sealed": sealed, "previous_digest": previous, "previous_ends_at": previous_ends_at}
    if previous_ends_at is None:
        await tx.run(_FORGET_HOLDERS, of=client.id)
    else:
        await tx.run(_END_HOLDERS, of=client.id, tokens_end_at=tokens_end_at)
    return await tx.run(_SET_SECRET, which=client.id, changed_at=now, **values) == 1


async def note_credential_holder(tx: Transaction, client_id: str, account_id: str, credential: str) -> None:
    """Note that someone can act as a client from now on; nothing where it is the server itself."""
    if account_id:
        await tx.run(_NOTE_HOLDER, client_id=client_id, account_id=account_id, credential=credential, ends_at=None)


async def sealed_secret(db: Database | Transaction, client_id: str) -> bytes | None:
    """A client's secret, sealed; None where it has none."""
    row = await db.one(_SEALED_SECRET, id=client_id)
    return None if row is None or row[0] is None else bytes(row[0])


async def delete_client(tx: Transaction, client_id: str) -> bool:
    """Delete a client and all that hangs on it."""
    return await tx.run(_DELETE_CLIENT, id=client_id) == 1


async def touch_client(tx: Transaction, client_id: str, now: Instant) -> None:
    """Note that something that belongs to a client was changed."""
    await tx.run(_TOUCH, which=client_id, changed_at=now)


async def put_image(tx: Transaction, client_id: str, media_type: str, content: bytes, digest: bytes) -> None:
    """Store the image of a client, in place of the one before."""
    await tx.run(_PUT_IMAGE, client_id=client_id, media_type=media_type, content=content, digest=digest)


async def delete_image(tx: Transaction, client_id: str) -> bool:
    """Delete the image of a client; false where it has none."""
    return await tx.run(_DELETE_IMAGE, client_id=client_id) == 1


async def image_digest(db: Database, name: str) -> bytes | None:
    """SHA-256 of the image of the client with a name."""
    row = await db.one(_IMAGE_DIGEST, name=name)
    return None if row is None else bytes(row[0])


async def image_with_digest(db: Database, digest: bytes) -> tuple[str, bytes] | None:
    """Media type and content of an image."""
    row = await db.one(_IMAGE_WITH_DIGEST, digest=digest)
    return None if row is None else (row[0], bytes(row[1]))


def _stored(client: ClientMetadata) -> dict[str, Any]:
    """What is set on a client, as its columns hold it."""
    columns = {name: str(getattr(client, name)) for name in _COLUMNS}
    settings = _SETTINGS(**{name: getattr(client, name) for name in _SETTINGS.__struct_fields__})
    return {**columns, "settings": msgspec.json.encode(settings).decode()}


@lru_cache(maxsize=1_024)
def client_from(row: Row) -> Client:
    """A client from a row of `CLIENT_COLUMNS`. The row is read each time; only what it says is remembered."""
    client_id, secret_digest, previous_digest, previous_ends_at, created_at, updated_at, settings, *more = row
    has_claim_maps, issuer_id, issuer_name, *columns = more
    named = dict(zip(_COLUMNS, columns, strict=True))
    return Client(
        id=client_id,
        secret_digest=None if secret_digest is None else bytes(secret_digest),
        previous_secret_digest=None if previous_digest is None else bytes(previous_digest),
        previous_secret_ends_at=None if previous_ends_at is None else Instant(previous_ends_at),
        created_at=Instant(created_at),
        updated_at=Instant(updated_at),
        has_claim_maps=bool(has_claim_maps),
        issuer=None if issuer_id is None else SharedIssuer(issuer_id, issuer_name),
        **named | {"kind": ClientKind(named["kind"])},
        **msgspec.structs.asdict(_SETTINGS_DECODER.decode(settings)),
    )
