"""Imports of people."""

from __future__ import annotations

from sealwright.access import Permission
from sealwright.api.json_types import Moment, RequestBody, ResponseBody, moment
from sealwright.api.operations import Call, Operation
from sealwright.identity import ImportedPerson, ImportFault, PersonImports

_WRITE = str(Permission.PERSON_WRITE)
LARGEST_PIECE = 1024 * 1024


class ImportView(ResponseBody, frozen=True, kw_only=True):
    """An import that has begun."""

    id: str
    expires_at: Moment


class PeopleBody(RequestBody, frozen=True, kw_only=True):
    """People to import, as far as a piece goes."""

    people: tuple[ImportedPerson, ...]


class PieceView(ResponseBody, frozen=True, kw_only=True):
    """What is wrong with a piece. Where anything is, nothing of the piece is kept."""

    faults: list[ImportFault]


class ImportedView(ResponseBody, frozen=True, kw_only=True):
    """How many people were created."""

    people: int


class PersonImportOperations:
    """People are handed in piece by piece, and created all at once at the end."""

    def __init__(self, imports: PersonImports) -> None:
        self._imports = imports

    def operations(self) -> list[Operation]:
        """All of them."""
        place, one = "/person-imports", "/person-imports/{id}"
        return [
            Operation(
                "begin_import", "POST", place, "Begin an import of people.", _WRITE, self._begin, returns=ImportView, status=201
            ),
            Operation(
                "add_to_import",
                "POST",
                f"{one}/people",
                "Hand in people with hashes of their passwords; no one is created yet.",
                _WRITE,
                self._add,
                returns=PieceView,
                accepts=PeopleBody,
                max_body=LARGEST_PIECE,
            ),
            Operation(
                "finish_import",
                "POST",
                f"{one}/finish",
                "Create everyone who was handed in, or no one.",
                _WRITE,
                self._finish,
                returns=ImportedView,
            ),
            Operation("cancel_import", "DELETE", one, "Forget an import.", _WRITE, self._cancel, status=204),
        ]

    async def _begin(self, call: Call) -> ImportView:
        import_id, expires_at = await self._imports.begin(actor=call.actor)
        return ImportView(id=import_id, expires_at=moment(expires_at))

    async def _add(self, call: Call) -> PieceView:
        return PieceView(faults=await self._imports.add(call.path("id"), call.body.people, actor=call.actor))

    async def _finish(self, call: Call) -> ImportedView:
        return ImportedView(people=await self._imports.finish(call.path("id"), actor=call.actor))

    async def _cancel(self, call: Call) -> None:
        await self._imports.cancel(actor=call.actor)
