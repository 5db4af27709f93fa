"""The log: one JSON object a line on standard error. Never a body, a query, a token or a password."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Mapping
from typing import Any, TextIO
from urllib.parse import unquote_plus

import msgspec

from sealwright.clock import Clock, to_datetime
from sealwright.http import Request

_LONG_RUN = re.compile(r"[A-Za-z0-9_+/=.\-]{32,}")
_LONGEST_MESSAGE = 300
_SHARED = 4
_MOST_FRAMES = 12
_SECRET_HEADERS = ("authorization", "cookie")


class Log:
    """Writes lines of one level and above, each with what the log was bound to."""

    def __init__(self, lowest: int, clock: Clock, stream: TextIO, bound: Mapping[str, Any]) -> None:
        self._lowest = lowest
        self._clock = clock
        self._stream = stream
        self._bound = bound

    def bind(self, **more: Any) -> Log:
        """The same log, which tells `more` on each line."""
        return Log(self._lowest, self._clock, self._stream, {**self._bound, **more})

    def debug(self, event: str, **more: Any) -> None:
        """What helps to find a fault."""
        self._write(logging.DEBUG, event, more)

    def info(self, event: str, **more: Any) -> None:
        """What happened as it should."""
        self._write(logging.INFO, event, more)

    def warning(self, event: str, **more: Any) -> None:
        """Log a warning."""
        self._write(logging.WARNING, event, more)

    def error(self, event: str, **more: Any) -> None:
        """Log an error."""
        self._write(logging.ERROR, event, more)

    def _write(self, level: int, event: str, more: Mapping[str, Any]) -> None:
        if level < self._lowest:
            return
        at = to_datetime(self._clock.now()).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {"at": at, "level": logging.getLevelName(level).lower(), "event": event, **self._bound, **more}
        self._stream.write(f"{msgspec.json.encode(line, enc_hook=str).decode()}\n")
        self._stream.flush()


def open_log(level: str, clock: Clock, stream: TextIO | None = None) -> Log:
    """A log that writes `level` (debug, info, warning, error) and above."""
    return Log(logging.getLevelNamesMapping()[level.upper()], clock, stream or sys.stderr, {})


class _Bridge(logging.Handler):
    """Brings what libraries log through the standard library into the same log, scrubbed like everything else."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        account: dict[str, Any] = {}
        if record.exc_info and record.exc_info[1] is not None:
            account = account_of(record.exc_info[1])
        write = self._log.error if record.levelno >= logging.ERROR else self._log.warning
        write("library", **{**account, "library": record.name, "message": scrubbed(record.getMessage(), None)})


def take_over_logging(log: Log) -> None:
    """From now on warnings and errors that libraries log come out of `log`."""
    logging.basicConfig(handlers=[_Bridge(log)], level=logging.WARNING, force=True)


def account_of(failure: BaseException, request: Request | None = None) -> dict[str, Any]:
    """What a log line may tell about an exception: kinds, places in the code, and a message without what the request held."""
    kinds: list[str] = []
    link: BaseException | None = failure
    while link is not None and len(kinds) < _MOST_FRAMES:
        kinds.append(type(link).__name__)
        link = link.__cause__ or link.__context__
    frames = [
        f"{frame.filename.rpartition('/site-packages/')[2].rpartition('/src/')[2]}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(failure.__traceback__)[-_MOST_FRAMES:]
    ]
    return {"error": kinds, "message": scrubbed(str(failure), request), "frames": frames}


def scrubbed(message: str, request: Request | None) -> str:
    """`message` without long runs that could be a token, and without any four characters in a row that the request held."""
    message = _LONG_RUN.sub("…", message[:_LONGEST_MESSAGE])
    held = _contents(request) if request is not None else ""
    hidden = [False] * len(message)
    for start in range(len(message) - _SHARED + 1):
        if message[start : start + _SHARED] in held:
            hidden[start : start + _SHARED] = [True] * _SHARED
    return re.sub("\0+", "…", "".join("\0" if hide else sign for sign, hide in zip(message, hidden, strict=True)))


def _contents(request: Request) -> str:
    body = request.body.decode("utf-8", errors="replace")
    parts = [request.query_text, unquote_plus(request.query_text), body, unquote_plus(body)]
    parts += request.path_parameters.values()
    parts += [request.headers.get(name, "") for name in _SECRET_HEADERS]
    return "\n".join(parts)
