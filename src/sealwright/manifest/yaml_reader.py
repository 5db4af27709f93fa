"""Read YAML into plain values, and remember the line of each.

Scalars are those of YAML 1.2's JSON schema: `yes`, `on` and dates are texts. What makes a small file a large value, or one value
two, is refused: anchors, aliases, tags, keys that come twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from sealwright.errors import pointer_to

LARGEST_FILE = 512 * 1024
"""Bytes."""
DEEPEST = 16
MOST_VALUES = 100_000
_WHOLE_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}


class YamlRefused(ValueError):
    """Why a text is not accepted as YAML, as the end of a sentence, and in which line."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.line = line


class Document(NamedTuple):
    """What a YAML text says."""

    value: Any
    lines: dict[str, int]
    """JSON Pointer of each value → the line of its key, or of the element of a list; the first line is 1."""

    def line_of(self, pointer: str) -> int:
        """The line of a value, or of the nearest that is there and holds it."""
        while pointer not in self.lines and pointer:
            pointer = pointer.rpartition("/")[0]
        return self.lines.get(pointer, 1)


class _Open:
    """A mapping or a list that is not read to its end."""

    __slots__ = ("key", "path", "value")

    def __init__(self, value: Any, path: tuple[str, ...]) -> None:
        self.value = value
        self.path = path
        self.key: str | None = None


def read_yaml(text: str) -> Document:
    """The value of a YAML text; raises YamlRefused. An empty text is null."""
    try:
        return _Reader().read(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as cause:
        mark = cause.problem_mark or cause.context_mark
        raise YamlRefused(f"is not YAML: {cause.problem or cause.context}", mark.line + 1 if mark else 1) from cause
    except yaml.YAMLError as cause:
        position = getattr(cause, "position", 0)
        raise YamlRefused("holds a character that YAML does not allow", text.count("\n", 0, position) + 1) from cause


class _Reader:
    def __init__(self) -> None:
        self._open: list[_Open] = []
        self._lines: dict[str, int] = {}
        self._documents = self._values = 0
        self._whole: Any = None

    def read(self, events: Iterator[Event]) -> Document:
        for event in events:
            self._take(event)
        return Document(self._whole, self._lines)

    def _take(self, event: Event) -> None:
        line = event.start_mark.line + 1
        if isinstance(event, DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise YamlRefused("holds more than one document", line)
        elif isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            raise YamlRefused("uses an anchor (&) or an alias (*), which are not read here: write the value out", line)
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            self._open.pop()
        elif isinstance(event, ScalarEvent):
            self._scalar(event, line)
        elif isinstance(event, MappingStartEvent | SequenceStartEvent):
            _refuse_tag(event.tag, line)
            if len(self._open) >= DEEPEST:
                raise YamlRefused(f"is nested more than {DEEPEST} deep", line)
            value: Any = {} if isinstance(event, MappingStartEvent) else []
            self._open.append(_Open(value, self._put(value, line)))

    def _scalar(self, event: ScalarEvent, line: int) -> None:
        _refuse_tag(event.tag, line)
        holder = self._open[-1] if self._open else None
        if holder is None or isinstance(holder.value, list) or holder.key is not None:
            self._put(event.value if event.style else _plain(event.value, line), line)
            return
        if event.value in holder.value:
            raise YamlRefused(f"gives {event.value[:64]!r} twice", line)
        if event.value == "<<" and not event.style:
            raise YamlRefused("uses a merge key (<<), which is not read here: write the values out", line)
        holder.key = event.value
        self._lines[pointer_to(*holder.path, event.value)] = line

    def _put(self, value: Any, line: int) -> tuple[str, ...]:
        """Put a value where it belongs; returns its path."""
        self._values += 1
        if self._values > MOST_VALUES:
            raise YamlRefused(f"holds more than {MOST_VALUES} values", line)
        if not self._open:
            self._whole = value
            return ()
        holder = self._open[-1]
        if isinstance(holder.value, list):
            path = (*holder.path, str(len(holder.value)))
            holder.value.append(value)
            self._lines[pointer_to(*path)] = line
            return path
        if holder.key is None:
            raise YamlRefused("has a key that is not a text", line)
        path = (*holder.path, holder.key)
        holder.value[holder.key] = value
        holder.key = None
        return path


def _plain(text: str, line: int) -> Any:
    """A scalar without quotes."""
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE_NUMBER.fullmatch(text):
        return int(text)
    if text.lstrip("-").isdigit() and len(text) > 18:  # noqa: PLR2004 - what fits into 64 bits in any case
        raise YamlRefused(f"holds the number {text[:24]}…; write it in quotes if it is a text", line)
    return text


def _refuse_tag(tag: str | None, line: int) -> None:
    if tag is not None and tag != "!":
        raise YamlRefused(f"uses the tag {tag[:64]!r}; there are none here", line)
