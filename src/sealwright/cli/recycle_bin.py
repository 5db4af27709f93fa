"""`sealwright recycle-bin`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from sealwright.cli.commands import CommandGroup, command
from sealwright.cli.connection import Connection
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.errors import Missing, RefusedByServer
from sealwright.cli.formatting import listed, parsed, stamp

recycle_bin = CommandGroup("recycle-bin", help="Deleted people, service accounts and groups.")
_PLACES = ("persons", "groups")
_FIELDS = (("NAME", "name"), ("KIND", "kind"), ("DELETED", "deleted"), ("BY", "deleted_by"), ("KEPT UNTIL", "until"))


@command("list", examples=["sealwright recycle-bin list"])
@pass_context
def list_(context: CommandContext) -> None:
    """List what was deleted and can be revived."""
    values = _entries(context.connection())
    shown = values if context.output.as_json else map(_shown, values)
    context.output.table(shown, _FIELDS, empty="The recycle bin is empty.")


@command("get", examples=["sealwright recycle-bin get alice"])
@click.argument("name")
@pass_context
def get(context: CommandContext, name: str) -> None:
    """Show what was deleted, by its name or id."""
    value = _first(context.connection(), "GET", name)
    fields = tuple((heading.lower(), member) for heading, member in (*_FIELDS, ("ID", "id")))
    context.output.record(value if context.output.as_json else _shown(value), fields)


@command("revive", examples=["sealwright recycle-bin revive alice"])
@click.argument("name")
@pass_context
def revive(context: CommandContext, name: str) -> None:
    """Bring a deleted person, service account or group back. Passwords, tokens and sessions do not come back."""
    value = _first(context.connection(), "POST", name, "revive")
    context.output.confirm(f"Revived {value['name']}")
    if value["lost_mails"]:
        context.output.note(f"Another account has {listed(value['lost_mails'])} by now; it was left out.")
    context.output.json(value)


def _entries(connection: Connection) -> Iterator[dict[str, Any]]:
    """Deleted accounts and groups, as far as the caller may read each; raises where neither may be read."""
    refusals = []
    for place in _PLACES:
        try:
            yield from connection.pages("recycle-bin", place)
        except RefusedByServer as refusal:
            refusals.append(refusal)
    if len(refusals) == len(_PLACES):
        raise refusals[0]


def _first(connection: Connection, method: str, name: str, *more: str) -> dict[str, Any]:
    """Calls the API for an account of this name, and for a group where there is no such account."""
    try:
        return dict(connection.call(method, "recycle-bin", "persons", name, *more))
    except (Missing, RefusedByServer) as failure:
        try:
            return dict(connection.call(method, "recycle-bin", "groups", name, *more))
        except (Missing, RefusedByServer):
            raise failure from None


def _shown(value: dict[str, Any]) -> dict[str, Any]:
    return {**value, "deleted": stamp(parsed(value["deleted_at"])), "until": stamp(parsed(value["kept_until"]))}


for each in (list_, get, revive):
    recycle_bin.add_command(each)
