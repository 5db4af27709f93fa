"""`sealwright session`: where an account is signed in."""

from __future__ import annotations

from typing import Any

import click

from sealwright.cli.commands import CommandGroup, command
from sealwright.cli.confirmation import ask_first
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.errors import WrongUsage
from sealwright.cli.formatting import counted, parsed, stamp

session = CommandGroup("session", help="Sessions: list and end them.")


@command(
    "list",
    examples=["sealwright session list", "sealwright session list --person alice", "sealwright session list --all"],
)
@click.option("--person", metavar="NAME", help="Whose sessions. Default: your own.")
@click.option("--all", "everyone", is_flag=True, help="Those of everyone.")
@pass_context
def list_(context: CommandContext, person: str | None, everyone: bool) -> None:
    """List sessions: your own, those of another person, or those of everyone."""
    if person and everyone:
        raise WrongUsage("--person and --all exclude each other.")
    connection = context.connection()
    query = {"person": person} if person else {"all": "true"} if everyone else None
    values = connection.pages("auth", "sessions", query=query)
    fields = (
        ("ID", "id"),
        ("OWNER", "owner"),
        ("KIND", "kind"),
        ("FROM", "address"),
        ("SIGNED IN", "since"),
        ("LAST SEEN", "seen"),
        ("", "this"),
    )
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
        own = next((_shown(each) for each in connection.pages("auth", "sessions") if each["id"] == session_id), None)
        which = f"of yours, signed in {own['since']} from {own['address']}" if own else session_id
        return [f"The session {which}: applications that were signed in to in it lose their tokens."]

    ask_first(context, "End it?", tell)
    connection.call("DELETE", "auth", "sessions", session_id)
    context.output.confirm(f"Ended session {session_id}")
    context.output.json({"id": session_id, "ended": True})


@command(
    "end-all",
    examples=[
        "sealwright session end-all --others",
        "sealwright session end-all --person alice --yes",
    ],
    asks_first=True,
)
@click.option("--person", metavar="NAME", help="Whose sessions. Default: your own.")
@click.option("--others", is_flag=True, help="All but the one that you use now.")
@pass_context
def end_all(context: CommandContext, person: str | None, others: bool) -> None:
    """End every session of a person at once, and with them what was given to applications in them."""
    whose, which = person or "you", "every other session" if others else "every session"
    ask_first(
        context, "End them?", lambda: [f"{which.capitalize()} of {whose}: applications that were used in it lose their tokens."]
    )
    query = {"person": person} if person else {}
    value = context.connection().call("DELETE", "auth", "sessions", query={**query, **({"except": "current"} if others else {})})
    context.output.confirm(f"Ended {counted(value['ended'], 'session')}")
    context.output.json(value)


session.add_command(list_)
session.add_command(end_all)
session.add_command(end)
