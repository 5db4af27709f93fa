"""`sealwright serve`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sealwright.app.dependencies import CLOCK, ENTROPY
from sealwright.app.home import Home
from sealwright.app.memory import in_memory
from sealwright.app.program import ServeReport, program
from sealwright.runtime.supervisor import Supervisor
from sealwright.runtime.systemd import Notifier
from sealwright.settings import read_environment


def serve(home: Path, tell: Callable[[ServeReport], None]) -> None:
    """Serve until SIGTERM or SIGINT. `tell` is called once, when every worker serves."""
    environment = read_environment()
    place = Home(home).require()
    notifier = Notifier(environment.notify_socket, environment.watchdog)
    with place.alone(), in_memory(place):
        try:
            Supervisor(program(place, tell), clock=CLOCK, entropy=ENTROPY, notifier=notifier).run()
        finally:
            place.addresses_file.unlink(missing_ok=True)
