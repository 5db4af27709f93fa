"""`sealwright session`: where an account is signed in."""

from __future__ import annotations

from typing import Any

import click

from sealwright.cli.commands import CommandGroup, command
from sealwright.cli.confirmation import ask_first
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.formatting import parsed, stamp

session = CommandGroup("session", help="Sessions: list and end them.")


@command(
    "list",
    examples=["sealwright session list", "sealwright session list --person alice"],
)
@click.option("--person", metavar="NAME", help="Whose sessions. Default: your own.")
@pass_context
def list_(context: CommandContext, person: str | None) -> None:
    """List sessions: your own, or with --person those of another person."""
    connection = context.connection()
    values = connection.pages("sessions", query={"person": person} if person else None)
    fields = (("ID", "id"), ("KIND", "kind"), ("FROM", "address"), ("SIGNED IN", "since"), ("LAST SEEN", "seen"), ("", "this"))
    shown = values if context.output.as_json else map(_shown, values)
    context.output.table(shown, fields, empty="No session is open.")


def _shown(value: dict[str, Any]) -> dict[str, Any]:
    return {
        **value,
        "since": stamp(parsed(value["created_at"])),
        "seen": stamp(parsed(value["last_seen_at"])),
        "this": "this session" if value["current"] else " ",
    }


@command(
    "end",
    examples=[
        "sealwright session end 5b0c8f0e-8d6f-4c02-9d55-6f0a3c1f8e77",
        "sealwright session end 5b0c8f0e-8d6f-4c02-9d55-6f0a3c1f8e77 --yes",
    ],
    asks_first=True,
)
@click.argument("session_id", metavar="ID")
@pass_context
def end(context: CommandContext, session_id: str) -> None:
    """End a session at once, and with it what was given to applications in it."""
    connection = context.connection()

    def tell() -> list[str]:
        own = next((_shown(each) for each in connection.pages("sessions") if each["id"] == session_id), None)
        which = f"of yours, signed in {own['since']} from {own['address']}" if own else session_id
        return [f"The session {which}: applications that were signed in to in it lose their tokens."]

    ask_first(context, "End it?", tell)
    connection.call("DELETE", "sessions", session_id)
    context.output.confirm(f"Ended session {session_id}")
    context.output.json({"id": session_id, "ended": True})


session.add_command(list_)
session.add_command(end)
