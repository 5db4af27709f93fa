"""The only SQL about accounts and groups."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Select, Text, and_, bindparam, delete, exists, insert, literal_column, or_, select, update

from sealwright.access import ALL_ACCOUNTS, ALL_PERSONS, joined_groups
from sealwright.clock import Instant
from sealwright.db import Database, Row, Statement, Transaction, insert_once
from sealwright.db.schema import (
    accounts,
    api_tokens,
    credentials,
    group_members,
    group_nestings,
    groups,
    mail_addresses,
    oidc_providers,
    upstream_accounts,
)
from sealwright.identity.models import Account, AccountKind, AccountStatus, CredentialKind, Group, MailAddress, account_status
from sealwright.identity.name_search import store as words
from sealwright.identity.name_search import terms_of
from sealwright.identity.policy import fold_mail

Reader = Database | Transaction

_p = bindparam

# --- accounts --------------------------------------------------------------------------------------------------------

_ACCOUNT_FIELDS = (
    "id",
    "kind",
    "name",
    "display_name",
    "valid_from",
    "valid_until",
    "disabled_at",
    "created_at",
    "updated_at",
    "managed_by",
)
MAIL_COLUMNS = (mail_addresses.c.address, mail_addresses.c.verified_at)
ACCOUNT_COLUMNS = tuple(accounts.c[name] for name in _ACCOUNT_FIELDS)


def _with_mails(chosen: Select[Any]) -> Statement:
    """Each chosen account once for each of its addresses, or once where it has none."""
    a = chosen.subquery("chosen")
    return Statement(
        select(*(a.c[name] for name in _ACCOUNT_FIELDS), *MAIL_COLUMNS)
        .outerjoin_from(a, mail_addresses, mail_addresses.c.account_id == a.c.id)
        .order_by(a.c.name, mail_addresses.c.position)
    )


_BY_ID = _with_mails(select(*ACCOUNT_COLUMNS).where(accounts.c.id == _p("account_id")))
_BY_NAME_OR_ID = _with_mails(select(*ACCOUNT_COLUMNS).where(or_(accounts.c.id == _p("who"), accounts.c.name == _p("who"))))
_DATES = Statement(
    select(accounts.c.disabled_at, accounts.c.valid_from, accounts.c.valid_until, accounts.c.credential_generation).where(
        accounts.c.id == _p("account_id")
    )
)
_PAGE = _with_mails(
    select(*ACCOUNT_COLUMNS)
    .where(accounts.c.kind == _p("kind"), accounts.c.name > _p("beyond"))
    .order_by(accounts.c.name)
    .limit(_p("at_most"))
)
_ACCOUNTS_IN = _with_mails(
    select(*ACCOUNT_COLUMNS)
    .join(group_members, group_members.c.account_id == accounts.c.id)
    .where(group_members.c.group_id == _p("group_id"))
)
_MEMBERS_PAGE = _with_mails(
    select(*ACCOUNT_COLUMNS)
    .join(group_members, group_members.c.account_id == accounts.c.id)
    .where(group_members.c.group_id == _p("group_id"), group_members.c.account_id > _p("beyond"))
    .order_by(group_members.c.account_id)
    .limit(_p("at_most"))
)
_MEMBERS_OF_DYNAMIC_GROUP = {
    ALL_PERSONS: _with_mails(select(*ACCOUNT_COLUMNS).where(accounts.c.kind == str(AccountKind.PERSON))),
    ALL_ACCOUNTS: _with_mails(select(*ACCOUNT_COLUMNS)),
}
_LOCK_ACCOUNT = Statement(
    select(accounts.c.id).where(accounts.c.id == _p("account_id")).with_for_update(key_share=True)  # no wait for foreign keys
)
_INSERT_ACCOUNT = Statement(insert(accounts))
_ENSURE_ACCOUNT = insert_once(accounts, returning=accounts.c.id)
_SET_DISPLAY_NAME = Statement(
    update(accounts).where(accounts.c.id == _p("of")).values(display_name=_p("new_name"), updated_at=_p("at"))
)
_SET_NAME = Statement(update(accounts).where(accounts.c.id == _p("of")).values(name=_p("new_name"), updated_at=_p("at")))
_SET_ACCOUNT_MANAGER = Statement(
    update(accounts).where(accounts.c.id == _p("of")).values(managed_by=_p("new_manager"), updated_at=_p("at"))
)
_SET_VALIDITY = Statement(
    update(accounts)
    .where(accounts.c.id == _p("of"))
    .values(valid_from=_p("new_from"), valid_until=_p("new_until"), updated_at=_p("at"))
)
_SET_DISABLED = Statement(
    update(accounts).where(accounts.c.id == _p("of")).values(disabled_at=_p("new_disabled_at"), updated_at=_p("at"))
)
_NEXT_GENERATION = Statement(
    update(accounts).where(accounts.c.id == _p("of")).values(credential_generation=accounts.c.credential_generation + 1)
)
_SET_GENERATION = Statement(update(accounts).where(accounts.c.id == _p("of")).values(credential_generation=_p("generation")))
_DELETE_ACCOUNT = Statement(delete(accounts).where(accounts.c.id == _p("of")))
_MAIL_OWNER = Statement(select(mail_addresses.c.account_id).where(mail_addresses.c.address_folded == _p("folded")))
_DELETE_MAILS = Statement(delete(mail_addresses).where(mail_addresses.c.account_id == _p("of")))
_INSERT_MAIL = Statement(insert(mail_addresses))
_CAN_SIGN_IN = Statement(
    select(accounts.c.id).where(
        accounts.c.id == _p("account_id"),
        accounts.c.disabled_at.is_(None),
        or_(accounts.c.valid_from.is_(None), accounts.c.valid_from <= _p("now")),
        or_(accounts.c.valid_until.is_(None), accounts.c.valid_until > _p("now")),
        or_(
            exists().where(and_(credentials.c.account_id == accounts.c.id, credentials.c.kind == str(CredentialKind.PASSWORD))),
            exists().where(
                upstream_accounts.c.account_id == accounts.c.id,
                upstream_accounts.c.issuer_url == oidc_providers.c.issuer_url,
                oidc_providers.c.enabled == 1,
            ),
            exists().where(
                api_tokens.c.account_id == accounts.c.id,
                api_tokens.c.read_only == 0,
                or_(api_tokens.c.expires_at.is_(None), api_tokens.c.expires_at > _p("now")),
            ),
        ),
    )
)
"""By a password, with an identity provider, or as a program with an API token that may change things."""


def accounts_from(rows: Iterable[Row]) -> list[Account]:
    """Accounts from rows of `ACCOUNT_COLUMNS` and `MAIL_COLUMNS`, one row for each address."""
    found: dict[str, tuple[Row, list[MailAddress]]] = {}
    for row in rows:
        _, mails = found.setdefault(row[0], (row, []))
        if row[10] is not None:
            mails.append(MailAddress(row[10], verified=row[11] is not None))
    return [_account(row, mails) for row, mails in found.values()]


def _account(row: Row, mails: list[MailAddress]) -> Account:
    return Account(row[0], AccountKind(row[1]), row[2], row[3], tuple(mails), *row[4:10])


async def account(reader: Reader, account_id: str) -> Account | None:
    """The account with this id."""
    found = accounts_from(await reader.all(_BY_ID, account_id=account_id))
    return found[0] if found else None


async def status_of(reader: Reader, account_id: str, now: Instant) -> AccountStatus | None:
    """Whether the account may act at `now`; None where there is no such account."""
    row = await reader.one(_DATES, account_id=account_id)
    return None if row is None else replace(account_status(row[0], row[1], row[2], now), credential_generation=row[3])


async def begin_credential_generation(tx: Transaction, account_id: str) -> None:
    """From now on no certificate of before is renewed."""
    await tx.run(_NEXT_GENERATION, of=account_id)


async def set_credential_generation(tx: Transaction, account_id: str, generation: int) -> None:
    """Of a revived account: no certificate of an older one is renewed."""
    await tx.run(_SET_GENERATION, of=account_id, generation=generation)


async def find_account(reader: Reader, name_or_id: str) -> Account | None:
    """The account with this name or id. A name never looks like an id."""
    found = accounts_from(await reader.all(_BY_NAME_OR_ID, who=name_or_id))
    return found[0] if found else None


async def accounts_page(reader: Reader, kind: AccountKind, *, search: str, beyond: str, at_most: int) -> list[Account]:
    """Accounts by name, after the name `beyond`; with `search`, those of which each term begins a word."""
    asked = {"kind": str(kind), "beyond": beyond, "at_most": at_most}
    if not search:
        return accounts_from(await reader.all(_PAGE, **asked))
    terms = terms_of(search)
    if not terms:
        return []
    terms, narrow = await words.fewest_first(reader, str(kind), terms)
    return accounts_from(await reader.all(_accounts_called(len(terms), narrow), **asked, **words.given(terms)))


@cache
def _accounts_called(terms: int, narrow: int) -> Statement:
    """With `narrow` 0, very many fit each term, and accounts are looked through by name."""
    names = words.accounts_called(terms, narrow) if narrow else words.accounts_in_order(terms)
    return _with_mails(select(*ACCOUNT_COLUMNS).where(accounts.c.name.in_(names)))


async def accounts_in(reader: Reader, group_id: str) -> list[Account]:
    """Direct members of a group."""
    if group_id in _MEMBERS_OF_DYNAMIC_GROUP:
        return accounts_from(await reader.all(_MEMBERS_OF_DYNAMIC_GROUP[group_id]))
    return accounts_from(await reader.all(_ACCOUNTS_IN, group_id=group_id))


async def members_page(reader: Reader, group_id: str, *, beyond: str, at_most: int) -> list[Account]:
    """Direct members of a group, after the account id `beyond`; those of a page by name."""
    return accounts_from(await reader.all(_MEMBERS_PAGE, group_id=group_id, beyond=beyond, at_most=at_most))


async def lock_account(tx: Transaction, account_id: str) -> None:
    """Lock the account and its credentials until this transaction ends."""
    await tx.one(_LOCK_ACCOUNT, account_id=account_id)


def account_values(new: Account) -> dict[str, Any]:
    """The row of a new account."""
    return {name: getattr(new, name) for name in _ACCOUNT_FIELDS} | {"kind": str(new.kind), "credential_generation": 0}


async def insert_account(tx: Transaction, new: Account) -> None:
    """Store a new account with its addresses."""
    await tx.run(_INSERT_ACCOUNT, **account_values(new))
    await replace_mails(tx, new.id, new.mails, new.created_at)  # which stores its words, too


async def ensure_account(tx: Transaction, new: Account) -> bool:
    """Store an account unless it is there; True when it is new."""
    return await tx.one(_ENSURE_ACCOUNT, **account_values(new)) is not None


async def replace_mails(tx: Transaction, account_id: str, mails: Iterable[MailAddress], at: Instant) -> None:
    """Set the addresses of an account; the first is the primary one."""
    await tx.run(_DELETE_MAILS, of=account_id)
    await tx.run_many(_INSERT_MAIL, mail_values(account_id, mails, at))
    await _set_words(tx, account_id)


async def _set_words(tx: Transaction, account_id: str) -> None:
    changed = await account(tx, account_id)
    if changed is not None:
        await words.set_account_words(tx, changed)


def mail_values(account_id: str, mails: Iterable[MailAddress], at: Instant) -> list[dict[str, Any]]:
    """The rows of the addresses of an account."""
    return [
        {
            "account_id": account_id,
            "position": position,
            "address": mail.address,
            "address_folded": fold_mail(mail.address),
            "verified_at": at if mail.verified else None,
        }
        for position, mail in enumerate(mails)
    ]


async def owner_of_mail(reader: Reader, address: str) -> str | None:
    """The id of the account that has this address."""
    row = await reader.one(_MAIL_OWNER, folded=fold_mail(address))
    return None if row is None else str(row[0])


async def set_display_name(tx: Transaction, account_id: str, text: str, at: Instant) -> None:
    """Change what people read."""
    await tx.run(_SET_DISPLAY_NAME, of=account_id, new_name=text, at=at)
    await _set_words(tx, account_id)


async def set_name(tx: Transaction, account_id: str, name: str, at: Instant) -> None:
    """Change the name of an account; the caller holds the directory's lock and knows that it is free."""
    await tx.run(_SET_NAME, of=account_id, new_name=name, at=at)
    await _set_words(tx, account_id)


async def set_account_manager(tx: Transaction, account_id: str, manager: str | None, at: Instant) -> None:
    """Change who may make the API tokens of a service account."""
    await tx.run(_SET_ACCOUNT_MANAGER, of=account_id, new_manager=manager, at=at)


async def set_validity(
    tx: Transaction, account_id: str, valid_from: Instant | None, valid_until: Instant | None, at: Instant
) -> None:
    """Change the window in which the account may be used."""
    await tx.run(_SET_VALIDITY, of=account_id, new_from=valid_from, new_until=valid_until, at=at)


async def set_disabled(tx: Transaction, account_id: str, disabled_at: Instant | None, at: Instant) -> None:
    """Disable, or with None enable."""
    await tx.run(_SET_DISABLED, of=account_id, new_disabled_at=disabled_at, at=at)


async def delete_account(tx: Transaction, account_id: str) -> None:
    """Remove an account and everything that belongs to it alone."""
    await tx.run(_DELETE_ACCOUNT, of=account_id)


async def any_can_sign_in(reader: Reader, account_ids: Iterable[str], now: Instant) -> bool:
    """Whether one of the accounts can sign in now."""
    for account_id in account_ids:
        if await reader.one(_CAN_SIGN_IN, account_id=account_id, now=now) is not None:
            return True
    return False


# --- groups ----------------------------------------------------------------------------------------------------------

_group_columns = [
    groups.c.id,
    groups.c.name,
    groups.c.description,
    groups.c.builtin,
    groups.c.created_at,
    groups.c.managed_by,
]
_GROUP = Statement(select(*_group_columns).where(or_(groups.c.id == _p("who"), groups.c.name == _p("who"))))
_from_there = select(*_group_columns).where(groups.c.name > _p("beyond")).order_by(groups.c.name).limit(_p("at_most"))
_GROUPS = Statement(_from_there)
_GROUPS_IN = Statement(
    select(*_group_columns)
    .join(group_nestings, group_nestings.c.member_group_id == groups.c.id)
    .where(group_nestings.c.group_id == _p("group_id"))
    .order_by(groups.c.name)
)
_joined = joined_groups()
_direct = select(_joined.c.group_id).cte("held", recursive=True)
_held = _direct.union(select(group_nestings.c.group_id).join(_direct, group_nestings.c.member_group_id == _direct.c.group_id))
# In no order: SQLite would go through all groups by name to be spared sorting these few.
_GROUPS_OF = Statement(select(*_group_columns).where(groups.c.id.in_(select(_held.c.group_id))))
_managers = select(_held.c.group_id).union_all(select(_p("account_id", type_=Text)))
_MANAGED = Statement(
    select(groups.c.name, literal_column("'group'").label("kind"))
    .where(groups.c.managed_by.in_(_managers))
    .union_all(select(accounts.c.name, accounts.c.kind).where(accounts.c.managed_by.in_(_managers)))
    .limit(_p("at_most"))
)
_parents = (
    select(group_nestings.c.group_id).where(group_nestings.c.member_group_id == _p("inner_id")).cte("above", recursive=True)
)
_above = _parents.union(select(group_nestings.c.group_id).join(_parents, group_nestings.c.member_group_id == _parents.c.group_id))
_GROUPS_ABOVE = Statement(select(_above.c.group_id))
_children = (
    select(group_nestings.c.member_group_id).where(group_nestings.c.group_id == _p("outer_id")).cte("below", recursive=True)
)
_below = _children.union(
    select(group_nestings.c.member_group_id).join(_children, group_nestings.c.group_id == _children.c.member_group_id)
)
_GROUPS_BELOW = Statement(select(_below.c.member_group_id))
_LOCK_DIRECTORY = Statement(
    select(groups.c.id).where(groups.c.builtin == 1).order_by(groups.c.id).limit(1).with_for_update(key_share=True)
)
_INSERT_GROUP = Statement(insert(groups))
_SET_GROUP = Statement(
    update(groups)
    .where(groups.c.id == _p("of"))
    .values(name=_p("new_name"), description=_p("new_description"), managed_by=_p("new_manager"))
)
_WRITE_GROUP = Statement(update(groups).where(groups.c.id == _p("of")).values({groups.c.name: groups.c.name}))
_DELETE_GROUP = Statement(delete(groups).where(groups.c.id == _p("of")))
_ADD_ACCOUNT = insert_once(group_members, returning=group_members.c.account_id)
_ADD_GROUP = insert_once(group_nestings, returning=group_nestings.c.member_group_id)
_REMOVE_ACCOUNT = Statement(
    delete(group_members).where(group_members.c.group_id == _p("of"), group_members.c.account_id == _p("member"))
)
_REMOVE_GROUP = Statement(
    delete(group_nestings).where(group_nestings.c.group_id == _p("of"), group_nestings.c.member_group_id == _p("member"))
)


def _group(row: Row) -> Group:
    return Group(row[0], row[1], row[2], bool(row[3]), row[4], row[5])


async def lock_directory(tx: Transaction) -> None:
    """One change of accounts, names and memberships at a time, on all nodes; the next one sees what this one did."""
    await tx.one(_LOCK_DIRECTORY)


async def find_group(reader: Reader, name_or_id: str) -> Group | None:
    """The group with this name or id."""
    row = await reader.one(_GROUP, who=name_or_id)
    return None if row is None else _group(row)


async def groups_page(reader: Reader, *, search: str, beyond: str, at_most: int) -> list[Group]:
    """Groups by name, after the name `beyond`; with `search`, those of which each term begins a word."""
    asked = {"beyond": beyond, "at_most": at_most}
    if not search:
        return [_group(row) for row in await reader.all(_GROUPS, **asked)]
    terms = terms_of(search)
    rows = await reader.all(_groups_called(len(terms)), **asked, **words.given(terms)) if terms else []
    return [_group(row) for row in rows]


@cache
def _groups_called(terms: int) -> Statement:
    return Statement(select(*_group_columns).where(groups.c.name.in_(words.groups_called(terms))).order_by(groups.c.name))


async def groups_in(reader: Reader, group_id: str) -> list[Group]:
    """Groups that are direct members of a group."""
    return [_group(row) for row in await reader.all(_GROUPS_IN, group_id=group_id)]


async def groups_of(reader: Reader, account_id: str) -> list[Group]:
    """Every group that the account is in, directly or through other groups, by name."""
    return sorted((_group(row) for row in await reader.all(_GROUPS_OF, account_id=account_id)), key=lambda group: group.name)


async def managed_by(reader: Reader, account_id: str, at_most: int) -> list[tuple[str, str]]:
    """Names and kinds of groups and service accounts that were given to the account, or to a group that it is in, to manage."""
    return sorted((row[0], row[1]) for row in await reader.all(_MANAGED, account_id=account_id, at_most=at_most))


async def groups_above(reader: Reader, group_id: str) -> frozenset[str]:
    """Ids of every group that has this group as a member, directly or through others."""
    return frozenset(row[0] for row in await reader.all(_GROUPS_ABOVE, inner_id=group_id))


async def groups_below(reader: Reader, group_id: str) -> frozenset[str]:
    """Ids of every group that is a member of this group, directly or through others."""
    return frozenset(row[0] for row in await reader.all(_GROUPS_BELOW, outer_id=group_id))


async def set_group(tx: Transaction, changed: Group) -> None:
    """Store the name, the description and the manager of a group."""
    await tx.run(
        _SET_GROUP,
        of=changed.id,
        new_name=changed.name,
        new_description=changed.description,
        new_manager=changed.managed_by,
    )
    await words.set_group_words(tx, changed)


async def insert_group(tx: Transaction, new: Group) -> None:
    """Store a new group."""
    await tx.run(
        _INSERT_GROUP,
        id=new.id,
        name=new.name,
        description=new.description,
        builtin=int(new.builtin),
        created_at=new.created_at,
        managed_by=new.managed_by,
    )
    await words.set_group_words(tx, new)


async def write_group(tx: Transaction, group_id: str) -> None:
    """Write a group as it is: its members are others, and a transaction that judged it by those of before begins anew."""
    await tx.run(_WRITE_GROUP, of=group_id)


async def delete_group(tx: Transaction, group_id: str) -> None:
    """Remove a group and its memberships."""
    await tx.run(_DELETE_GROUP, of=group_id)


async def add_member(tx: Transaction, group_id: str, member: Account | Group) -> bool:
    """True when it was not a member before."""
    if isinstance(member, Account):
        return await tx.one(_ADD_ACCOUNT, group_id=group_id, account_id=member.id) is not None
    return await tx.one(_ADD_GROUP, group_id=group_id, member_group_id=member.id) is not None


async def remove_member(tx: Transaction, group_id: str, member: Account | Group) -> bool:
    """True when it was a member before."""
    statement = _REMOVE_ACCOUNT if isinstance(member, Account) else _REMOVE_GROUP
    return await tx.run(statement, of=group_id, member=member.id) > 0
