"""The only SQL about credentials, sessions, and what comes before a session."""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec import Struct
from sqlalchemy import and_, bindparam, case, delete, exists, insert, literal, or_, select, union_all, update

from sealwright.clock import Instant
from sealwright.db import Database, Row, Statement, Transaction, insert_once, upsert
from sealwright.db.schema import (
    accounts,
    credentials,
    mail_addresses,
    one_time_links,
    pending_sign_ins,
    sessions,
    throttles,
)
from sealwright.identity.directory.store import ACCOUNT_COLUMNS, MAIL_COLUMNS, accounts_from
from sealwright.identity.models import Account, Credential, CredentialKind, LinkPurpose, OwnedSession, Session, SessionKind
from sealwright.identity.policy import AttemptCount

Reader = Database | Transaction

_p = bindparam

# --- credentials -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """A credential with its hash or sealed secret."""

    id: str
    account_id: str
    kind: CredentialKind
    label: str
    secret: bytes = field(repr=False)
    created_at: Instant
    last_step: int | None


_credential_columns = [credentials.c[name] for name in StoredSecret.__dataclass_fields__]
_CREDENTIALS_OF = Statement(
    select(*_credential_columns)
    .where(credentials.c.account_id == _p("account_id"))
    .order_by(credentials.c.kind, credentials.c.created_at, credentials.c.id)
)
_called = union_all(  # an OR of the two would be answered by reading every account
    select(accounts.c.id).where(accounts.c.name == _p("name")),
    select(mail_addresses.c.account_id).where(mail_addresses.c.address_folded == _p("mail")),
)
_PASSWORD_BY_NAME = Statement(
    select(accounts.c.id, credentials.c.id, credentials.c.secret)
    .outerjoin_from(
        accounts,
        credentials,
        and_(credentials.c.account_id == accounts.c.id, credentials.c.kind == str(CredentialKind.PASSWORD)),
    )
    .where(accounts.c.id.in_(_called))
    .order_by(case((accounts.c.name == _p("name"), 0), else_=1))
    .limit(1)
)
_HELD = Statement(select(credentials.c.id).where(credentials.c.id == _p("credential_id")))
_INSERT_CREDENTIAL = Statement(insert(credentials))
_REPLACE_SECRET = Statement(
    update(credentials)
    .where(credentials.c.id == _p("of"), credentials.c.secret == _p("known"))
    .values(secret=_p("new_secret"), foreign_hash=0)
)
_HAS_FOREIGN_HASHES = Statement(select(literal(1)).where(exists().where(credentials.c.foreign_hash == 1)))
_DELETE_CREDENTIALS = Statement(
    delete(credentials).where(credentials.c.account_id == _p("of"), credentials.c.kind == _p("which"))
)
_DELETE_CREDENTIAL = Statement(delete(credentials).where(credentials.c.id == _p("of")).returning(credentials.c.id))
_USE_STEP = Statement(
    update(credentials)
    .where(
        credentials.c.id == _p("of"),
        credentials.c.kind == _p("known_kind"),
        or_(credentials.c.last_step.is_(None), credentials.c.last_step < _p("step")),
    )
    .values(kind=str(CredentialKind.TOTP), last_step=_p("step"))
    .returning(credentials.c.id)
)


async def credentials_of(reader: Reader, account_id: str) -> list[StoredSecret]:
    """All credentials of an account."""
    rows = await reader.all(_CREDENTIALS_OF, account_id=account_id)
    return [StoredSecret(row[0], row[1], CredentialKind(row[2]), *row[3:]) for row in rows]


def without_secret(stored: StoredSecret) -> Credential:
    """The credential without its secret, as it may be shown."""
    return Credential(stored.id, stored.kind, stored.label, stored.created_at)


async def password_by_name(reader: Reader, *, name: str, mail: str) -> tuple[str, str | None, bytes | None] | None:
    """Account id, credential id and hash for a user name or an e-mail address, in one query whatever is found."""
    row = await reader.one(_PASSWORD_BY_NAME, name=name, mail=mail)
    return None if row is None else (row[0], row[1], row[2])


async def is_held(tx: Transaction, credential_id: str) -> bool:
    """Whether the credential that was checked before this transaction is still there. A new password is a new row."""
    return await tx.one(_HELD, credential_id=credential_id) is not None


async def insert_credential(tx: Transaction, new: StoredSecret) -> None:
    """Store a new credential."""
    values = {name: getattr(new, name) for name in StoredSecret.__dataclass_fields__}
    await tx.run(_INSERT_CREDENTIAL, **(values | {"kind": str(new.kind), "foreign_hash": 0}))


async def has_foreign_hashes(reader: Reader) -> bool:
    """Whether an account has a password that another server hashed, and that was not used here yet."""
    return await reader.one(_HAS_FOREIGN_HASHES) is not None


async def replace_secret(tx: Transaction, credential_id: str, *, known: bytes, new: bytes) -> None:
    """Store the same password with a new hash, unless it was changed meanwhile."""
    await tx.run(_REPLACE_SECRET, of=credential_id, known=known, new_secret=new)


async def delete_credentials(tx: Transaction, account_id: str, kind: CredentialKind) -> int:
    """Remove all credentials of one kind; returns how many."""
    return await tx.run(_DELETE_CREDENTIALS, of=account_id, which=str(kind))


async def delete_credential(tx: Transaction, credential_id: str) -> bool:
    """Remove one credential; False when it was gone."""
    return await tx.one(_DELETE_CREDENTIAL, of=credential_id) is not None


async def use_totp_step(tx: Transaction, credential_id: str, kind: CredentialKind, step: int) -> bool:
    """Use up a time step; False when it or a later one was used. What was unconfirmed counts from now on."""
    return await tx.one(_USE_STEP, of=credential_id, known_kind=str(kind), step=step) is not None


# --- sessions --------------------------------------------------------------------------------------------------------

_SESSION_COLUMNS = Session.__struct_fields__
_session_columns = [sessions.c[name] for name in _SESSION_COLUMNS]
_with_account = (
    select(*_session_columns, *ACCOUNT_COLUMNS, *MAIL_COLUMNS)
    .join_from(sessions, accounts, accounts.c.id == sessions.c.account_id)
    .outerjoin(mail_addresses, mail_addresses.c.account_id == accounts.c.id)
    .order_by(mail_addresses.c.position)
)
_SESSION_BY_DIGEST = Statement(_with_account.where(sessions.c.digest == _p("digest")))
_SESSION_WITH_ACCOUNT = Statement(_with_account.where(sessions.c.id == _p("session_id")))
_SESSION = Statement(select(*_session_columns).where(sessions.c.id == _p("session_id")))
_LIVE_SESSIONS = Statement(
    select(*_session_columns)
    .where(sessions.c.account_id == _p("account_id"), sessions.c.ended_at.is_(None), sessions.c.expires_at > _p("now"))
    .order_by(sessions.c.authenticated_at.desc(), sessions.c.id)
)
_LIVE_PAGE = Statement(
    select(*_session_columns, accounts.c.name.label("owner"))
    .join_from(sessions, accounts, accounts.c.id == sessions.c.account_id)
    .where(sessions.c.id > _p("beyond"), sessions.c.ended_at.is_(None), sessions.c.expires_at > _p("now"))
    .order_by(sessions.c.id)
    .limit(_p("at_most"))
)
_INSERT_SESSION = Statement(insert(sessions))
_CONTINUE_SESSION = Statement(
    update(sessions)
    .where(sessions.c.digest == _p("held"), sessions.c.ended_at.is_(None))
    .values(
        digest=_p("new_digest"),
        methods=_p("new_methods"),
        address=_p("new_address"),
        user_agent=_p("new_user_agent"),
        authenticated_at=_p("proven_at"),
        last_seen_at=_p("now"),
        expires_at=_p("until"),
        restricted=_p("now_restricted"),
    )
    .returning(sessions.c.id)
)
_TOUCH = Statement(
    update(sessions).where(sessions.c.id == _p("of"), sessions.c.last_seen_at < _p("seen")).values(last_seen_at=_p("seen"))
)
_end = update(sessions).values(ended_at=_p("now"), end_reason=_p("why"))
_END_SESSION = Statement(_end.where(sessions.c.id == _p("of"), sessions.c.ended_at.is_(None)).returning(sessions.c.id))
_REVOKE_SESSION = Statement(update(sessions).where(sessions.c.id == _p("of")).values(revoked_at=_p("now")))
_REVOKE_ALL = Statement(
    update(sessions).where(sessions.c.account_id == _p("of"), sessions.c.id != _p("but")).values(revoked_at=_p("now"))
)
_END_ALL = Statement(
    _end.where(
        sessions.c.account_id == _p("of"),
        sessions.c.id != _p("but"),
        sessions.c.ended_at.is_(None),
        sessions.c.expires_at > _p("now"),
    ).returning(sessions.c.id)
)


def _session(row: Row) -> Session:
    rest = (*row[4:12], bool(row[12]))
    return Session(row[0], row[1], SessionKind(row[2]), tuple(row[3].split()), *rest)


async def session_by_digest(reader: Reader, digest: bytes) -> tuple[Session, Account] | None:
    """The session and its account, whatever their state, in one query."""
    return _session_and_account(await reader.all(_SESSION_BY_DIGEST, digest=digest))


async def session_with_account(reader: Reader, session_id: str) -> tuple[Session, Account] | None:
    """The same for the session with this id."""
    return _session_and_account(await reader.all(_SESSION_WITH_ACCOUNT, session_id=session_id))


def _session_and_account(rows: list[Row]) -> tuple[Session, Account] | None:
    width = len(_SESSION_COLUMNS)
    return (_session(rows[0][:width]), accounts_from(row[width:] for row in rows)[0]) if rows else None


async def session(reader: Reader, session_id: str) -> Session | None:
    """The session with this id, whatever its state."""
    row = await reader.one(_SESSION, session_id=session_id)
    return None if row is None else _session(row)


async def live_sessions(reader: Reader, account_id: str, now: Instant) -> list[Session]:
    """Sessions that were not ended and are not past their longest duration, the latest sign-in first."""
    return [_session(row) for row in await reader.all(_LIVE_SESSIONS, account_id=account_id, now=now)]


async def live_sessions_page(reader: Reader, now: Instant, *, beyond: str, at_most: int) -> list[OwnedSession]:
    """Sessions of everyone that were not ended and are not past their longest duration, by id."""
    width = len(_SESSION_COLUMNS)
    rows = await reader.all(_LIVE_PAGE, now=now, beyond=beyond, at_most=at_most)
    return [OwnedSession(_session(row[:width]), str(row[width])) for row in rows]


async def insert_session(tx: Transaction, new: Session, digest: bytes) -> None:
    """Store a new session."""
    values = {name: getattr(new, name) for name in _SESSION_COLUMNS}
    values |= {"kind": str(new.kind), "methods": " ".join(new.methods), "digest": digest, "end_reason": None}
    values["restricted"] = int(new.restricted)
    await tx.run(_INSERT_SESSION, **values)


async def continue_session(tx: Transaction, proven: Session, digest: bytes, *, held: bytes) -> bool:
    """Give a session what was proven anew, and another token; False when its token was not `held` any more, or it had ended."""
    row = await tx.one(
        _CONTINUE_SESSION,
        held=held,
        new_digest=digest,
        new_methods=" ".join(proven.methods),
        new_address=proven.address,
        new_user_agent=proven.user_agent,
        proven_at=proven.authenticated_at,
        now=proven.last_seen_at,
        until=proven.expires_at,
        now_restricted=int(proven.restricted),
    )
    return row is not None


async def touch_session(tx: Transaction, session_id: str, now: Instant) -> None:
    """Note that the session was used."""
    await tx.run(_TOUCH, of=session_id, seen=now)


async def end_session(tx: Transaction, session_id: str, reason: str, now: Instant) -> bool:
    """End one session; False when it had ended."""
    return await tx.one(_END_SESSION, of=session_id, why=reason, now=now) is not None


async def revoke_session(tx: Transaction, session_id: str, now: Instant) -> None:
    """End what was made in a session so far and may outlive its sign-out, too."""
    await tx.run(_REVOKE_SESSION, of=session_id, now=now)


async def end_sessions(tx: Transaction, account_id: str, reason: str, now: Instant, *, but: str = "") -> list[str]:
    """End every session of an account, except `but`, and what may outlive them; returns the ids of those that ended."""
    await tx.run(_REVOKE_ALL, of=account_id, now=now, but=but)
    return [row[0] for row in await tx.all(_END_ALL, of=account_id, why=reason, now=now, but=but)]


# --- what waits for a code -------------------------------------------------------------------------------------------


class PendingSignIn(Struct, frozen=True):
    """A sign-in with a right password that waits for its second factor."""

    account_id: str
    kind: SessionKind
    methods: tuple[str, ...]
    continue_to: str
    created_at: Instant
    expires_at: Instant


_pending_columns = [pending_sign_ins.c[name] for name in PendingSignIn.__struct_fields__]
_INSERT_PENDING = Statement(insert(pending_sign_ins))
_PENDING = Statement(
    select(*_pending_columns).where(
        pending_sign_ins.c.digest == _p("digest"),
        pending_sign_ins.c.consumed_at.is_(None),
        pending_sign_ins.c.expires_at > _p("now"),
    )
)
_CONSUME_PENDING = Statement(
    update(pending_sign_ins)
    .where(
        pending_sign_ins.c.digest == _p("of"),
        pending_sign_ins.c.consumed_at.is_(None),
        pending_sign_ins.c.expires_at > _p("now"),
    )
    .values(consumed_at=_p("now"))
    .returning(pending_sign_ins.c.account_id)
)
_DELETE_PENDING_OF = Statement(delete(pending_sign_ins).where(pending_sign_ins.c.account_id == _p("of")))


async def insert_pending(tx: Transaction, new: PendingSignIn, digest: bytes) -> None:
    """Store a sign-in that waits for its second factor."""
    await tx.run(
        _INSERT_PENDING,
        digest=digest,
        account_id=new.account_id,
        kind=str(new.kind),
        methods=" ".join(new.methods),
        continue_to=new.continue_to,
        created_at=new.created_at,
        expires_at=new.expires_at,
        consumed_at=None,
    )


async def pending(reader: Reader, digest: bytes, now: Instant) -> PendingSignIn | None:
    """The sign-in that waits under this digest."""
    row = await reader.one(_PENDING, digest=digest, now=now)
    return None if row is None else PendingSignIn(row[0], SessionKind(row[1]), tuple(row[2].split()), *row[3:])


async def consume_pending(tx: Transaction, digest: bytes, now: Instant) -> bool:
    """Mark it as used; False if it was used or expired already."""
    return await tx.one(_CONSUME_PENDING, of=digest, now=now) is not None


async def delete_pending_of(tx: Transaction, account_id: str) -> None:
    """Forget what waits for this account."""
    await tx.run(_DELETE_PENDING_OF, of=account_id)


# --- one-time links --------------------------------------------------------------------------------------------------

_links = one_time_links.c
_INSERT_LINK = Statement(insert(one_time_links))
_LINK = Statement(
    select(_links.account_id, _links.expires_at, _links.end_certificates, _links.created_by).where(
        _links.digest == _p("digest"),
        _links.purpose == _p("purpose"),
        _links.consumed_at.is_(None),
        _links.expires_at > _p("now"),
    )
)
_CONSUME_LINK = Statement(
    update(one_time_links)
    .where(
        _links.digest == _p("of"),
        _links.purpose == _p("why"),
        _links.consumed_at.is_(None),
        _links.expires_at > _p("now"),
    )
    .values(consumed_at=_p("now"))
    .returning(_links.digest)
)
_unused_for = _links.purpose == _p("why"), _links.consumed_at.is_(None)
_DELETE_LINKS_OF = Statement(delete(one_time_links).where(_links.account_id == _p("of"), *_unused_for))
_DELETE_LINKS_OF_NO_ONE = Statement(delete(one_time_links).where(_links.account_id.is_(None), *_unused_for))
_WHEN_OVER = Statement(select(_links.consumed_at, _links.expires_at).where(_links.digest == _p("digest")))


class StoredLink(Struct, frozen=True):
    """A link that is neither used nor expired."""

    account_id: str | None
    """Whom it belongs to; None where it makes an account."""
    expires_at: Instant
    end_certificates: bool
    created_by: str | None
    """Account that created it; empty for the server itself, None if unknown."""


async def insert_link(
    tx: Transaction,
    digest: bytes,
    purpose: LinkPurpose,
    account_id: str | None,
    now: Instant,
    expires_at: Instant,
    *,
    created_by: str,
    end_certificates: bool = False,
) -> None:
    """Store a link; `account_id` is whom it belongs to, or None where it makes an account."""
    await tx.run(
        _INSERT_LINK,
        digest=digest,
        purpose=str(purpose),
        account_id=account_id,
        created_at=now,
        expires_at=expires_at,
        consumed_at=None,
        end_certificates=int(end_certificates),
        created_by=created_by,
    )


async def link(reader: Reader, digest: bytes, purpose: LinkPurpose, now: Instant) -> StoredLink | None:
    """The link, or None if it was used, expired or never existed."""
    row = await reader.one(_LINK, digest=digest, purpose=str(purpose), now=now)
    return None if row is None else StoredLink(row[0], row[1], bool(row[2]), row[3])


async def consume_link(tx: Transaction, digest: bytes, purpose: LinkPurpose, now: Instant) -> bool:
    """Mark it as used; False if it was used or expired already."""
    return await tx.one(_CONSUME_LINK, of=digest, why=str(purpose), now=now) is not None


async def used_or_expired(reader: Reader, digest: bytes) -> tuple[Instant | None, Instant] | None:
    """When a link that does not hold was used, and when it expires; None where it is not known, or not any more."""
    row = await reader.one(_WHEN_OVER, digest=digest)
    return None if row is None else (row[0], row[1])


async def delete_links(tx: Transaction, purpose: LinkPurpose, account_id: str | None) -> None:
    """Forget the links of one purpose and account that were not used."""
    if account_id is None:
        await tx.run(_DELETE_LINKS_OF_NO_ONE, why=str(purpose))
    else:
        await tx.run(_DELETE_LINKS_OF, why=str(purpose), of=account_id)


# --- throttles -------------------------------------------------------------------------------------------------------

_attempt_columns = [throttles.c.failures, throttles.c.counted_since, throttles.c.blocked_until]
_ATTEMPTS = Statement(select(*_attempt_columns).where(throttles.c.key == _p("key")))
_ATTEMPTS_LOCKED = Statement(select(*_attempt_columns).where(throttles.c.key == _p("key")).with_for_update())
_ENSURE_ATTEMPTS = insert_once(throttles, returning=throttles.c.key)
_SET_ATTEMPTS = upsert(throttles, key=["key"], update=["failures", "counted_since", "blocked_until"])
_DECREMENT_ATTEMPTS = Statement(
    update(throttles)
    .where(throttles.c.key == _p("of"), throttles.c.failures > 0)
    .values(
        failures=throttles.c.failures - 1,
        blocked_until=case((throttles.c.blocked_until == _p("until"), 0), else_=throttles.c.blocked_until),
    )
)
_DELETE_ATTEMPTS = Statement(delete(throttles).where(throttles.c.key == _p("of")))


async def attempts(reader: Reader, key: bytes) -> AttemptCount | None:
    """What is counted under this key."""
    row = await reader.one(_ATTEMPTS, key=key)
    return None if row is None else AttemptCount(*row)


async def lock_attempts(tx: Transaction, key: bytes, now: Instant) -> AttemptCount | None:
    """The same with a row lock: other transactions on this key wait for this one."""
    if await tx.one(_ENSURE_ATTEMPTS, key=key, failures=0, counted_since=now, blocked_until=0) is not None:
        return None
    row = await tx.one(_ATTEMPTS_LOCKED, key=key)
    return None if row is None else AttemptCount(*row)


async def set_attempts(tx: Transaction, key: bytes, new: AttemptCount) -> None:
    """Store a count."""
    await tx.run(
        _SET_ATTEMPTS,
        key=key,
        failures=new.failures,
        counted_since=new.counted_since,
        blocked_until=new.blocked_until,
    )


async def decrement_attempts(tx: Transaction, key: bytes, blocked_until: Instant) -> None:
    """Count one less, and end the wait that this attempt began."""
    await tx.run(_DECREMENT_ATTEMPTS, of=key, until=blocked_until)


async def delete_attempts(tx: Transaction, key: bytes) -> None:
    """Count from zero again."""
    await tx.run(_DELETE_ATTEMPTS, of=key)
