"""The only SQL about approvals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import asdict
from sqlalchemy import Text, bindparam, delete, insert, or_, select, update

from sealwright.access.approvals.models import (
    OPEN,
    ApprovalRequest,
    ApprovalRule,
    ApproverStatus,
    Recipient,
    RequestKind,
    RequestState,
    Vote,
    VoteDecision,
)
from sealwright.access.store import PERSON, groups_of_account, roles_of_account
from sealwright.clock import Instant
from sealwright.db import Database, Row, Statement, Transaction, insert_once, upsert
from sealwright.db.schema import (
    accounts,
    api_tokens,
    approval_requests,
    approval_rules,
    approval_votes,
    group_members,
    group_nestings,
    groups,
    mail_addresses,
    oauth_clients,
    oauth_credential_holders,
    oauth_trusted_issuer_editors,
    oauth_trusted_issuer_rules,
    oauth_trusted_issuers,
    provisioners,
    role_grants,
    upstream_accounts,
)

Reader = Database | Transaction
_r, _q, _v, _a = approval_rules.c, approval_requests.c, approval_votes.c, accounts.c
_RULE = ApprovalRule.__struct_fields__
_REQUEST = ApprovalRequest.__struct_fields__
_VOTE = Vote.__struct_fields__
_JSON = ("objects", "people", "content", "reasons")
_decode = msgspec.json.decode
_encode = msgspec.json.Encoder().encode

_GUARDED = Statement(select(_r.object))
_RULES = Statement(select(*(_r[name] for name in _RULE)).order_by(_r.object))
_SET_RULE = upsert(
    approval_rules,
    key=("object",),
    update=("votes", "group_id", "role", "expires_after", "renewals", "updated_at"),
)
_REMOVE_RULE = Statement(delete(approval_rules).where(_r.object == bindparam("of")).returning(_r.object))

_COLUMNS = [_q[name] for name in _REQUEST]
_INSERT = Statement(insert(approval_requests))
_BY_ID = Statement(select(*_COLUMNS).where(_q.id == bindparam("id")))
_MATCHING = Statement(select(*_COLUMNS).where(_q.match_digest == bindparam("digest")).order_by(_q.id.desc()).limit(1))
_is_open = or_(*(_q.state == str(each) for each in sorted(OPEN)))
_LOCK_OPEN = Statement(
    update(approval_requests)
    .where(_q.id == bindparam("of"), _is_open, _q.expires_at > bindparam("now"))
    .values(votes_cast=_q.votes_cast + 1)
    .returning(*_COLUMNS)
)
_SET_STATE = Statement(
    update(approval_requests)
    .where(_q.id == bindparam("of"), _is_open)
    .values(state=bindparam("to"), result=bindparam("with_result"), closed_at=bindparam("closed"))
    .returning(_q.id)
)
_CONSUME = Statement(
    update(approval_requests)
    .where(_q.id == bindparam("of"), _is_open, _q.expires_at > bindparam("now"))
    .values(state=str(RequestState.DONE), result=bindparam("with_result"), closed_at=bindparam("now"))
    .returning(_q.id)
)
_EXPIRE = Statement(
    update(approval_requests)
    .where(_is_open, _q.expires_at <= bindparam("now"))
    .values(state=str(RequestState.EXPIRED), closed_at=bindparam("now"))
    .returning(*_COLUMNS)
)
_page = select(*_COLUMNS).where(_q.id < bindparam("beyond")).order_by(_q.id.desc()).limit(bindparam("at_most"))
_NEWEST = Statement(_page)
_NEWEST_OF = Statement(_page.where(_q.requester_id == bindparam("requester_id")))
_NEWEST_OPEN = Statement(_page.where(_is_open, _q.expires_at > bindparam("now")))
_OPEN_OF = Statement(
    select(_q.id)
    .where(_q.requester_id == bindparam("requester_id"), _is_open, _q.expires_at > bindparam("now"))
    .limit(bindparam("at_most"))
)
_ASKED_SINCE = Statement(
    select(_q.id).where(_q.requester_id == bindparam("requester_id"), _q.id >= bindparam("first")).limit(bindparam("at_most"))
)
_INSERT_VOTE = insert_once(approval_votes, returning=_v.account_id)
_VOTES = Statement(select(*(_v[name] for name in _VOTE)).where(_v.request_id == bindparam("of")).order_by(_v.at, _v.account_id))

_ACCOUNT = Statement(
    select(_a.kind, _a.disabled_at, _a.valid_from, _a.valid_until, _a.managed_by).where(_a.id == bindparam("id"))
)
_GROUP = Statement(select(groups.c.name).where(groups.c.id == bindparam("id")))
_GROUP_CALLED = Statement(select(groups.c.id).where(or_(groups.c.id == bindparam("given"), groups.c.name == bindparam("given"))))
_top = select(bindparam("group_id", type_=Text).label("group_id")).cte("below", recursive=True)
_below = _top.union(select(group_nestings.c.member_group_id).join(_top, group_nestings.c.group_id == _top.c.group_id))
_members = select(group_members.c.account_id).where(group_members.c.group_id.in_(select(_below.c.group_id)))
_APPROVERS = Statement(select(_a.id).where(_a.id.in_(_members)).order_by(_a.id).limit(bindparam("at_most")))
_HOLDERS = Statement(
    select(role_grants.c.account_id, role_grants.c.group_id).where(
        role_grants.c.role == bindparam("role"),
        role_grants.c.scope_kind == "",
        or_(role_grants.c.expires_at.is_(None), role_grants.c.expires_at > bindparam("now")),
    )
)
_m = mail_addresses.c
_RECIPIENT = Statement(
    select(_a.id, _a.display_name, _m.address, _a.kind, _a.disabled_at, _a.valid_from, _a.valid_until, _a.managed_by)
    .select_from(accounts.join(mail_addresses, _m.account_id == _a.id))
    .where(_a.id == bindparam("id"), _m.verified_at.is_not(None))
    .order_by(_m.position)
    .limit(1)
)
_MANAGERS = Statement(select(_a.id).where(or_(_a.id == bindparam("group_id"), _a.id.in_(_members))))
_MAKERS_OF_TOKENS = Statement(select(api_tokens.c.created_by).where(api_tokens.c.account_id == bindparam("account_id")))
_i, _ir, _ie = oauth_trusted_issuers.c, oauth_trusted_issuer_rules.c, oauth_trusted_issuer_editors.c
_makers_of_rules = (
    select(_ir.created_by, _i.created_by, _ie.account_id)
    .join_from(oauth_trusted_issuer_rules, oauth_trusted_issuers, _i.id == _ir.issuer_id)
    .join(oauth_trusted_issuer_editors, _ie.issuer_id == _i.id, isouter=True)
)
_MAKERS_OF_RULES = Statement(_makers_of_rules.where(_ir.account_id == bindparam("account_id")))
_MAKER_OF_PROVISIONER = Statement(select(provisioners.c.created_by).where(provisioners.c.id == bindparam("id")))
_MAKER_OF_CLIENT = Statement(select(oauth_clients.c.created_by).where(oauth_clients.c.id == bindparam("id")))
_h = oauth_credential_holders.c
_HOLDERS_OF_CREDENTIALS = Statement(
    select(_h.account_id).where(_h.client_id == bindparam("id"), or_(_h.ends_at.is_(None), _h.ends_at > bindparam("now")))
)
_MAKERS_OF_CLIENT_RULES = Statement(_makers_of_rules.where(_ir.client_id == bindparam("client_id"), _ir.account_id.is_(None)))
_LINKED = Statement(
    select(upstream_accounts.c.account_id).where(
        upstream_accounts.c.issuer_url == bindparam("issuer_url"), upstream_accounts.c.subject == bindparam("subject")
    )
)
_SERVICE = "service"
MOST_APPROVERS = 200
LAST_ID = "g"
"""Greater than every id."""


async def guarded_objects(reader: Reader) -> frozenset[str]:
    """Everything that asks for approval."""
    return frozenset([row[0] for row in await reader.all(_GUARDED)])


async def all_rules(reader: Reader) -> list[ApprovalRule]:
    """Every rule, by object."""
    return [_rule(row) for row in await reader.all(_RULES)]


async def set_rule(tx: Transaction, rule: ApprovalRule, now: Instant) -> None:
    """Store a rule in place of the one before."""
    await tx.run(_SET_RULE, **{**asdict(rule), "renewals": int(rule.renewals), "updated_at": now})


async def remove_rule(tx: Transaction, guarded: str) -> bool:
    """Remove a rule; false where there was none."""
    return await tx.one(_REMOVE_RULE, of=guarded) is not None


async def insert_request(tx: Transaction, request: ApprovalRequest) -> None:
    """Store a request."""
    values = asdict(request)
    values |= {name: _encode(values[name]).decode() for name in _JSON}
    await tx.run(_INSERT, **{**values, "kind": str(request.kind), "state": str(request.state)})


async def find(reader: Reader, request_id: str) -> ApprovalRequest | None:
    """One request."""
    row = await reader.one(_BY_ID, id=request_id)
    return None if row is None else _request(row)


async def newest_matching(reader: Reader, digest: bytes) -> ApprovalRequest | None:
    """The last request for the same by the same requester."""
    row = await reader.one(_MATCHING, digest=digest)
    return None if row is None else _request(row)


async def lock_open(tx: Transaction, request_id: str, now: Instant) -> ApprovalRequest | None:
    """The request, if it is open, locked: another vote about it waits until the end of the transaction."""
    row = await tx.one(_LOCK_OPEN, of=request_id, now=now)
    return None if row is None else _request(row)


async def set_state(tx: Transaction, request_id: str, to: RequestState, now: Instant, result: str = "") -> bool:
    """Give an open request another state; false where it is not open any more."""
    closed = None if to in OPEN else now
    return await tx.one(_SET_STATE, of=request_id, to=str(to), closed=closed, with_result=result) is not None


async def consume(tx: Transaction, request_id: str, result: str, now: Instant) -> bool:
    """Consume an open request; false where it is not open any more."""
    return await tx.one(_CONSUME, of=request_id, with_result=result, now=now) is not None


async def expire_open(tx: Transaction, now: Instant) -> list[ApprovalRequest]:
    """Close what is open although its time is over; returns these requests."""
    return [_request(row) for row in await tx.all(_EXPIRE, now=now)]


async def newest(reader: Reader, *, beyond: str, at_most: int, requester_id: str | None = None) -> list[ApprovalRequest]:
    """Requests, newest first, after the id `beyond`; with `requester_id` those of this requester."""
    if requester_id is None:
        rows = await reader.all(_NEWEST, beyond=beyond or LAST_ID, at_most=at_most)
    else:
        rows = await reader.all(_NEWEST_OF, beyond=beyond or LAST_ID, at_most=at_most, requester_id=requester_id)
    return [_request(row) for row in rows]


async def newest_open(reader: Reader, *, beyond: str, at_most: int, now: Instant) -> list[ApprovalRequest]:
    """Open requests, newest first, after the id `beyond`."""
    return [_request(row) for row in await reader.all(_NEWEST_OPEN, beyond=beyond or LAST_ID, at_most=at_most, now=now)]


async def count_open(reader: Reader, requester_id: str, now: Instant, *, at_most: int) -> int:
    """How many open requests a requester has, counted up to `at_most`."""
    return len(await reader.all(_OPEN_OF, requester_id=requester_id, now=now, at_most=at_most))


def first_id_at(instant: Instant) -> str:
    """What the ids of requests of this instant begin with: no id of a later one comes before it."""
    return f"{instant:012x}"


async def asked_since(reader: Reader, requester_id: str, since: Instant, *, at_most: int) -> int:
    """How many requests a requester has made since, whatever became of them, counted up to `at_most`."""
    found = await reader.all(_ASKED_SINCE, requester_id=requester_id, first=first_id_at(since), at_most=at_most)
    return len(found)


async def insert_vote(tx: Transaction, vote: Vote) -> bool:
    """Store a vote; false where the person has voted before."""
    return await tx.one(_INSERT_VOTE, **{**asdict(vote), "decision": str(vote.decision)}) is not None


async def votes(reader: Reader, request_id: str) -> list[Vote]:
    """Votes in their order."""
    rows = [dict(zip(_VOTE, row, strict=True)) for row in await reader.all(_VOTES, of=request_id)]
    return [Vote(**{**row, "decision": VoteDecision(row["decision"])}) for row in rows]


async def approver_status(reader: Reader, account_id: str, now: Instant, *, session_id: str | None = None) -> ApproverStatus:
    """What an account is now, in a session or in any of its sessions. Only a person who may act is active.

    A built-in account is none: several people can open it, by its password or that for emergencies, and one of them twice.
    """
    row = await reader.one(_ACCOUNT, id=account_id)
    if row is None or row[0] != PERSON or not _may_act(row, now):
        return ApproverStatus(active=False)
    groups_held = frozenset(await groups_of_account(reader, account_id))
    roles = await roles_of_account(reader, account_id, now, session_id=session_id)
    return ApproverStatus(active=True, groups=groups_held, roles=roles)


def _may_act(row: Row, now: Instant) -> bool:
    _, disabled_at, valid_from, valid_until, _ = row
    return disabled_at is None and (valid_from is None or valid_from <= now) and (valid_until is None or now < valid_until)


async def is_active(reader: Reader, account_id: str, now: Instant) -> bool | None:
    """Whether an account of any kind may act; None where there is none of this id."""
    row = await reader.one(_ACCOUNT, id=account_id)
    return None if row is None else _may_act(row, now)


async def group_name(reader: Reader, group_id: str) -> str | None:
    """The name of a group; None where it does not exist."""
    row = await reader.one(_GROUP, id=group_id)
    return None if row is None else str(row[0])


async def group_called(reader: Reader, given: str) -> str | None:
    """The id of the group of this name or id."""
    row = await reader.one(_GROUP_CALLED, given=given)
    return None if row is None else str(row[0])


async def approvers_of(reader: Reader, rule: ApprovalRule, now: Instant) -> list[Recipient]:
    """Those of the people whom a rule asks that can be told by mail."""
    groups_asked = [rule.group_id] if rule.group_id is not None else []
    found: list[str] = []
    if rule.role is not None:
        for account_id, group_id in await reader.all(_HOLDERS, role=rule.role, now=now):
            if account_id is not None:
                found.append(account_id)
            else:
                groups_asked.append(group_id)
    for group_id in groups_asked:
        found += [row[0] for row in await reader.all(_APPROVERS, group_id=group_id, at_most=MOST_APPROVERS)]
    return await recipients(reader, list(dict.fromkeys(found))[:MOST_APPROVERS], now)


async def recipients(reader: Reader, account_ids: Sequence[str], now: Instant) -> list[Recipient]:
    """Those of these accounts that are people who may act and have a verified address."""
    rows = [await reader.one(_RECIPIENT, id=each) for each in account_ids]
    return [Recipient(*row[:3]) for row in rows if row is not None and row[3] == PERSON and _may_act(row[3:], now)]


async def people_behind(reader: Reader, actor_kind: str, actor_id: str, now: Instant) -> frozenset[str]:
    """Ids of the people who can act as an actor.

    A person themselves, under whatever identity they came; who manages a service account, is in the group that does, made one of
    its tokens, or lets tokens of a trusted issuer speak of it; who stored the provisioner whose key was used; who made a client,
    was shown or set its secret, or said how it authenticates. Where that was a service account, the people behind it.
    """
    if actor_kind == "person":
        return await _same_person(reader, actor_id)
    people: set[str] = set()
    seen: set[str] = set()
    waiting = {actor_id}
    while waiting:
        each = waiting.pop()
        seen.add(each)
        account = await reader.one(_ACCOUNT, id=each)
        if account is None or account[0] == _SERVICE:
            waiting |= await _who_can_act_as(reader, each, account, now) - seen
        if account is None or account[0] != _SERVICE:
            people.add(each)
    return frozenset(people)


async def _same_person(reader: Reader, person_id: str) -> frozenset[str]:
    issuer_url, separator, subject = person_id.rpartition("#")
    linked = await reader.all(_LINKED, issuer_url=issuer_url, subject=subject) if separator else []
    return frozenset({person_id, *(row[0] for row in linked)})


async def _who_can_act_as(reader: Reader, program_id: str, account: Row | None, now: Instant) -> set[str]:
    """Ids of those who can act as a service account, or as a provisioner or client, which has no account."""
    if account is None:
        makers = [await reader.one(_MAKER_OF_PROVISIONER, id=program_id), await reader.one(_MAKER_OF_CLIENT, id=program_id)]
        rules = await reader.all(_MAKERS_OF_CLIENT_RULES, client_id=program_id)
        holders = await reader.all(_HOLDERS_OF_CREDENTIALS, id=program_id, now=now)
        found = [each for row in (*makers, *rules, *holders) if row is not None for each in row]
    else:
        managers = await reader.all(_MANAGERS, group_id=account[4]) if account[4] is not None else []
        rows = [
            *managers,
            *await reader.all(_MAKERS_OF_TOKENS, account_id=program_id),
            *await reader.all(_MAKERS_OF_RULES, account_id=program_id),
        ]
        found = [each for row in rows for each in row]
    return {each for each in found if each}


def _rule(row: Row) -> ApprovalRule:
    values: dict[str, Any] = dict(zip(_RULE, row, strict=True))
    return ApprovalRule(**{**values, "renewals": bool(values["renewals"])})


def _request(row: Row) -> ApprovalRequest:
    values: dict[str, Any] = dict(zip(_REQUEST, row, strict=True))
    for name in _JSON:
        values[name] = _decode(values[name])
    for name in ("objects", "people", "reasons"):
        values[name] = tuple(values[name])
    return ApprovalRequest(**{**values, "kind": RequestKind(values["kind"]), "state": RequestState(values["state"])})
