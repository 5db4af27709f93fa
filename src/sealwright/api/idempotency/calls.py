"""Do a call with an Idempotency-Key once, and answer its repetitions with what the first one was answered.

The key is claimed before the call is done, marked in the transaction of the change, and the answer is kept after it: a server
that stops in between, or a connection that is lost at the commit, leaves a claim or a mark, and the repetition is refused instead
of being done twice. All of it is in the database, so that it holds on every node.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import msgspec

from sealwright.api.idempotency import store
from sealwright.api.idempotency.errors import AnswerNotKept, CallStillRunning, IdempotencyKeyRefused, IdempotencyKeyReused
from sealwright.clock import Clock, after
from sealwright.db import Database, Transaction, around_writes
from sealwright.errors import Failure, Unavailable
from sealwright.http import Request, Response

HEADER = "idempotency-key"
KEPT = timedelta(days=1)
LONGEST_KEY = 255
REPEATED = ("idempotency-replayed", "true")


class IdempotentCalls:
    """The calls that came with a key."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def run(
        self, request: Request, account_id: str, work: Callable[[], Awaitable[Response]], *, holds_secret: bool
    ) -> Response:
        """What `work` returns, or what it returned when the same request came with the same key before.

        `holds_secret`: whether the answer holds one, so that it is not kept.
        """
        key = request.headers.get(HEADER)
        if key is None:
            return await work()
        if not 0 < len(key) <= LONGEST_KEY or not key.isascii() or not key.isprintable():
            raise IdempotencyKeyRefused(
                f"The Idempotency-Key {key[:40]!r} has {len(key)} characters or such that cannot be shown.",
                hint=f"Send one of 1 to {LONGEST_KEY} characters of ASCII, such as a UUID.",
            )
        digest, condition = _digest(account_id, key), request.headers.get("if-match")
        request_digest = _digest(request.method, request.path, request.query_text, condition, request.body)
        now = self._clock.now()

        async def claim(tx: Transaction) -> bool:
            return await store.claim(tx, digest, request_digest, now=now, until=after(now, KEPT))

        if not await self._db.write(claim):
            return await self._again(key, digest, request_digest)
        try:
            with around_writes(_Mark(digest)):
                response = await work()
        except Unavailable:  # perhaps in the moment of the commit: where the mark is durable, the change is
            await self._db.write(lambda tx: store.forget_unfinished(tx, digest))
            raise
        except Failure:  # what was cancelled, or met a bug, may have been done: its claim stays
            await self._db.write(lambda tx: store.forget(tx, digest))
            raise
        await self._keep(digest, response, holds_secret=holds_secret)
        return response

    async def _again(self, key: str, digest: bytes, request_digest: bytes) -> Response:
        kept = await store.find(self._db, digest)
        if kept is not None and kept.request_digest != request_digest:
            raise IdempotencyKeyReused(
                f"The Idempotency-Key {key[:80]!r} came with another request before.", hint="Use a new key for each request."
            )
        if kept is not None and kept.status == store.DONE:
            raise AnswerNotKept(
                f"The call with the Idempotency-Key {key[:80]!r} made its change. Its answer is not there, or not yet.",
                hint="Send it again in a moment. If that does not change, the answer was lost: look at what was made.",
            )
        if kept is None or kept.status is None:
            raise CallStillRunning(
                f"The call with the Idempotency-Key {key[:80]!r} has not come to its end.",
                reasons=("it is being done, or the server stopped in the middle of it",),
                hint="Send it again in a moment. If that does not change, look whether it was done, and use a new key.",
            )
        if kept.body is None:
            raise AnswerNotKept(
                f"The call with the Idempotency-Key {key[:80]!r} was done. Its answer holds a secret, which is not stored.",
                hint="If the answer was lost, revoke what was made, and make another one with a new key.",
            )
        headers = tuple((name, value) for name, value in msgspec.json.decode(kept.headers, type=list[tuple[str, str]]))
        return Response(kept.status, kept.body, (*headers, REPEATED))

    async def _keep(self, digest: bytes, response: Response, *, holds_secret: bool) -> None:
        body = None if holds_secret else response.body

        async def finish(tx: Transaction) -> None:
            headers = msgspec.json.encode(response.headers).decode()
            await store.finish(tx, digest, status=response.status, headers=headers, body=body)

        await self._db.write(finish)


class _Mark:
    """Notes the call in the transaction of its change, so that a commit whose answer is lost is not made twice."""

    judges = False

    def __init__(self, digest: bytes) -> None:
        self._digest = digest

    async def begin(self, tx: Transaction) -> None:
        await store.mark_done(tx, self._digest)

    def committed(self) -> None:
        """The note is durable with the change."""


def _digest(*parts: Any) -> bytes:
    digest = hashlib.sha256()
    for part in parts:
        raw = part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8) + raw)
    return digest.digest()
