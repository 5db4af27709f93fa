"""One application while it serves. A reload puts the next one in its place; requests finish in the one they began in."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta

from sealwright.http import Listener
from sealwright.runtime.application import Application, Dispatcher, InFlight
from sealwright.runtime.jobs import JobSchedule
from sealwright.runtime.logs import Log


class RunningApplication:
    """An application, its dispatchers and its schedule of jobs."""

    def __init__(self, application: Application, listeners: Iterable[Listener], log: Log) -> None:
        """Routes that contradict each other raise ValueError."""
        self.application = application
        self._in_flight = InFlight()
        self._dispatchers = {each: Dispatcher(application, each, self._in_flight, log) for each in listeners}
        self._schedule = JobSchedule(application.jobs, application.leases, log)

    def dispatcher(self, listener: Listener) -> Dispatcher:
        """Who finds the handlers on a listener."""
        return self._dispatchers[listener]

    def start(self) -> None:
        """Begin with the jobs."""
        self._schedule.start()

    async def retire(self, patience: timedelta) -> None:
        """Stop the jobs, wait for the last answer, then let the application go."""
        await self._schedule.stop(patience)
        try:
            async with asyncio.timeout(patience.total_seconds()):
                await self._in_flight.idle()
        except TimeoutError:
            pass
        await self.application.close()
