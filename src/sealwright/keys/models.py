"""Keys, as the rest of the program sees them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from msgspec import Struct

from sealwright.clock import Instant, after
from sealwright.jose import PrivateKey, PublicKey

PUBLISHED_BEFORE_USE = timedelta(seconds=75)
"""Applications may keep a key set for a minute; the rest is for our own processes, and for their clocks."""
KNOWN_HERE_AFTER = timedelta(seconds=2)
"""A change of keys is noticed within a second, and a key set that was made before may be given out for one more."""


class Purpose(StrEnum):
    """What a key is for. A key of one purpose is never used for another."""

    ROOT = "root"
    ISSUER = "issuer"
    OAUTH_CLIENT = "oauth_client"
    OAUTH_ISSUER = "oauth_issuer"
    """Of an issuer that OAuth clients share."""
    AUDIT = "audit"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that can sign."""

    id: str
    """RFC 7638 thumbprint, also the `kid`."""
    purpose: Purpose
    owner: str
    """What it belongs to: the id of an issuer or a client, or nothing."""
    algorithm: str
    """JOSE name: ES256, RS256, …"""
    public_key: PublicKey
    private_key: PrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was made or brought, sealed, and not yet stored."""

    id: str
    purpose: Purpose
    owner: str
    algorithm: str
    public_key: PublicKey
    private_key: PrivateKey = field(repr=False)
    sealed_private: bytes = field(repr=False)

    def signing_key(self) -> SigningKey:
        """The same key, ready to sign."""
        return SigningKey(self.id, self.purpose, self.owner, self.algorithm, self.public_key, self.private_key)


class PublicKeyRecord(Struct, frozen=True):
    """The public side of a stored key."""

    id: str
    purpose: Purpose
    owner: str
    algorithm: str
    public_key: PublicKey
    created_at: Instant
    retired_at: Instant | None
    """From then on it signs no more; what it signed still verifies. In the future where its successor is published first."""

    def signs_at(self, now: Instant) -> bool:
        """Whether it is not retired yet."""
        return self.retired_at is None or self.retired_at > now


def signing_record(records: Iterable[PublicKeyRecord], now: Instant, algorithm: str | None = None) -> PublicKeyRecord | None:
    """Of one owner's published keys the one that signs at this moment: the same for every process that knows them all.

    A key that is to retire signs until then. After it the newest that has been published for long enough, so that anyone who
    verifies can have seen it; where none has, the oldest. With `algorithm` it is one of that algorithm, as soon as one of these
    was published for long enough. An owner's first key signs at once, and so does one of `algorithm` that came soon after it, as
    soon as our own processes know it: an application that is being set up may take no other.
    """
    known = list(records)
    if len(known) == 1:
        return known[0] if known[0].signs_at(now) else None
    usable = sorted((record for record in known if record.signs_at(now)), key=_by_age)
    first_at = min((record.created_at for record in known), default=now)

    def is_ready(record: PublicKeyRecord) -> bool:
        if record.created_at == first_at or after(record.created_at, PUBLISHED_BEFORE_USE) <= now:
            return True
        is_early = record.created_at < after(first_at, PUBLISHED_BEFORE_USE)
        return is_early and record.algorithm == algorithm and after(record.created_at, KNOWN_HERE_AFTER) <= now

    ready = [record for record in usable if is_ready(record)] or usable[:1]
    wanted = [record for record in ready if algorithm in (None, record.algorithm)] or ready
    leaving = [record for record in wanted if record.retired_at is not None]
    return min(leaving, key=_by_retirement) if leaving else next(reversed(wanted), None)


def _by_retirement(record: PublicKeyRecord) -> tuple[Instant, str]:
    return record.retired_at or record.created_at, record.id


def _by_age(record: PublicKeyRecord) -> tuple[Instant, bool, str]:
    """Of two of the same millisecond, the one that is to retire is the older."""
    return record.created_at, record.retired_at is None, record.id
