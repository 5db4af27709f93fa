"""The only SQL about registration tokens, and about clients that registered themselves."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import and_, bindparam, delete, func, insert, literal, select, update

from sealwright.clock import Instant
from sealwright.db import Database, Statement, Transaction
from sealwright.db.schema import accounts, groups, oauth_registration_tokens, oauth_registrations

t = oauth_registration_tokens.c
r = oauth_registrations.c
_COLUMNS = (t.id, t.created_by, t.created_at, t.expires_at, t.uses_left, t.scopes, groups.c.name)
_OPEN = and_(t.uses_left > 0, t.expires_at > bindparam("now"))
_INSERT_TOKEN = Statement(insert(oauth_registration_tokens))
_TOKENS = Statement(
    select(*_COLUMNS)
    .join_from(oauth_registration_tokens, groups, groups.c.id == t.group_id, isouter=True)
    .where(_OPEN)
    .order_by(t.created_at, t.id)
)
_DELETE_TOKEN = Statement(delete(oauth_registration_tokens).where(t.id == bindparam("id")))
_USE_TOKEN = Statement(
    update(oauth_registration_tokens)
    .where(t.digest == bindparam("given"), _OPEN)
    .values(uses_left=t.uses_left - 1)
    .returning(t.id, t.group_id, t.scopes, t.created_by)
)
_MAKER = Statement(select(accounts.c.id).where(accounts.c.name == bindparam("name")))
_IS_OPEN = Statement(select(t.id).where(t.digest == bindparam("given"), _OPEN))
_ANY_OPEN = Statement(select(literal(1)).select_from(oauth_registration_tokens).where(_OPEN).limit(1))
_doomed = select(t.id).where(t.expires_at <= bindparam("until")).order_by(t.expires_at).limit(bindparam("at_most"))
_PURGE = Statement(delete(oauth_registration_tokens).where(t.id.in_(_doomed)))

_INSERT = Statement(insert(oauth_registrations))
_BY_TOKEN = Statement(select(r.client_id).where(r.access_token_digest == bindparam("digest")))
_OF_CLIENT = Statement(select(r.client_id).where(r.client_id == bindparam("client_id")))
_ROTATE = Statement(
    update(oauth_registrations)
    .where(r.client_id == bindparam("which"), r.access_token_digest == bindparam("old"))
    .values(access_token_digest=bindparam("new"))
)
_some = select(r.client_id).where(r.registration_token_id.is_(None)).limit(bindparam("at_most")).subquery()
_OPENLY_REGISTERED = Statement(select(func.count()).select_from(_some))


class RegistrationToken(Struct, frozen=True):
    """What is known of an initial access token (RFC 7591, section 1.2); the token itself is not stored."""

    id: str
    created_by: str
    created_at: Instant
    expires_at: Instant
    uses_left: int
    scopes: tuple[str, ...]
    group: str | None
    """The group whose members may grant the scopes to the clients that it lets in."""


class Admission(Struct, frozen=True):
    """What a token that was used gives to the client that it lets in."""

    token_id: str
    group_id: str | None
    scopes: tuple[str, ...]
    maker_id: str
    """Id of who made the token, and could register a client by it themselves; empty where there is no such account any more."""


async def insert_token(tx: Transaction, token: RegistrationToken, digest: bytes, group_id: str | None) -> None:
    """Store a new token."""
    await tx.run(
        _INSERT_TOKEN,
        id=token.id,
        digest=digest,
        created_by=token.created_by,
        created_at=token.created_at,
        expires_at=token.expires_at,
        uses_left=token.uses_left,
        scopes=" ".join(token.scopes),
        group_id=group_id,
    )


async def tokens(db: Database, now: Instant) -> list[RegistrationToken]:
    """Those that still let a client in, oldest first."""
    return [
        RegistrationToken(row[0], row[1], Instant(row[2]), Instant(row[3]), row[4], tuple(row[5].split()), row[6])
        for row in await db.all(_TOKENS, now=now)
    ]


async def delete_token(tx: Transaction, token_id: str) -> bool:
    """Delete a token; false where there is none."""
    return await tx.run(_DELETE_TOKEN, id=token_id) == 1


async def is_open(db: Database, digest: bytes, now: Instant) -> bool:
    """Whether a token would let a client in."""
    return await db.one(_IS_OPEN, given=digest, now=now) is not None


async def any_open(db: Database, now: Instant) -> bool:
    """Whether some token would."""
    return await db.one(_ANY_OPEN, now=now) is not None


async def use_token(tx: Transaction, digest: bytes, now: Instant) -> Admission | None:
    """Count one use of a token; None where it lets no one in any more."""
    row = await tx.one(_USE_TOKEN, given=digest, now=now)
    if row is None:
        return None
    maker = await tx.one(_MAKER, name=row[3])
    return Admission(row[0], row[1], tuple(row[2].split()), "" if maker is None else maker[0])


async def purge_tokens(tx: Transaction, until: Instant, at_most: int) -> int:
    """Delete tokens that expired by then."""
    return await tx.run(_PURGE, until=until, at_most=at_most)


async def insert_registration(
    tx: Transaction, client_id: str, access_token_digest: bytes, token_id: str | None, now: Instant
) -> None:
    """Note that a client registered itself."""
    await tx.run(
        _INSERT,
        client_id=client_id,
        access_token_digest=access_token_digest,
        registration_token_id=token_id,
        created_at=now,
    )


async def client_of_token(reader: Database | Transaction, digest: bytes) -> str | None:
    """The id of the client whose registration access token this is."""
    row = await reader.one(_BY_TOKEN, digest=digest)
    return None if row is None else str(row[0])


async def is_registered(db: Database, client_id: str) -> bool:
    """Whether a client registered itself."""
    return await db.one(_OF_CLIENT, client_id=client_id) is not None


async def replace_access_token(tx: Transaction, client_id: str, old: bytes, new: bytes | None) -> bool:
    """Put a registration access token in place of the one before, or none; false where that is not the present one."""
    return await tx.run(_ROTATE, which=client_id, old=old, new=new) == 1


async def openly_registered(db: Database, at_most: int) -> int:
    """How many clients registered without a token, counted up to `at_most`."""
    row = await db.one(_OPENLY_REGISTERED, at_most=at_most)
    return 0 if row is None else int(row[0])
