"""The log: one JSON object a line on standard error. Never a body, a query, a token or a password."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any, TextIO
from urllib.parse import unquote_plus

import msgspec
import structlog

from sealwright.clock import Clock, to_datetime
from sealwright.wire import Request

Log = structlog.typing.FilteringBoundLogger

_LONG_RUN = re.compile(r"[A-Za-z0-9_+/=.\-]{32,}")
_LONGEST_MESSAGE = 300
_SHARED = 4
_MOST_FRAMES = 12
_SECRET_HEADERS = ("authorization", "cookie")


def open_log(level: str, clock: Clock, stream: TextIO | None = None) -> Log:
    """A log that writes `level` (debug, info, warning, error) and above."""

    def stamp(_log: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        at = to_datetime(clock.now()).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"at": at, "level": event.pop("level"), "event": event.pop("event"), **event}

    def render(_log: Any, _method: str, event: MutableMapping[str, Any]) -> str:
        return msgspec.json.encode(event, enc_hook=str).decode()

    log: Log = structlog.wrap_logger(
        structlog.PrintLogger(stream or sys.stderr),
        processors=[structlog.processors.add_log_level, stamp, render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        context_class=dict,
    )
    return log


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
