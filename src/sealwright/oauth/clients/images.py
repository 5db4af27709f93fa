"""The images of clients, which people see in their list of applications."""

from __future__ import annotations

import asyncio
import hashlib

from msgspec import Struct

from sealwright.access import Actor
from sealwright.audit import Event
from sealwright.db import Transaction
from sealwright.errors import Action, Remedy
from sealwright.oauth.clients import lookup, store
from sealwright.oauth.clients.guarded_changes import ClientChanges
from sealwright.oauth.clients.image_formats import ClientImage, read_image
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.errors import NotRegistered
from sealwright.oauth.models import Client


class ReadImage(Struct, frozen=True):
    """An image that was looked at from its first byte to its last."""

    image: ClientImage
    content: bytes
    digest: bytes
    """SHA-256."""


async def read_whole(content: bytes) -> ReadImage:
    """Look at an image, on a thread, since that may take some 50 ms; raises ClientRefused where it is none."""
    image = await asyncio.to_thread(read_image, content)
    return ReadImage(image, content, hashlib.sha256(content).digest())


class ClientImages:
    """The image of every client that has one."""

    def __init__(self, dependencies: OAuthDependencies, changes: ClientChanges) -> None:
        self._db = dependencies.db
        self._clock = dependencies.clock
        self._audit = dependencies.audit
        self._changes = changes

    async def set_image(self, name: str, content: bytes | ReadImage, *, actor: Actor) -> ClientImage:
        """Give a client an image in place of the one that it has, if any; raises ClientRefused where it is none."""
        client = await self._changes.to_change(name, actor)
        read = content if isinstance(content, ReadImage) else await read_whole(content)

        async def put(tx: Transaction) -> None:
            await self._require_over(tx, client, actor)
            await store.put_image(tx, client.id, read.image.media_type, read.content, read.digest)
            await self._record(tx, client, {"image": read.image.media_type, "sha256": read.digest.hex()}, actor)

        await self._changes.write(client, actor, put)
        return read.image

    async def remove_image(self, name: str, *, actor: Actor) -> None:
        """Take a client's image away; raises NotRegistered where it has none."""
        client = await self._changes.to_change(name, actor)

        async def remove(tx: Transaction) -> None:
            await self._require_over(tx, client, actor)
            if not await store.delete_image(tx, client.id):
                raise NotRegistered(f"{client.name} has no image.", remedy=Remedy(Action.SHOW_CLIENT, client.name))
            await self._record(tx, client, {"image": None}, actor)

        await self._changes.write(client, actor, remove)

    async def digest_of(self, name: str) -> bytes | None:
        """SHA-256 of the image of the client with a name; None where it has none. People see it before they sign in."""
        return await store.image_digest(self._db, name)

    async def with_digest(self, digest: str) -> tuple[str, bytes] | None:
        """Media type and content of the image with this SHA-256, in hexadecimal; None where no client has it."""
        try:
            wanted = bytes.fromhex(digest)
        except ValueError:
            return None
        return await store.image_with_digest(self._db, wanted)

    async def _require_over(self, tx: Transaction, client: Client, actor: Actor) -> None:
        found = await lookup.locked(tx, client)
        await self._changes.require_over(tx, found.name, actor, f"change the image of the client {found.name}")

    async def _record(self, tx: Transaction, client: Client, details: dict[str, str | None], actor: Actor) -> None:
        await store.touch_client(tx, client.id, self._clock.now())
        recorded = {"name": client.name, **details}
        await self._audit.record(tx, Event.CLIENT_UPDATED, actor=actor, target=f"client:{client.id}", details=recorded)
