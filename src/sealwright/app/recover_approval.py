"""`sealwright recover-approval`: the way out where a rule asks people who are not there any more."""

from __future__ import annotations

import asyncio
from pathlib import Path

from sealwright.access import SYSTEM
from sealwright.app.dependencies import opened
from sealwright.app.home import Home
from sealwright.app.wiring import build


def recover_approval(home: Path, guarded: str) -> None:
    """Remove the approval rule of something, which no one needs to approve here: who has this shell has the keys."""
    settings = Home(home).settings()

    async def recover() -> None:
        async with opened(settings) as around:
            await build(around).approval_rules.remove(guarded, actor=SYSTEM)

    asyncio.run(recover())
