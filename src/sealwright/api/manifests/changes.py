"""What applying a manifest changed, object by object and member by member."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from sealwright.api.json_types import ResponseBody
from sealwright.errors import Failure, pointer_to


class MemberChange(ResponseBody, frozen=True, kw_only=True):
    """One member that is different. The values of a secret are not shown."""

    name: str
    before: Any
    after: Any


class ObjectChange(ResponseBody, frozen=True, kw_only=True):
    """One object that was created, changed or deleted."""

    kind: Literal["group", "person", "service account", "role", "issuer", "client", "trusted issuer", "profile", "provisioner"]
    name: str
    action: Literal["create", "change", "delete"]
    members: list[MemberChange]


Differences = Mapping[str, tuple[Any, Any]]
"""Member → its value before and after."""


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The members of `after` that have another value in `before`."""
    return {name: (before.get(name), value) for name, value in after.items() if before.get(name) != value}


def member_changes(differences: Differences) -> list[MemberChange]:
    """The differences as members of a response."""
    return [MemberChange(name=name, before=before, after=after) for name, (before, after) in differences.items()]


@contextmanager
def at(*path: str) -> Iterator[None]:
    """What is raised in the block is about this value of the entry, whatever the operation that is called calls it."""
    try:
        yield
    except Failure as failure:
        failure.pointer = pointer_to(*path)
        raise
