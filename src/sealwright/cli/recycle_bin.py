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

recycle_bin = CommandGroup("recycle-bin", help="Deleted people, service accounts, groups and clients.")
_PLACES = ("persons", "groups", "clients")
_FIELDS = (("NAME", "name"), ("KIND", "kind"), ("DELETED", "deleted"), ("BY", "deleted_by"), ("KEPT UNTIL", "until"))


_kind = click.option(
    "--kind", type=click.Choice(_PLACES), help="Where several that were deleted have the same name: which it is."
)


@command("list", examples=["sealwright recycle-bin list"])
@pass_context
def list_(context: CommandContext) -> None:
    """List what was deleted and can be revived."""
    values = _entries(context.connection())
    shown = values if context.output.as_json else map(_shown, values)
    context.output.table(shown, _FIELDS, empty="The recycle bin is empty.")


@command("get", examples=["sealwright recycle-bin get alice"])
@click.argument("name")
@_kind
@pass_context
def get(context: CommandContext, name: str, kind: str | None) -> None:
    """Show what was deleted, by its name or id."""
    value = _first(context.connection(), "GET", kind, name)
    fields = tuple((heading.lower(), member) for heading, member in (*_FIELDS, ("ID", "id")))
    context.output.record(value if context.output.as_json else _shown(value), fields)


@command("revive", examples=["sealwright recycle-bin revive alice", "sealwright recycle-bin revive wiki --kind clients"])
@click.argument("name")
@_kind
@pass_context
def revive(context: CommandContext, name: str, kind: str | None) -> None:
    """Bring a deleted person, service account, group or client back. Passwords, tokens and sessions do not come back.

    A client comes back with its maps, image, secret and keys; people are asked again what they allow it.
    """
    value = _first(context.connection(), "POST", kind, name, "revive")
    context.output.confirm(f"Revived {value['name']}")
    if value.get("lost_maps"):
        context.output.note(f"{value['lost_maps']} of its maps were for groups that are gone by now; they were left out.")
    if value.get("lost_mails"):
        context.output.note(f"Another account has {listed(value['lost_mails'])} by now; it was left out.")
    context.output.json(value)


def _entries(connection: Connection) -> Iterator[dict[str, Any]]:
    """What was deleted, as far as the caller may read each kind; raises where none may be read."""
    refusals = []
    for place in _PLACES:
        try:
            yield from connection.pages("recycle-bin", place)
        except RefusedByServer as refusal:
            refusals.append(refusal)
    if len(refusals) == len(_PLACES):
        raise refusals[0]


def _first(connection: Connection, method: str, kind: str | None, name: str, *more: str) -> dict[str, Any]:
    """Calls the API for an account of this name, else for a group, else for a client."""
    failures: list[Missing | RefusedByServer] = []
    for place in (kind,) if kind else _PLACES:
        try:
            return dict(connection.call(method, "recycle-bin", place, name, *more))
        except (Missing, RefusedByServer) as failure:
            failures.append(failure)
    raise failures[0]


def _shown(value: dict[str, Any]) -> dict[str, Any]:
    return {**value, "deleted": stamp(parsed(value["deleted_at"])), "until": stamp(parsed(value["kept_until"]))}


for each in (list_, get, revive):
    recycle_bin.add_command(each)
