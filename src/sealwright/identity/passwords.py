"""Hash passwords with Argon2id, away from the event loop and never more at once than the cores can bear."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from argon2 import Parameters, Type, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import hash_secret, verify_secret

from sealwright.entropy import Entropy
from sealwright.errors import Unavailable
from sealwright.identity.foreign_hashes import is_foreign
from sealwright.identity.foreign_hashes import verify as verify_foreign
from sealwright.identity.policy import prepare_password

T = TypeVar("T")

PARAMETERS = Parameters(type=Type.ID, version=19, salt_len=16, hash_len=32, time_cost=2, memory_cost=19_456, parallelism=1)
"""19 MiB, two passes: OWASP's figures, 18 ms of one core."""


_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"  # 32 that cannot be taken for one another
_GENERATED = 24


def generate_password(entropy: Entropy) -> str:
    """A password of 120 random bits, in groups that can be read out: ``k7x2-9m4q-…``."""
    letters = "".join(_LETTERS[byte % len(_LETTERS)] for byte in entropy.bytes(_GENERATED))
    return "-".join(letters[i : i + 4] for i in range(0, _GENERATED, 4))


class Hashing(Protocol):
    """What sign-in and credentials need of a password hash."""

    @property
    def dummy(self) -> bytes:
        """A hash that no password has and that takes as long to verify as any other."""
        ...

    async def hash(self, password: str) -> bytes:
        """The stored form of a password."""
        ...

    async def verify(self, stored: bytes, password: str) -> bool:
        """Whether `stored` was made of `password`."""
        ...

    def is_outdated(self, stored: bytes) -> bool:
        """Whether the same password would be hashed otherwise today."""
        ...


class Argon2Hashing:
    """Argon2id in a bounded thread pool; what finds the queue full gets Unavailable instead of a place in it."""

    def __init__(self, entropy: Entropy, *, threads: int, waiting: int = 32, parameters: Parameters = PARAMETERS) -> None:
        """`threads`: cores for this process. `waiting`: how many may stand in the queue."""
        self._entropy = entropy
        self._parameters = parameters
        self._places = threads + waiting
        self._taken = 0
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="argon2")

    @property
    def dummy(self) -> bytes:
        p = self._parameters
        salt, digest = _base64(bytes(p.salt_len)), _base64(bytes(p.hash_len))
        return f"$argon2id$v={p.version}$m={p.memory_cost},t={p.time_cost},p={p.parallelism}${salt}${digest}".encode()

    async def hash(self, password: str) -> bytes:
        p = self._parameters
        salt = self._entropy.bytes(p.salt_len)
        return await self._run(
            lambda: hash_secret(
                prepare_password(password), salt, p.time_cost, p.memory_cost, p.parallelism, p.hash_len, p.type, p.version
            )
        )

    async def verify(self, stored: bytes, password: str) -> bool:
        def compare() -> bool:
            if is_foreign(stored):
                return verify_foreign(stored, prepare_password(password))
            try:
                return verify_secret(stored, prepare_password(password), Type.ID)
            except (VerificationError, InvalidHashError):
                return False

        return await self._run(compare)

    def is_outdated(self, stored: bytes) -> bool:
        try:
            return extract_parameters(stored.decode()) != self._parameters
        except (InvalidHashError, UnicodeDecodeError):
            return True

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._taken >= self._places:
            raise Unavailable("Too many passwords are being checked at the moment.", retry_after=1)
        self._taken += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._taken -= 1


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).rstrip(b"=").decode()
