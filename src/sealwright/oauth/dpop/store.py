"""The only SQL about DPoP proofs that were used."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import bindparam, delete, select

from sealwright.clock import Instant
from sealwright.db import Statement, Transaction, insert_once
from sealwright.db.schema import oauth_dpop_proofs

p = oauth_dpop_proofs.c
_USE = insert_once(oauth_dpop_proofs, returning=p.digest)
_over = select(p.digest).where(p.expires_at <= bindparam("before")).limit(bindparam("at_most"))
_PURGE = Statement(delete(oauth_dpop_proofs).where(p.digest.in_(_over)))


class UsedProof(NamedTuple):
    """A proof by the digest of its key and id."""

    digest: bytes
    expires_at: Instant


async def use(tx: Transaction, proofs: Iterable[UsedProof]) -> set[bytes]:
    """Note proofs as used; returns those that no one had used."""
    rows = [each._asdict() for each in sorted(proofs)]  # anyone who locks rows, locks them in the same order
    return {bytes(row[0]) for row in await tx.all_many(_USE, rows)}


async def purge(tx: Transaction, before: Instant, at_most: int) -> int:
    """Delete proofs that are refused for their age; returns how many."""
    return await tx.run(_PURGE, before=before, at_most=at_most)
