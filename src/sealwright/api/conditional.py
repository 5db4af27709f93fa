"""Conditional requests (RFC 9110, section 13): which version of an object a caller has seen, and whether it is still the one.

The object of an operation is what is read at its address, or else at the nearest address above it. Its version is compared in
the same transaction as the change, so that no one can come in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from msgspec.structs import replace

from sealwright.api.operations import Call, Operation
from sealwright.db import Transaction, around_writes, reading_in
from sealwright.errors import InvalidInput
from sealwright.http import entity_tag, is_one_of, require_version

IF_MATCH, IF_NONE_MATCH = "if-match", "if-none-match"
_OBJECT = "application/json"
_CHANGES = frozenset({"PATCH", "PUT", "DELETE"})


def readable_objects(operations: Sequence[Operation]) -> Mapping[str, Operation]:
    """Path → what reads the object there: all that can be changed at the same path. A list is no object: others are added."""
    changed = {each.whole_path for each in operations if each.method in _CHANGES and "{" in each.path}
    return {
        each.whole_path: each
        for each in operations
        if each.method == "GET" and each.whole_path in changed and each.media_type == _OBJECT and not each.shows_secret
    }


def object_of(operation: Operation, objects: Mapping[str, Operation]) -> Operation | None:
    """The operation that reads the object which this one reads or changes; None where there is no version to compare."""
    path = operation.whole_path
    if operation.method == "GET":
        return objects.get(path)
    while path:
        if path in objects:
            return objects[path]
        path = path.rpartition("/")[0]
    return None


@contextmanager
def only_if_unchanged(call: Call, shown_by: Operation | None) -> Iterator[None]:
    """What is written within is written only where the object is in the version that the caller names with If-Match."""
    header = call.request.headers.get(IF_MATCH)
    if header is None:
        yield
        return
    if shown_by is None:
        raise InvalidInput(
            f"{call.request.method} {call.request.path[:120]} takes no If-Match: there is no version to compare.",
            hint="Send it without If-Match, or to the address of one object.",
        )
    is_one_of(header, "")  # a header that cannot be read is refused before anything is done
    with around_writes(_Unchanged(header, call, shown_by)):
        yield


class _Unchanged:
    """Compares the version in every transaction until one is durable, which has made the change."""

    judges = True

    def __init__(self, header: str, call: Call, shown_by: Operation) -> None:
        self._header = header
        self._shown_by = shown_by
        self._call = replace(call, request=replace(call.request, method="GET", query_text="", body=b""), body=None, query={})
        self._changed = False

    async def begin(self, tx: Transaction) -> None:
        if not self._changed:
            with reading_in(tx):
                found = await self._shown_by.run(self._call)
            require_version(self._header, found, self._address())

    def committed(self) -> None:
        self._changed = True

    def _address(self) -> str:
        path = self._shown_by.whole_path
        for name, value in self._call.request.path_parameters.items():
            path = path.replace(f"{{{name}}}", value)
        return path[:120]


def tag_of(answer: Any, operation: Operation, shown_by: Operation | None) -> str:
    """The entity tag of what is returned; empty where it is not the representation of the object."""
    if shown_by is None or answer is None or operation.returns is not shown_by.returns:
        return ""
    return entity_tag(answer)


def is_known(call: Call, tag: str) -> bool:
    """Whether the caller of a GET has this version already."""
    header = call.request.headers.get(IF_NONE_MATCH)
    return bool(tag) and header is not None and is_one_of(header, tag, weak=True)
