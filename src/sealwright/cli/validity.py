"""`validity`: from when and until when an account may be used."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from sealwright.cli.commands import CommandGroup, command
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.errors import WrongUsage
from sealwright.cli.formatting import parsed, stamp

_OPEN = ("never", "clear", "any", "whenever")
_WHEN = "now, a date, a time such as 2026-12-24T18:00:00Z, or clear"


def validity_commands(noun: str, place: str, example: str) -> CommandGroup:
    """The commands for one kind of account; `noun` is its command, `place` where the API has it, `example` a name."""
    group = CommandGroup("validity", help="From when and until when an account may be used.")

    @command("show", examples=[f"sealwright {noun} validity show {example}"])
    @click.argument("name")
    @pass_context
    def show(context: CommandContext, name: str) -> None:
        """Show from when and until when an account may be used."""
        _tell(context, context.connection().call("GET", place, name))

    @command(
        "expire-at",
        examples=[
            f"sealwright {noun} validity expire-at {example} 2026-12-31T18:00:00+01:00",
            f"sealwright {noun} validity expire-at {example} never",
        ],
    )
    @click.argument("name")
    @click.argument("when")
    @pass_context
    def expire_at(context: CommandContext, name: str, when: str) -> None:
        """Set until when an account may be used: now, a date, or a time with its zone; never takes the end away."""
        body = {"valid_until": moment_of(context, when)}
        _tell(context, context.connection().call("PATCH", place, name, "validity", body=body))

    @command(
        "begin-from",
        examples=[
            f"sealwright {noun} validity begin-from {example} 2026-12-01",
            f"sealwright {noun} validity begin-from {example} clear",
        ],
    )
    @click.argument("name")
    @click.argument("when")
    @pass_context
    def begin_from(context: CommandContext, name: str, when: str) -> None:
        """Set from when an account may be used: now, a date, or a time with its zone; clear takes the beginning away."""
        body = {"valid_from": moment_of(context, when)}
        _tell(context, context.connection().call("PATCH", place, name, "validity", body=body))

    for each in (show, expire_at, begin_from):
        group.add_command(each)
    return group


def moment_of(context: CommandContext, when: str) -> str | None:
    """A moment as the API takes it, from what was typed; None where it says never."""
    if when.lower() in _OPEN:
        return None
    if when.lower() == "now":
        return context.dependencies.now().isoformat()
    try:
        found = datetime.fromisoformat(when)
    except ValueError as cause:
        raise WrongUsage(f"{when[:40]!r} is not a time.", hint=f"Give {_WHEN}.") from cause
    return (found if found.tzinfo else found.astimezone()).isoformat()  # a date is one of the reader's zone


def _tell(context: CommandContext, value: dict[str, Any]) -> None:
    def text(member: str, otherwise: str) -> str:
        return stamp(parsed(value[member])) if value[member] else otherwise

    shown = {**value, "from": text("valid_from", "any time"), "until": text("valid_until", "never")}
    fields = (("name", "name"), ("valid after", "from"), ("expires at", "until"), ("state", "state"))
    context.output.record(value if context.output.as_json else shown, fields)
