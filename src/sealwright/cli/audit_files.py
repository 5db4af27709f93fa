"""`sealwright audit follow`, `export`, `keys` and `verify`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from sealwright.cli.audit_text import FILTERS, event_lines, query_of
from sealwright.cli.commands import command
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.errors import Clash, CommandFailed
from sealwright.cli.files import typed_path, write_private

_SECONDS = 10
"""How long one stream of new events is asked for; the next one goes on where it ended."""
_TELL_EVERY = 1.0


def filtered(function: Callable[..., None]) -> Callable[..., None]:
    """Let a command take the options that choose events."""
    for option in reversed(FILTERS):
        function = option(function)
    return function


@command(
    "follow",
    examples=[
        "sealwright audit follow",
        "sealwright audit follow --category auth --outcome refused",
        "sealwright audit follow -o json",
    ],
)
@filtered
@click.option("--after", metavar="PLACE", help="Go on after this place, which an earlier call printed when it ended.")
@click.option(
    "--for", "seconds", type=click.IntRange(1), metavar="SECONDS", help="Stop after so long. Default: when interrupted."
)
@pass_context
def follow(context: CommandContext, after: str | None, seconds: int | None, **only: str | None) -> None:
    """Show new events as they happen.

    It ends when it is interrupted, when the time is over, or when you may not read the record any more. What is printed last, to
    standard error, is where another call goes on without losing an event.
    """
    query = query_of(only, context.dependencies.now())
    connection = context.connection()
    end = None if seconds is None else time.monotonic() + seconds
    reached = {"place": after}
    held = bytearray()

    def take(piece: bytes) -> None:
        held.extend(piece)
        *lines, rest = held.split(b"\n")
        held[:] = rest
        for line in filter(None, lines):
            told = json.loads(line)
            reached["place"] = told["place"]
            if told["event"] is not None:
                _show(context, told["event"])

    try:
        while end is None or time.monotonic() < end:
            left = _SECONDS if end is None else max(0, min(_SECONDS, round(end - time.monotonic())))
            place = {"after": reached["place"]} if reached["place"] else {}
            held.clear()
            connection.download("audit", "follow", query={**query, **place, "seconds": str(left)}, take=take)
    finally:
        if reached["place"]:
            context.output.note(f"Go on from here with: sealwright audit follow --after {reached['place']}")


def _show(context: CommandContext, event: Mapping[str, Any]) -> None:
    if context.output.as_json:
        context.output.json(event)
    else:
        for line in event_lines(event):
            context.output.say(line)
    sys.stdout.flush()


@command(
    "export",
    examples=[
        "sealwright audit export audit.jsonl --since 2026-11-01",
        "sealwright audit export audit.csv --format csv --category auth",
        "sealwright audit export record.jsonl --chains",
    ],
)
@filtered
@click.option(
    "--since", metavar="TIME", help="Only from then on. A time (RFC 3339), a day, or a duration before now, such as 2h."
)
@click.option("--until", metavar="TIME", help="Only before then. In the same forms.")
@click.option(
    "--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True, help="JSON lines or a table."
)
@click.option("--chains", is_flag=True, help="All rows as they are stored, for: sealwright audit verify")
@click.argument("file")
@pass_context
def export(context: CommandContext, form: str, file: str, *, chains: bool, **only: str | None) -> None:
    """Write events to a file, the newest first, in memory that does not grow with their number.

    How far it is goes to standard error. A file that could not be finished is removed.
    """
    target = typed_path(file)
    if target.exists():
        raise Clash(f"{target} is there already.", hint="Choose another name.")
    query = query_of(only, context.dependencies.now())
    if chains and (query or form != "jsonl"):
        raise click.UsageError("--chains takes all rows, as JSON lines: leave filters and --format out.")
    path = ("audit", "chains") if chains else ("audit", "export" if form == "jsonl" else "export.csv")
    lines, told = 0, time.monotonic()
    try:
        with target.open("xb") as opened:
            target.chmod(0o600)

            def take(piece: bytes) -> None:
                nonlocal lines, told
                opened.write(piece)
                lines += piece.count(b"\n")
                if time.monotonic() - told >= _TELL_EVERY:
                    told = time.monotonic()
                    context.output.note(f"{lines:,} lines so far")

            context.connection().download(*path, query=query, take=take)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    context.output.done(f"{lines:,} lines are in {target}.")


@command("keys", examples=["sealwright audit keys audit-keys.json"])
@click.argument("file")
@pass_context
def keys(context: CommandContext, file: str) -> None:
    """Write the public keys of the audit record's checkpoints to a file. Keep it away from the server."""
    found = context.connection().call("GET", "audit", "keys")
    target = typed_path(file)
    write_private(target, json.dumps(found, indent=2).encode() + b"\n")
    context.output.done(f"{len(found['keys'])} keys are in {target}.")


@command("verify", examples=["sealwright audit verify record.jsonl --key audit-keys.json"])
@click.argument("file")
@click.option("--key", "key_file", required=True, metavar="FILE", help="The public keys, as `sealwright audit keys` wrote them.")
@pass_context
def verify(context: CommandContext, file: str, key_file: str) -> None:
    """Check an exported record without its server: that no row was changed, removed or put in another place.

    The file is that of `sealwright audit export --chains`. The first bad row is named. Rows that were signed by a checkpoint
    cannot be missing; the newest ones after it could be, and how many those are is said.
    """
    found = context.server_side().verify_record(_there(file), _there(key_file))
    if context.output.as_json:
        context.output.json(found._asdict())
        return
    signed = f"signed until {found.signed_at}" if found.signed_at else "not signed at all"
    context.output.done(f"{found.rows:,} rows in {found.chains} chains are unbroken and {signed}.")
    if found.unsigned_rows:
        context.output.note(f"{found.unsigned_rows:,} rows are newer than the checkpoints; rows after them could be missing.")
    if found.purged_chains:
        context.output.note(f"Older rows of {found.purged_chains} chains were purged, with a signature.")


def _there(file: str) -> Path:
    path = typed_path(file)
    if not path.is_file():
        raise CommandFailed(f"there is no file {path}.", hint="Write the name of a file that is there.")
    return path
