"""A server in this process whose mail goes to a sink, and what a test asks of both."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from sealwright.db import Statement
from sealwright.db.schema import mail_outbox
from sealwright.settings import MailSettings
from tests.databases import sqlite_database
from tests.smtp_sink import Sink
from tests.unit.api.world import ServerWorld

_ROWS = Statement(select(*mail_outbox.c))
LINK = re.compile(r"https://\S+/(?:invitation|reset)/(\S+)")


@dataclass
class KeptLog:
    """Remembers its lines."""

    lines: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)

    def info(self, event: str, **more: Any) -> None:
        self.lines.append(("info", event, more))

    def warning(self, event: str, **more: Any) -> None:
        self.lines.append(("warning", event, more))


def mail_settings(sink: Sink | int, **changes: Any) -> MailSettings:
    """What sends to a sink, or to a port."""
    if isinstance(sink, int):
        given: dict[str, Any] = {"port": sink, "tls": "none"}
    else:
        given = {"port": sink.port, "tls": sink.tls, "ca_file": sink.ca_file}
    return MailSettings(**{"host": "localhost", "from_address": "id@example.org", **given, **changes})


class MailWorld(ServerWorld):
    log: KeptLog

    async def invite(self, name: str = "alice", **more: Any) -> dict[str, Any]:
        """The answer of the API to an invitation."""
        body = {"name": name, "display_name": name.title(), "mails": [f"{name}@example.org"], **more}
        status, answer = await self.call("POST", "/invitations", body, token=self.desk)
        assert status == 201, answer
        return dict(answer)

    async def rows(self) -> list[dict[str, Any]]:
        """The outbox as it is stored."""
        return [dict(zip(mail_outbox.c.keys(), row, strict=True)) for row in await self.db.all(_ROWS)]

    async def mail_events(self) -> list[tuple[str, str, str]]:
        return [each for each in await self.events() if each[0].startswith("mail.")]

    desk: str = ""


@asynccontextmanager
async def mail_world(settings: MailSettings) -> AsyncIterator[MailWorld]:
    """A world that sends with these settings."""
    async with sqlite_database() as db:
        log = KeptLog()
        world = MailWorld(db, mail_settings=settings, mail_log=log)
        world.log = log
        await world.seed()
        world.desk = await world.token("desk", "idm_people_admins")
        yield world
