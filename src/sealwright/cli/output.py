"""What a command says, and where: results on standard output, everything else on standard error.

Symbols and colour only on a terminal, colour never where NO_COLOR is set. With ``--output json`` results are one object, or
one per line, and failures are one object on standard error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

from sealwright.cli.dependencies import CommandDependencies
from sealwright.cli.errors import CommandFailed
from sealwright.cli.formatting import columns
from sealwright.cli.remedies import hint_of
from sealwright.errors import Failure

_GREEN, _RED, _BOLD, _PLAIN = "\x1b[32m", "\x1b[31m", "\x1b[1m", "\x1b[0m"

_WIDEST_CELL = 64
"""Characters of a cell of a table, so that one long name does not push all columns apart. Anyone who wants all asks for JSON."""
_OPENERS = frozenset(
    {
        "A",
        "An",
        "Another",
        "Give",
        "In",
        "It",
        "No",
        "Nothing",
        "One",
        "That",
        "The",
        "There",
        "This",
        "Too",
        "You",
        "Your",
    }
)
"""First words of a sentence that are written small behind a colon."""

Columns = Sequence[tuple[str, str]]
"""Heading and name of the member, in order."""


class Output:
    """Speaks for one run of one command."""

    def __init__(self, dependencies: CommandDependencies) -> None:
        self._dependencies = dependencies
        self.as_json = False

    # --- results ---

    def say(self, text: str) -> None:
        """A line of the result; not part of JSON output."""
        if not self.as_json:
            _write(sys.stdout, printable(text))

    def done(self, text: str) -> None:
        """A line of the result that something was done, with a mark on a terminal. What follows it is indented with it."""
        if not self.as_json:
            mark = self._mark(sys.stdout, "✔", _GREEN)
            _write(sys.stdout, mark + printable(text).replace("\n", "\n  " if mark else "\n"))

    def finding(self, text: str, *, ok: bool) -> None:
        """A line of the result that something is or is not as it should be: by a mark on a terminal, else by a word."""
        if not self.as_json:
            mark = self._mark(sys.stdout, "✔", _GREEN) if ok else self._mark(sys.stdout, "✘", _RED)
            _write(sys.stdout, (mark or f"{'ok' if ok else 'wrong':<7}") + printable(text))

    @property
    def tells_next_steps(self) -> bool:
        """Whether a person reads along, who may want to know what comes next."""
        return not self.as_json and self._dependencies.is_terminal(sys.stdout)

    def confirm(self, text: str) -> None:
        """That something was done, said only to a person at a terminal: a script reads it from the exit code."""
        if self._dependencies.is_terminal(sys.stdout):
            self.done(text)

    def json(self, value: Any) -> None:
        """One JSON object; only with JSON output."""
        if self.as_json:
            _write(sys.stdout, json.dumps(value, ensure_ascii=False))

    def record(self, value: Mapping[str, Any], fields: Columns) -> None:
        """One thing: its members below each other, or the whole of it as JSON."""
        if self.as_json:
            self.json(value)
            return
        rows = [(f"{heading}:", line) for heading, member in fields for line in _cell_lines(value.get(member))]
        for number in range(len(rows) - 1, 0, -1):  # further lines of the same member go without its name
            if rows[number][0] == rows[number - 1][0]:
                rows[number] = ("", rows[number][1])
        for line in columns(rows):
            self.say(line)

    def table(self, values: Iterable[Mapping[str, Any]], fields: Columns, *, empty: str, below: str = "") -> None:
        """Many things: one line each below a line of headings, or one JSON object per line. `empty` says why there is none.

        `below`: a member whose texts stand below each line.
        """
        if self.as_json:
            for value in values:
                self.json(value)
            return
        values = list(values)
        rows = [[_cut(" ".join(_cell_lines(value.get(member)))) for _, member in fields] for value in values]
        if not rows:
            self.note(empty)
            return
        heading, *lines = columns([[heading for heading, _ in fields], *rows])
        _write(sys.stdout, self._styled(sys.stdout, printable(heading), _BOLD))
        for value, line in zip(values, lines, strict=True):
            self.say(line)
            for text in value.get(below, ()):
                self.say(f"  {text}")

    # --- beside the result ---

    def note(self, text: str) -> None:
        """Something to know that is not a result: progress, a question's context, an empty list."""
        _write(sys.stderr, printable(text))

    def failure(self, failure: Failure, heading: str) -> None:
        """What was refused or failed, why, and what to do next."""
        if self.as_json:
            kind = failure.kind if isinstance(failure, CommandFailed) else failure.code
            problem = {"code": kind, "detail": failure.detail, "reasons": list(failure.reasons), "hint": hint_of(failure)}
            _write(sys.stderr, json.dumps({"error": problem}, ensure_ascii=False))
            return
        first = f"{heading}: {continued(failure.detail)}" if heading else failure.detail
        _write(sys.stderr, self._mark(sys.stderr, "✘", _RED) + printable(first))
        for part in (*failure.reasons, *filter(None, hint_of(failure).split("\n"))):
            _write(sys.stderr, f"  {printable(part)}")

    # --- terminal ---

    def asks(self) -> bool:
        """Whether there is a person to ask: standard input and standard error are both a terminal."""
        return self._dependencies.is_terminal(self._dependencies.stdin) and self._dependencies.is_terminal(sys.stderr)

    def confirmed(self, question: str) -> bool:
        """Whether a person at the terminal says yes; False where there is none to ask."""
        if not self.asks():
            return False
        sys.stderr.write(f"{printable(question)} [y/N] ")
        sys.stderr.flush()
        return self._dependencies.stdin.readline().strip().lower() in ("y", "yes")

    def _coloured(self, stream: TextIO) -> bool:
        environ = self._dependencies.environ
        return self._dependencies.is_terminal(stream) and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"

    def _styled(self, stream: TextIO, text: str, style: str) -> str:
        return f"{style}{text}{_PLAIN}" if self._coloured(stream) else text

    def _mark(self, stream: TextIO, symbol: str, style: str) -> str:
        return f"{self._styled(stream, symbol, style)} " if self._dependencies.is_terminal(stream) else ""


def _write(stream: TextIO, text: str) -> None:
    stream.write(f"{text}\n")
    stream.flush()


def printable(text: str) -> str:
    """`text` without what would steer a terminal: names and messages come from others."""
    return "".join(
        character if character.isprintable() or character == "\n" else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def continued(sentence: str) -> str:
    """A sentence as it stands behind a colon: its first word is small, unless it is a name."""
    word, space, rest = sentence.partition(" ")
    return f"{word.lower()}{space}{rest}" if word in _OPENERS else sentence


def _cut(cell: str) -> str:
    return cell if len(cell) <= _WIDEST_CELL else f"{cell[: _WIDEST_CELL - 1]}…"


def _cell_lines(value: Any) -> list[str]:
    """A JSON value as lines of text."""
    if value is None or value in ([], "", {}):
        return ["-"]
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    if isinstance(value, Mapping):
        return [f"{name}: {' '.join(_cell_lines(member))}" for name, member in value.items()]
    if isinstance(value, list):
        return [line for member in value for line in _cell_lines(member)]
    return [str(value)]
