"""The only SQL about identity providers of others."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import Text, and_, bindparam, cast, delete, insert, or_, select, update

from sealwright.access import PROVIDER_SOURCE
from sealwright.clock import Instant
from sealwright.db import Database, Row, Statement, Transaction, insert_once, upsert
from sealwright.db.schema import (
    group_role_mappings,
    oauth_claim_maps,
    oauth_clients,
    oidc_pre_login_sessions,
    oidc_providers,
    role_grants,
    sessions,
    upstream_accounts,
    upstream_logout_tokens,
    upstream_sessions,
)
from sealwright.identity.upstream.models import DowngradeRule, GroupMapping, UpstreamProvider

_p, _m, _w = oidc_providers.c, group_role_mappings.c, oidc_pre_login_sessions.c
_COLUMNS = (
    _p.id,
    _p.name,
    _p.issuer_url,
    _p.client_id,
    _p.sealed_secret,
    _p.groups_claim_path,
    _p.scopes,
    _p.downgrade_rule,
    _p.iat_window_seconds,
    _p.jwks_cache_ttl_seconds,
    _p.userinfo_groups,
    _p.allowed_email_domains,
    _p.enabled,
    _p.created_at,
    _p.updated_at,
)
_MAPPING_COLUMNS = (_m.id, _m.provider_id, _m.group_name, _m.role, _m.created_at)
_ALL = Statement(select(*_COLUMNS).order_by(_p.name))
_ONE = Statement(select(*_COLUMNS).where(_p.id == bindparam("id")))
_INSERT = insert_once(oidc_providers, returning=_p.id)
_CHANGED = ("name", "issuer_url", "client_id", "sealed_secret", "groups_claim_path", "scopes", "downgrade_rule")
_ALSO_CHANGED = ("iat_window_seconds", "jwks_cache_ttl_seconds", "userinfo_groups", "allowed_email_domains", "enabled")
_UPDATE = Statement(
    update(oidc_providers)
    .where(_p.id == bindparam("of_id"))
    .values({name: bindparam(name) for name in (*_CHANGED, *_ALSO_CHANGED, "updated_at")})
)
_NAMED = Statement(select(_p.id).where(_p.name == bindparam("name")))
_DELETE = Statement(delete(oidc_providers).where(_p.id == bindparam("id")).returning(_p.id))
_DELETE_GRANTS_FROM = Statement(delete(role_grants).where(role_grants.c.source == bindparam("source")))
_MAPPINGS = Statement(
    select(*_MAPPING_COLUMNS).where(_m.provider_id == bindparam("provider_id")).order_by(_m.group_name, _m.role)
)
_MAPPING = Statement(select(*_MAPPING_COLUMNS).where(_m.id == bindparam("id")))
_GIVING = Statement(
    select(_p.name, _m.group_name)
    .join(group_role_mappings, _p.id == _m.provider_id)
    .where(_m.role == bindparam("role"))
    .order_by(_p.name)
)
_SAME_MAPPING = Statement(
    select(_m.id).where(
        _m.provider_id == bindparam("provider_id"), _m.group_name == bindparam("group_name"), _m.role == bindparam("role")
    )
)
_WITH_CLAIM = Statement(
    select(oauth_claim_maps.c.group_id, oauth_claim_maps.c.claim)
    .join(oauth_clients, oauth_clients.c.id == oauth_claim_maps.c.client_id)
    .where(oauth_clients.c.name == bindparam("client_name"))
)
_ADD_MAPPING = Statement(insert(group_role_mappings))
_DELETE_MAPPING = Statement(delete(group_role_mappings).where(_m.id == bindparam("id")).returning(_m.id))
_WAIT = Statement(insert(oidc_pre_login_sessions))
_TAKE = Statement(
    delete(oidc_pre_login_sessions)
    .where(_w.state_digest == bindparam("state_digest"), _w.expires_at > bindparam("now"))
    .returning(_w.provider_id, _w.cookie_digest, _w.sealed)
)
_over = select(_w.state_digest).where(_w.expires_at <= bindparam("before")).order_by(_w.expires_at).limit(bindparam("at_most"))
_PURGE = Statement(delete(oidc_pre_login_sessions).where(_w.state_digest.in_(_over)))
_ACCOUNT = Statement(
    select(upstream_accounts.c.account_id).where(
        upstream_accounts.c.issuer_url == bindparam("issuer_url"), upstream_accounts.c.subject == bindparam("subject")
    )
)
_LINK = upsert(upstream_accounts, key=("issuer_url", "subject"), update=("groups", "last_sign_in_at"))
_ADD_SESSION = upsert(upstream_sessions, key=("session_id",), update=("provider_id", "upstream_sid"))
_live = and_(sessions.c.ended_at.is_(None), sessions.c.expires_at > bindparam("now"))
_LIVE_SESSIONS = Statement(
    select(sessions.c.id, sessions.c.account_id)
    .join(upstream_sessions, upstream_sessions.c.session_id == sessions.c.id)
    .where(upstream_sessions.c.provider_id == bindparam("provider_id"), _live)
)
_LIVE_BY_SID = Statement(
    select(sessions.c.id, sessions.c.account_id)
    .join(upstream_sessions, upstream_sessions.c.session_id == sessions.c.id)
    .where(
        upstream_sessions.c.provider_id == bindparam("provider_id"),
        _live,
        or_(cast(bindparam("sid"), Text) == "", upstream_sessions.c.upstream_sid == bindparam("sid")),
        or_(cast(bindparam("account_id"), Text) == "", sessions.c.account_id == bindparam("account_id")),
    )
    .order_by(sessions.c.account_id, sessions.c.id)
)
_USE_LOGOUT_TOKEN = insert_once(upstream_logout_tokens, returning=upstream_logout_tokens.c.digest)
_over_tokens = (
    select(upstream_logout_tokens.c.digest)
    .where(upstream_logout_tokens.c.kept_until <= bindparam("before"))
    .limit(bindparam("at_most"))
)
_PURGE_LOGOUT_TOKENS = Statement(delete(upstream_logout_tokens).where(upstream_logout_tokens.c.digest.in_(_over_tokens)))
_GRANTS_FROM = Statement(
    select(role_grants.c.id, role_grants.c.role).where(
        role_grants.c.account_id == bindparam("account_id"), role_grants.c.source == bindparam("source")
    )
)


def source_of(provider_id: str) -> str:
    """The source of the grants that a provider's groups give."""
    return PROVIDER_SOURCE + provider_id


async def all_providers(reader: Database | Transaction) -> list[UpstreamProvider]:
    """Every provider, by name."""
    return [_provider(row) for row in await reader.all(_ALL)]


async def find_provider(reader: Database | Transaction, provider_id: str) -> UpstreamProvider | None:
    """One provider."""
    row = await reader.one(_ONE, id=provider_id)
    return None if row is None else _provider(row)


async def sealed_secret(reader: Database | Transaction, provider_id: str) -> bytes | None:
    """The secret of this server at the provider, as it is stored."""
    row = await reader.one(_ONE, id=provider_id)
    return None if row is None else row[4]


async def id_of_name(reader: Database | Transaction, name: str) -> str | None:
    """Id of the provider of this name."""
    row = await reader.one(_NAMED, name=name)
    return None if row is None else row[0]


async def insert_provider(tx: Transaction, provider: UpstreamProvider, sealed: bytes | None) -> None:
    """Store a provider; its name must be free."""
    await tx.one(_INSERT, id=provider.id, created_at=provider.created_at, **_values(provider, sealed))


async def update_provider(tx: Transaction, provider: UpstreamProvider, sealed: bytes | None) -> None:
    """Store a changed provider."""
    await tx.run(_UPDATE, of_id=provider.id, **_values(provider, sealed))


async def delete_provider(tx: Transaction, provider_id: str) -> bool:
    """Remove a provider and its mappings."""
    return await tx.one(_DELETE, id=provider_id) is not None


async def groups_giving(reader: Database | Transaction, role: str) -> list[tuple[str, str]]:
    """Provider and group of the mappings that give a role."""
    return [(row[0], row[1]) for row in await reader.all(_GIVING, role=role)]


async def delete_grants_from(tx: Transaction, provider_id: str) -> None:
    """Remove the roles that the groups of a provider gave."""
    await tx.run(_DELETE_GRANTS_FROM, source=source_of(provider_id))


async def mappings_of(reader: Database | Transaction, provider_id: str) -> list[GroupMapping]:
    """The mappings of a provider, by group."""
    return [GroupMapping(*row) for row in await reader.all(_MAPPINGS, provider_id=provider_id)]


async def groups_with_claims(reader: Database | Transaction, client_name: str, claims: Collection[str]) -> list[str]:
    """Ids of the groups that give a value of one of these claims at a client of this server."""
    return sorted({row[0] for row in await reader.all(_WITH_CLAIM, client_name=client_name) if row[1] in claims})


async def find_mapping(reader: Database | Transaction, mapping_id: str) -> GroupMapping | None:
    """One mapping."""
    row = await reader.one(_MAPPING, id=mapping_id)
    return None if row is None else GroupMapping(*row)


async def mapping_exists(tx: Transaction, mapping: GroupMapping) -> bool:
    """Whether the group gives the role already."""
    values = {"provider_id": mapping.provider_id, "group_name": mapping.group_name, "role": mapping.role}
    return await tx.one(_SAME_MAPPING, **values) is not None


async def insert_mapping(tx: Transaction, mapping: GroupMapping) -> None:
    """Store a mapping."""
    await tx.run(_ADD_MAPPING, **msgspec.structs.asdict(mapping))


async def delete_mapping(tx: Transaction, mapping_id: str) -> bool:
    """Remove a mapping; false where it is gone."""
    return await tx.one(_DELETE_MAPPING, id=mapping_id) is not None


async def insert_waiting(
    tx: Transaction, *, state_digest: str, provider_id: str, cookie_digest: str, sealed: bytes, expires_at: Instant
) -> None:
    """Remember a sign-in that goes on at a provider."""
    await tx.run(
        _WAIT,
        state_digest=state_digest,
        provider_id=provider_id,
        cookie_digest=cookie_digest,
        sealed=sealed,
        expires_at=expires_at,
    )


async def take_waiting(tx: Transaction, state_digest: str, now: Instant) -> tuple[str, str, bytes] | None:
    """Consume one: provider, digest of the cookie, and what was sealed. None where there is none, or it came too late."""
    row = await tx.one(_TAKE, state_digest=state_digest, now=now)
    return None if row is None else (row[0], row[1], row[2])


async def purge_waiting(tx: Transaction, before: Instant, at_most: int) -> int:
    """Delete so many that came to no end before an instant; returns how many."""
    return await tx.run(_PURGE, before=before, at_most=at_most)


async def linked_account(reader: Database | Transaction, issuer_url: str, subject: str) -> str | None:
    """Id of the account that belongs to someone at a provider."""
    row = await reader.one(_ACCOUNT, issuer_url=issuer_url, subject=subject)
    return None if row is None else row[0]


async def link_account(
    tx: Transaction, *, issuer_url: str, subject: str, account_id: str, groups: Sequence[str], at: Instant
) -> None:
    """Link an account, and remember the groups that were named."""
    await tx.run(
        _LINK,
        issuer_url=issuer_url,
        subject=subject,
        account_id=account_id,
        groups=msgspec.json.encode(list(groups)).decode(),
        last_sign_in_at=at,
    )


async def insert_session(tx: Transaction, session_id: str, provider_id: str, upstream_sid: str) -> None:
    """Say with which provider a session began."""
    await tx.run(_ADD_SESSION, session_id=session_id, provider_id=provider_id, upstream_sid=upstream_sid)


async def live_sessions(reader: Database | Transaction, provider_id: str, now: Instant) -> list[tuple[str, str]]:
    """Session and account of those."""
    return [(row[0], row[1]) for row in await reader.all(_LIVE_SESSIONS, provider_id=provider_id, now=now)]


async def live_sessions_named(
    reader: Database | Transaction, provider_id: str, *, sid: str, account_id: str, now: Instant
) -> list[tuple[str, str]]:
    """Session and account of those that began with a provider; with `sid` of one session there, with `account_id` of a person."""
    rows = await reader.all(_LIVE_BY_SID, provider_id=provider_id, sid=sid, account_id=account_id, now=now)
    return [(row[0], row[1]) for row in rows]


async def use_logout_token(tx: Transaction, digest: bytes, kept_until: Instant) -> bool:
    """Remember that a logout token came; false where it came before."""
    return await tx.one(_USE_LOGOUT_TOKEN, digest=digest, kept_until=kept_until) is not None


async def purge_logout_tokens(tx: Transaction, before: Instant, at_most: int) -> int:
    """Forget so many logout tokens that were kept until an instant; returns how many."""
    return await tx.run(_PURGE_LOGOUT_TOKENS, before=before, at_most=at_most)


async def grants_from(reader: Database | Transaction, account_id: str, provider_id: str) -> dict[str, str]:
    """Role → id of the grant, of those that a provider's groups gave an account."""
    rows = await reader.all(_GRANTS_FROM, account_id=account_id, source=source_of(provider_id))
    return {row[1]: row[0] for row in rows}


def _values(provider: UpstreamProvider, sealed: bytes | None) -> dict[str, Any]:
    return {
        "name": provider.name,
        "issuer_url": provider.issuer_url,
        "client_id": provider.client_id,
        "sealed_secret": sealed,
        "groups_claim_path": provider.groups_claim_path,
        "scopes": msgspec.json.encode(provider.scopes).decode(),
        "downgrade_rule": str(provider.downgrade_rule),
        "iat_window_seconds": provider.iat_window_seconds,
        "jwks_cache_ttl_seconds": provider.jwks_cache_ttl_seconds,
        "userinfo_groups": int(provider.userinfo_groups),
        "allowed_email_domains": msgspec.json.encode(provider.allowed_email_domains).decode(),
        "enabled": int(provider.enabled),
        "updated_at": provider.updated_at,
    }


def _provider(row: Row) -> UpstreamProvider:
    return UpstreamProvider(
        id=row[0],
        name=row[1],
        issuer_url=row[2],
        client_id=row[3],
        has_secret=row[4] is not None,
        groups_claim_path=row[5],
        scopes=msgspec.json.decode(row[6], type=tuple[str, ...]),
        downgrade_rule=DowngradeRule(row[7]),
        iat_window_seconds=row[8],
        jwks_cache_ttl_seconds=row[9],
        userinfo_groups=bool(row[10]),
        allowed_email_domains=msgspec.json.decode(row[11], type=tuple[str, ...]),
        enabled=bool(row[12]),
        created_at=Instant(row[13]),
        updated_at=Instant(row[14]),
    )
