"""Which chain a writer adds to: one that it alone goes on with for the time of its lease.

A writer that is gone leaves its chain to the next one, so that there are as many chains as there were ever writers at once, and
not one more for each start. That two take themselves for the holder of one chain (a clock was set, a machine slept) costs one of
them a second attempt: of two rows with the same place in a chain the database takes one.
"""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct

from sealwright import entropy
from sealwright.audit import store
from sealwright.audit.chain import GENESIS, ChainHead
from sealwright.clock import CLOCKS_DIFFER, Instant, after, is_ahead
from sealwright.db import Transaction

USED_FOR = timedelta(minutes=1)
"""How long a writer adds to its chain before it asks for the lease again."""
LEASE = USED_FOR + CLOCKS_DIFFER
"""How long no other writer adds to it, however much the clocks of two nodes differ."""


class HeldChain(Struct, frozen=True):
    """A chain that a writer adds to, where it ends, and until when the writer may go on with it unasked."""

    id: str
    head: ChainHead
    until: Instant


async def held_chain(tx: Transaction, now: Instant) -> HeldChain:
    """The chain that the writer of `tx` adds to."""
    held = tx.writer.memo
    if isinstance(held, HeldChain) and is_ahead(held.until, now, at_most=USED_FOR):
        return held
    until, latest = after(now, LEASE), after(now, LEASE + CLOCKS_DIFFER)
    kept = await store.keep_chain(tx, tx.writer.id, until)
    if isinstance(held, HeldChain) and held.id == kept:
        return HeldChain(kept, held.head, after(now, USED_FOR))
    # Others may have added to any other chain meanwhile, also to one that this writer had before.
    found = kept or await store.take_chain(tx, tx.writer.id, now=now, until=until, latest=latest)
    newest = None if found is None else await store.head_of(tx, found)
    if newest is not None:
        return HeldChain(newest.writer_id, ChainHead(newest.sequence, newest.digest), after(now, USED_FOR))
    begun = entropy.uuid4(entropy.SystemEntropy())
    if found is None:
        await store.add_chain(tx, begun, tx.writer.id, until)
    else:  # all of it was purged: begun anew under its id, it would look like what was purged
        await store.replace_chain(tx, found, begun)
    return HeldChain(begun, ChainHead(0, GENESIS), after(now, USED_FOR))
