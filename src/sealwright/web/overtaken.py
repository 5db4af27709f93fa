"""A form that someone else overtook: it carries the version that it was made from, and is saved only while that version stands.

A version is an entity tag, as in the API, of the fields that the form was made from. It is compared before anything else, and
once more in the transaction that saves, so that no one can come in between.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from msgspec import Struct

from sealwright.db import Transaction, around_writes, reading_in
from sealwright.errors import Conflict, InvalidInput
from sealwright.http import ChangedMeanwhile, entity_tag, require_version

_NONE = '""'
"""The tag of no version: of a form that carries none."""


class OvertakenForm(Struct, frozen=True):
    """What someone else changed while a form was open."""

    changes: tuple[tuple[str, str, str], ...]
    """Label, as it is now, as it was typed: of each field that was changed meanwhile, where the two differ."""


class FormOvertaken(Conflict):
    """What the form was made from is not what there is any more."""

    code = "form_overtaken"

    def __init__(self, detail: str, form: OvertakenForm) -> None:
        super().__init__(detail, hint="Compare what you typed with what there is now, and save again.")
        self.form = form


Reading = Callable[[], Awaitable[Mapping[str, str]]]
"""Reads the fields as they are now."""


def version_of(fields: Mapping[str, str]) -> str:
    """What a form carries along of the fields that it was made from; a change of any of them is another version."""
    return entity_tag(dict(fields))


@asynccontextmanager
async def unless_overtaken(
    version: str, read: Reading, typed: Mapping[str, str], labels: Mapping[str, str]
) -> AsyncIterator[None]:
    """What is written in the block is written only while the fields are of this version; else FormOvertaken says what changed."""
    judged = _Unchanged(version, read, typed, labels)
    judged.require(await read())
    with around_writes(judged):
        yield


class _Unchanged:
    """Compares the version in every transaction until one is durable, which has saved the form."""

    judges = True

    def __init__(self, version: str, read: Reading, typed: Mapping[str, str], labels: Mapping[str, str]) -> None:
        self._version = version or _NONE
        self._read = read
        self._typed = typed
        self._labels = labels
        self._saved = False

    def require(self, current: Mapping[str, str]) -> None:
        """Raise FormOvertaken unless this is the version that the form was made from."""
        try:
            require_version(self._version, dict(current), "What the form was made from")
        except ChangedMeanwhile as cause:
            raise self._overtaken(current, cause.changed) from cause
        except InvalidInput as cause:  # no version at all
            raise self._overtaken(current, ()) from cause

    async def begin(self, tx: Transaction) -> None:
        if not self._saved:
            with reading_in(tx):
                current = await self._read()
            self.require(current)

    def committed(self) -> None:
        self._saved = True

    def _overtaken(self, current: Mapping[str, str], changed: tuple[str, ...]) -> FormOvertaken:
        names = [name for name in self._labels if not changed or name in changed]
        pairs = ((name, current.get(name, ""), self._typed.get(name, "")) for name in names)
        rows = tuple((self._labels[name], now, typed) for name, now, typed in pairs if now != typed)
        return FormOvertaken("Someone changed this while the form was open. Nothing was saved.", OvertakenForm(rows))
