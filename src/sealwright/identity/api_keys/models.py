"""API keys, and what they were used for."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from msgspec import Struct

from sealwright.access import Permission
from sealwright.clock import Instant


class ApiKeyState(StrEnum):
    """Whether a key is valid, and why not."""

    ACTIVE = "active"
    REPLACED = "replaced"
    """It was rotated, and is valid until the overlap ends."""
    EXPIRED = "expired"
    REVOKED = "revoked"


class ApiKey(Struct, frozen=True):
    """A key without its secret."""

    id: str
    account_id: str
    name: str
    beginning: str
    """Its first characters, by which a key that was found somewhere is told."""
    scopes: tuple[str, ...]
    """Permissions, and ids of roles."""
    session_id: str
    """The session in which it was made: what an identity provider gave counts no longer than that."""
    created_at: Instant
    expires_at: Instant
    last_used_at: Instant | None = None
    last_address: str = ""
    replaced_at: Instant | None = None
    revoked_at: Instant | None = None

    def state(self, now: Instant) -> ApiKeyState:
        """Its state at `now`."""
        if self.revoked_at is not None:
            return ApiKeyState.REVOKED
        if self.expires_at <= now:
            return ApiKeyState.EXPIRED
        return ApiKeyState.ACTIVE if self.replaced_at is None else ApiKeyState.REPLACED

    def is_good(self, now: Instant) -> bool:
        """Whether it opens anything at `now`."""
        return self.state(now) in (ApiKeyState.ACTIVE, ApiKeyState.REPLACED)


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key with its secret, to be shown once."""

    key: str = field(repr=False)
    described: ApiKey


class OwnedKey(Struct, frozen=True):
    """A key, and the name of its owner."""

    key: ApiKey
    owner: str


class ApiKeyUse(Struct, frozen=True):
    """When a key was last used with a permission."""

    permission: Permission
    last_used_at: Instant


class ApiKeyUsage(Struct, frozen=True):
    """What a key may do by its scope, and what of it was used."""

    allowed: frozenset[Permission]
    uses: tuple[ApiKeyUse, ...]

    @property
    def used(self) -> frozenset[Permission]:
        """What it was used with and still may do."""
        return frozenset(each.permission for each in self.uses) & self.allowed

    @property
    def unused(self) -> frozenset[Permission]:
        """What it may do and never did."""
        return self.allowed - self.used
