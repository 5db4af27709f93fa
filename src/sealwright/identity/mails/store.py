"""The only SQL about what is proven of mail addresses."""

from __future__ import annotations

from sqlalchemy import bindparam, func, select, update

from sealwright.clock import Instant
from sealwright.db import Database, Statement, Transaction
from sealwright.db.schema import mail_addresses, one_time_links
from sealwright.identity.models import LinkPurpose
from sealwright.identity.policy import fold_mail

_m, _l = mail_addresses.c, one_time_links.c
_SET_VERIFIED = Statement(
    update(mail_addresses)
    .where(_m.account_id == bindparam("of"), _m.address_folded == bindparam("which"))
    .values(verified_at=bindparam("at"))
)
_NEWEST_LINK = Statement(
    select(func.max(_l.created_at)).where(_l.account_id == bindparam("account_id"), _l.purpose == bindparam("purpose"))
)


async def set_verified(tx: Transaction, account_id: str, address: str, at: Instant | None) -> None:
    """Say since when an address is proven; None where it is not."""
    await tx.run(_SET_VERIFIED, of=account_id, which=fold_mail(address), at=at)


async def newest_link(reader: Database | Transaction, account_id: str) -> Instant | None:
    """When the account was last sent a link to confirm an address."""
    row = await reader.one(_NEWEST_LINK, account_id=account_id, purpose=str(LinkPurpose.MAIL))
    return None if row is None or row[0] is None else Instant(row[0])
