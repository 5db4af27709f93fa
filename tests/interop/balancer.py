"""One address in front of several servers: bytes go to the next one that takes the connection."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import cycle


@contextmanager
def balanced(ports: Mapping[int, Sequence[int]]) -> Iterator[None]:
    """Listen on each port for as long as the block lasts, and lead what comes to one of those behind it."""
    ready, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        servers = [await asyncio.start_server(_leads_to(behind), "127.0.0.1", port) for port, behind in ports.items()]
        ready.set()
        await stop.wait()
        for each in servers:
            each.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(10)
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def _leads_to(behind: Sequence[int]):
    turns = cycle(behind)

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in behind:
            with suppress(OSError):
                there = await asyncio.open_connection("127.0.0.1", next(turns))
                await asyncio.gather(_pump(reader, there[1]), _pump(there[0], writer))
                return
        writer.close()

    return lead


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
    writer.close()
