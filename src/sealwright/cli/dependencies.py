"""What a command may touch beside its arguments: terminal, clock, randomness, browser, network."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO

if TYPE_CHECKING:
    import ssl

    from sealwright.cli.https import Transport
    from sealwright.cli.return_page import Page

TransportOf = Callable[["ssl.SSLContext"], "Transport"]


def _network(context: ssl.SSLContext) -> Transport:
    """Calls over the network."""
    from sealwright.cli.https import Https

    return Https(context)


def _now() -> datetime:
    return datetime.now(UTC)


def _open_browser(address: str) -> bool:
    import webbrowser

    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")):
        return False  # what would open is a browser in this very terminal
    try:
        return webbrowser.open(address)
    except (webbrowser.Error, OSError):
        return False


class BrowserReturn(Protocol):
    """Somewhere on this machine that a browser comes back to, for as long as the context lasts."""

    @property
    def port(self) -> int: ...

    def wait(self, accept: Callable[[Mapping[str, str]], bool], seconds: float) -> dict[str, str] | None:
        """The parameters of the first request that `accept` takes, or None when time is up."""
        ...

    def show(self, page: Page) -> None:
        """What the browser that brought the answer is shown."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None, /) -> None: ...


def _listen(host: str, port: int) -> BrowserReturn:
    from sealwright.cli.loopback import Loopback

    return Loopback(host, port)


def _typed_line(stdin: TextIO) -> str | None:
    import select

    ready, _, _ = select.select([stdin], [], [], 0)
    return stdin.readline() if ready else None


def _ask_hidden(prompt: str) -> str:
    import getpass

    return getpass.getpass(prompt, stream=sys.stderr)


@dataclass(frozen=True)
class CommandDependencies:
    """The outside of a command. The defaults are this process's own."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    now: Callable[[], datetime] = _now
    random: Callable[[int], bytes] = os.urandom
    transport: TransportOf = _network
    open_browser: Callable[[str], bool] = _open_browser
    listen: Callable[[str, int], BrowserReturn] = _listen
    """Listen on a host and port of this machine (0: any) for a browser's answer."""
    ask_hidden: Callable[[str], str] = _ask_hidden
    """Ask on the terminal without showing what is typed."""
    typed_line: Callable[[TextIO], str | None] = _typed_line
    """A line that was typed by now, empty at the end of all input; None where there is none yet. Does not wait."""
    stdin: TextIO = field(default_factory=lambda: sys.stdin)
    is_terminal: Callable[[TextIO], bool] = lambda stream: stream.isatty()
