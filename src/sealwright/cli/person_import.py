"""`sealwright person import`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sealwright.cli.commands import command
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.errors import CommandFailed, Missing, ValueRefused, WrongUsage
from sealwright.cli.formatting import counted

if TYPE_CHECKING:
    from sealwright.cli.connection import Connection
    from sealwright.cli.people_files import FileFault

PIECE = 200
FORMATS = ("csv", "ldif", "kanidm")
_MOST_SHOWN = 20
_MOST_FAULTS = 1_000
_PROGRESS_EVERY = 1_000


@command(
    "import",
    examples=[
        "sealwright person import people.csv --dry-run",
        "sealwright person import people.csv",
        "sealwright person import people.ldif --unverified-mail",
        "sealwright person import kanidm.json",
    ],
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(FORMATS), help="What FILE is. Default: as its name ends.")
@click.option("--dry-run", is_flag=True, help="Import no one; say what is wrong, or how many there are.")
@click.option("--unverified-mail", is_flag=True, help="Do not vouch for the mail addresses: people confirm them by themselves.")
@pass_context
def import_(context: CommandContext, file: Path, form: str | None, dry_run: bool, unverified_mail: bool) -> None:
    """Create people of another server, with the hashes of their passwords: all of them or, where a line is wrong, no one.

    FILE is CSV, LDIF, or an export of Kanidm. A hash is verified when its person signs in, and then replaced by one of ours.
    """
    from sealwright.cli.people_files import EXTENSIONS

    kind = form or EXTENSIONS.get(file.suffix.lower())
    if kind is None:
        raise WrongUsage(f"{file} ends in none of {', '.join(EXTENSIONS)}.", hint="Say what it is: --format csv")
    connection = context.connection()
    begun = connection.call("POST", "person-imports")["id"]
    try:
        faults, number = _hand_in(context, connection, begun, _people(file, kind, verified=not unverified_mail))
        _require_right(file, faults, number)
        if dry_run:
            connection.call("DELETE", "person-imports", begun)
        else:
            number = connection.call("POST", "person-imports", begun, "finish")["people"]
    except BaseException:
        with suppress(CommandFailed):
            connection.call("DELETE", "person-imports", begun)
        raise
    whom = "1 person" if number == 1 else f"{number} people"
    context.output.say(f"{whom} can be imported from {file}." if dry_run else f"Imported {whom} from {file}.")
    context.output.json({"people": number, "dry_run": dry_run})


def _hand_in(
    context: CommandContext, connection: Connection, begun: str, people: Iterable[dict[str, Any] | FileFault]
) -> tuple[list[FileFault], int]:
    """Hand everyone in, piece by piece; what is wrong, and how many there are."""
    from sealwright.cli.people_files import FileFault

    faults: list[FileFault] = []
    seen: dict[tuple[str, str], int] = {}
    piece: list[dict[str, Any]] = []
    number = 0

    def hand_over() -> None:
        if piece:
            answer = connection.call("POST", "person-imports", begun, "people", body={"people": piece})
            faults.extend(FileFault(each["line"], each["field"], each["detail"], each["hint"]) for each in answer["faults"])
            piece.clear()

    for each in people:
        if len(faults) > _MOST_FAULTS:
            break
        if isinstance(each, FileFault):
            faults.append(each)
            continue
        faults += _twice(each, seen)
        piece.append(each)
        number += 1
        if len(piece) == PIECE:
            hand_over()
        if number % _PROGRESS_EVERY == 0:
            context.output.note(f"{number} people checked …")
    hand_over()
    return sorted(faults), number


def _twice(person: dict[str, Any], seen: dict[tuple[str, str], int]) -> Iterator[FileFault]:
    from sealwright.cli.people_files import FileFault

    for field, value in (("name", person["name"]), *(("mail", each.lower()) for each in person["mails"])):
        before = seen.setdefault((field, value), person["line"])
        if value and before != person["line"]:
            yield FileFault(person["line"], field, f"{value!r} stands in line {before} already.", "Take one of the two out.")


def _people(file: Path, kind: str, *, verified: bool) -> Iterator[dict[str, Any] | FileFault]:
    from sealwright.cli.people_files import READERS, FileFault

    try:
        with file.open(encoding="utf-8-sig", newline="" if kind == "csv" else None) as opened:
            for each in READERS[kind](opened):
                yield each if isinstance(each, FileFault) else {**each, "mails_verified": verified}
    except FileNotFoundError as cause:
        raise Missing(f"there is no file {file}.") from cause
    except UnicodeDecodeError as cause:
        raise ValueRefused(f"{file} is not text in UTF-8.", hint="Save it as UTF-8.") from cause
    except OSError as cause:
        raise CommandFailed(f"{file} cannot be read: {(cause.strerror or 'it failed').lower()}.") from cause


def _require_right(file: Path, faults: list[FileFault], number: int) -> None:
    """Raise ValueRefused with every fault and its line; or where there is no one."""
    if not number and not faults:
        raise ValueRefused(f"there is no one in {file}.")
    if not faults:
        return
    lines = [f"{file}, line {each.line}, {each.field}: {each.detail} {each.hint}".rstrip() for each in faults]
    more = [f"and {counted(len(lines) - _MOST_SHOWN, 'fault')} more"] if len(lines) > _MOST_SHOWN else []
    raise ValueRefused(lines[0], reasons=(*lines[1:_MOST_SHOWN], *more, "no one was imported"))
