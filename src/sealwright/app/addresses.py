"""The addresses of the listeners, from the settings."""

from __future__ import annotations

from pathlib import Path

from sealwright.http import Listener
from sealwright.runtime.listeners import ListenAddress
from sealwright.settings import Address, Settings, line_of


def listen_addresses(settings: Settings, file: Path) -> tuple[ListenAddress, ...]:
    """One for each listener; `file` is where the settings were read from."""

    def address(listener: Listener, given: Address, *, tls: bool = True) -> ListenAddress:
        said_in = f"{file}, line {line_of(f'listen.{listener}', file)}"
        return ListenAddress(listener, given.host, given.port, tls, said_in)

    return (
        address(Listener.PEOPLE, settings.listen.people),
        address(Listener.MACHINES, settings.listen.machines),
        address(Listener.STATUS, settings.listen.status, tls=False),
    )
