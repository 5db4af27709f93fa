"""Reads pages of the documentation: their commands, and what they say that is printed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^ {0,3}```(\w*)\s*$")
_EXPORT = re.compile(r"""^export (\w+)=(?:"([^"]*)"|(\S*))""", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    language: str
    text: str
    line: int


@dataclass(frozen=True)
class Step:
    """Commands to copy, and the output that is shown below them."""

    commands: str
    expected: str
    line: int


def blocks(page: Path) -> list[Block]:
    """Every fenced block of a page, in order."""
    found: list[Block] = []
    language: str | None = None
    start, held = 0, list[str]()
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        fence = _FENCE.match(line)
        if language is None and fence:
            language, start, held = fence[1], number, []
        elif language is not None and fence and not fence[1]:
            found.append(Block(language, "\n".join(held) + "\n", start))
            language = None
        elif language is not None:
            held.append(line)
    assert language is None, f"{page.name}: the block of line {start} has no end"
    return found


def steps(page: Path) -> list[Step]:
    """The ``sh`` blocks; a ``text`` block that follows one shows what it prints."""
    found: list[Step] = []
    last = ""
    for block in blocks(page):
        if block.language == "sh":
            found.append(Step(block.text, "", block.line))
        elif block.language == "text" and last == "sh":
            found[-1] = Step(found[-1].commands, block.text, found[-1].line)
        last = block.language
    return found


def variables(commands: str) -> dict[str, str]:
    """What a block of ``export NAME=VALUE`` lines sets."""
    return {name: quoted or plain for name, quoted, plain in _EXPORT.findall(commands)}


def missing_line(expected: str, printed: str) -> str | None:
    """The first line of `expected` that was not printed after the one before it; ``…`` stands for anything on a line.

    Colours do not count, nor how wide a gap between two words is.
    """
    lines = [_plain(line) for line in printed.splitlines()]
    at = 0
    for wanted in filter(None, map(_plain, expected.splitlines())):
        pattern = re.compile(".*".join(re.escape(part) for part in wanted.split("…")))
        while at < len(lines) and not pattern.fullmatch(lines[at]):
            at += 1
        if at == len(lines):
            return wanted
        at += 1
    return None


def _plain(line: str) -> str:
    return " ".join(_COLOUR.sub("", line).split())
