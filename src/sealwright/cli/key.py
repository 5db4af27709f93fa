"""`sealwright key`: API keys."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import click

from sealwright.cli.commands import CommandGroup, command
from sealwright.cli.confirmation import ask_first
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.durations import typed_duration
from sealwright.cli.errors import WrongUsage
from sealwright.cli.formatting import listed, parsed, stamp

key = CommandGroup(
    "key", help="API keys of people.", aliases={"status": "list", "get": "show", "destroy": "revoke", "scope-down": "narrow"}
)
_PLACE = ("auth", "keys")
_FIELDS = (
    ("name", "name"),
    ("owner", "owner"),
    ("begins", "beginning"),
    ("state", "state"),
    ("may", "scopes"),
    ("used with", "used"),
    ("never used with", "unused"),
    ("created", "created"),
    ("expires", "expires"),
    ("last used", "last_used"),
    ("id", "id"),
)


@command(
    "create",
    examples=[
        "sealwright key create backup person:read group:read",
        "sealwright key create deploy r-operator --expires 30d",
    ],
)
@click.argument("name")
@click.argument("scopes", metavar="SCOPE...", nargs=-1, required=True)
@click.option("--expires", metavar="DURATION", help="How long it is valid, such as 8h or 30d; at most a year. Default: 90 days.")
@pass_context
def create(context: CommandContext, name: str, scopes: tuple[str, ...], expires: str | None) -> None:
    """Make an API key of yours and print it; it is shown only now.

    SCOPE is a permission or a role; nothing that you may not do yourself. A program sends it as: Authorization: Bearer KEY
    """
    ends = None if expires is None else _after(context.dependencies.now(), typed_duration("--expires", expires))
    body = {"name": name, "scopes": list(scopes), "expires_at": ends}
    made = context.connection().call("POST", *_PLACE, body=body)
    context.output.confirm(
        f"Made the key {made['name']}, which may {listed(made['scopes'])} until {stamp(parsed(made['expires_at']))}"
    )
    _print_secret(context, made)


@command("list", examples=["sealwright key list", "sealwright key list --person alice", "sealwright key list --all"])
@click.option("--person", metavar="NAME", help="Whose keys. Default: your own.")
@click.option("--all", "everyone", is_flag=True, help="Those of everyone.")
@pass_context
def list_(context: CommandContext, person: str | None, everyone: bool) -> None:
    """List API keys, also those that have ended within a month."""
    if person and everyone:
        raise WrongUsage("--person and --all exclude each other.")
    query = {"person": person} if person else {"all": "true"} if everyone else None
    values = context.connection().pages(*_PLACE, query=query)
    fields = (
        ("ID", "id"),
        ("NAME", "name"),
        ("OWNER", "owner"),
        ("MAY", "may"),
        ("STATE", "state"),
        ("EXPIRES", "expires"),
        ("LAST USED", "last_used"),
    )
    shown = values if context.output.as_json else ({**_shown(each), "may": ", ".join(each["scopes"])} for each in values)
    context.output.table(shown, fields, empty="There are no keys. Make one with: sealwright key create NAME SCOPE")


@command("show", examples=["sealwright key show 5b0c8f0e-8d6f-4c02-9d55-6f0a3c1f8e77"])
@click.argument("key_id", metavar="ID")
@pass_context
def show(context: CommandContext, key_id: str) -> None:
    """Show an API key: what it may do, what of that it was used with, and what it never needed."""
    value = context.connection().call("GET", *_PLACE, key_id)
    _tell(context, value)
    if context.output.tells_next_steps and value["used"] and value["unused"]:
        context.output.note(f"To leave it what it was used with: sealwright key narrow {value['id']}")


@command(
    "rotate",
    examples=[
        "sealwright key rotate 5b0c8f0e-8d6f-4c02-9d55-6f0a3c1f8e77",
        "sealwright key rotate 5b0c8f0e-8d6f-4c02-9d55-6f0a3c1f8e77 --overlap 1h",
    ],
)
@click.argument("key_id", metavar="ID")
@click.option("--overlap", metavar="DURATION", default="24h", show_default=True, help="How long the old key stays valid.")
@pass_context
def rotate(context: CommandContext, key_id: str, overlap: str) -> None:
    """Make the successor of an API key of yours and print it: same name, same scope, same duration."""
    body = {"overlap": int(typed_duration("--overlap", overlap).total_seconds())}
    made = context.connection().call("POST", *_PLACE, key_id, "rotate", body=body)
    context.output.confirm(f"Made the successor of the key {made['name']}; the old one is valid for {overlap} more")
    _print_secret(context, made)


@command(
    "narrow",
    examples=[
        "sealwright key narrow 5b0c8f0e-8d6f-4c02-9d55-6f0a3c1f8e77",
        "sealwright key narrow 5b0c8f0e-8d6f-4c02-9d55-6f0a3c1f8e77 person:read --yes",
    ],
    asks_first=True,
)
@click.argument("key_id", metavar="ID")
@click.argument("scopes", metavar="[SCOPE...]", nargs=-1)
@pass_context
def narrow(context: CommandContext, key_id: str, scopes: tuple[str, ...]) -> None:
    """Take from an API key what it was never used with, or leave it exactly the SCOPEs that you name."""
    connection = context.connection()

    def tell() -> list[str]:
        found = connection.call("GET", *_PLACE, key_id)
        left = list(scopes) or [each["permission"] for each in found["used"]]
        return [
            f"The key {found['name']} of {found['owner']} may {listed(found['scopes'])}; it keeps {listed(left) or 'nothing'}."
        ]

    ask_first(context, "Narrow it?", tell)
    value = connection.call("POST", *_PLACE, key_id, "narrow", body={"scopes": list(scopes) or None}, as_read=(*_PLACE, key_id))
    context.output.confirm(f"The key {value['name']} may {listed(value['scopes'])} from now on")
    context.output.json(value)


@command(
    "revoke",
    examples=[
        "sealwright key revoke 5b0c8f0e-8d6f-4c02-9d55-6f0a3c1f8e77",
        "sealwright key revoke 5b0c8f0e-8d6f-4c02-9d55-6f0a3c1f8e77 --yes",
    ],
    asks_first=True,
)
@click.argument("key_id", metavar="ID")
@pass_context
def revoke(context: CommandContext, key_id: str) -> None:
    """End an API key at once."""
    connection = context.connection()

    def tell() -> list[str]:
        found = connection.call("GET", *_PLACE, key_id)
        used = stamp(parsed(found["last_used_at"])) if found["last_used_at"] else "never"
        return [f"The key {found['name']} of {found['owner']} will open nothing any more; it was last used {used}."]

    ask_first(context, "Revoke it?", tell)
    connection.call("DELETE", *_PLACE, key_id, as_read=(*_PLACE, key_id))
    context.output.confirm(f"Revoked key {key_id}")
    context.output.json({"id": key_id, "revoked": True})


def _print_secret(context: CommandContext, made: dict[str, Any]) -> None:
    context.output.say(made["key"])
    context.output.note("It is shown only now.")
    context.output.json(made)


def _tell(context: CommandContext, value: dict[str, Any]) -> None:
    used = [f"{each['permission']} ({stamp(parsed(each['last_used_at']))})" for each in value["used"]]
    context.output.record(value if context.output.as_json else {**_shown(value), "used": used}, _FIELDS)


def _shown(value: dict[str, Any]) -> dict[str, Any]:
    def text(member: str) -> str:
        return stamp(parsed(value[member])) if value[member] else "never"

    return {**value, "created": text("created_at"), "expires": text("expires_at"), "last_used": text("last_used_at")}


def _after(now: datetime, duration: timedelta) -> str:
    return (now + duration).isoformat()


for each in (create, list_, show, rotate, narrow, revoke):
    key.add_command(each)
