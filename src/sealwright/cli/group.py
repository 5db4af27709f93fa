"""`sealwright group`."""

from __future__ import annotations

from typing import Any

import click

from sealwright.cli.commands import CommandGroup, command
from sealwright.cli.confirmation import ask_about_group
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.formatting import counted, listed, parsed, stamp

group = CommandGroup("group", help="Groups of people and groups.")

_FIELDS = (
    ("name", "name"),
    ("description", "description"),
    ("members", "members"),
    ("built in", "builtin"),
    ("id", "id"),
    ("created", "created"),
)


def _shown(value: dict[str, Any]) -> dict[str, Any]:
    return {**value, "created": stamp(parsed(value["created_at"]))}


@command("create", examples=["sealwright group create step-ca_users"])
@click.argument("name")
@click.option("--description", metavar="TEXT", default="", help="What the group is for.")
@pass_context
def create(context: CommandContext, name: str, description: str) -> None:
    """Create a group."""
    made = context.connection().call("POST", "groups", body={"name": name, "description": description})
    context.output.confirm(f"Created group {made['name']}")
    if context.output.tells_next_steps:
        context.output.note(f"Next, say who is in it: sealwright group add-members {made['name']} NAME")
    context.output.json(made)


@command("get", examples=["sealwright group get step-ca_users"])
@click.argument("name")
@pass_context
def get(context: CommandContext, name: str) -> None:
    """Show a group."""
    value = context.connection().call("GET", "groups", name)
    context.output.record(value if context.output.as_json else _shown(value), _FIELDS)


@command("list", examples=["sealwright group list"])
@pass_context
def list_(context: CommandContext) -> None:
    """List groups."""
    values = context.connection().pages("groups")
    fields = (("NAME", "name"), ("DESCRIPTION", "description"))
    context.output.table(values, fields, empty="There are no groups.")


@command(
    "add-members",
    examples=["sealwright group add-members step-ca_users alice@id.example.org", "sealwright group add-members staff web-team"],
)
@click.argument("name")
@click.argument("members", nargs=-1, required=True)
@pass_context
def add_members(context: CommandContext, name: str, members: tuple[str, ...]) -> None:
    """Add people or groups to a group. When one of them is not known, none is added."""
    changed = context.connection().call("PATCH", "groups", name, "members", body={"add": list(members)})
    context.output.confirm(f"Added {listed(members)} to {changed['name']} (now {counted(len(changed['members']), 'member')})")
    context.output.json(changed)


@command(
    "remove-members",
    examples=["sealwright group remove-members step-ca_users alice"],
)
@click.argument("name")
@click.argument("members", nargs=-1, required=True)
@pass_context
def remove_members(context: CommandContext, name: str, members: tuple[str, ...]) -> None:
    """Remove people or groups from a group."""
    changed = context.connection().call("PATCH", "groups", name, "members", body={"remove": list(members)})
    context.output.confirm(f"Removed {listed(members)} from {changed['name']} (now {counted(len(changed['members']), 'member')})")
    context.output.json(changed)


@command("list-members", examples=["sealwright group list-members step-ca_users"])
@click.argument("name")
@pass_context
def list_members(context: CommandContext, name: str) -> None:
    """List the members of a group."""
    value = context.connection().call("GET", "groups", name)
    for member in value["members"]:
        context.output.say(member)
        context.output.json({"member": member})
    if not value["members"]:
        context.output.note(f"{value['name']} has no members. Add some with: sealwright group add-members {value['name']} NAME")


@command(
    "delete",
    examples=["sealwright group delete step-ca_users", "sealwright group delete step-ca_users --even-if-used --yes"],
    asks_first=True,
)
@click.argument("name")
@click.option("--even-if-used", is_flag=True, help="Also when clients or provisioners use the group.")
@pass_context
def delete(context: CommandContext, name: str, even_if_used: bool) -> None:
    """Delete a group. Its members stay.

    A group that clients or provisioners use is not deleted without being told.
    """
    ask_about_group(context, name, even_if_used=even_if_used)
    context.connection().call("DELETE", "groups", name, query={"even_if_used": "true"} if even_if_used else None)
    context.output.confirm(f"Deleted group {name}")
    context.output.json({"name": name, "deleted": True})


for each in (create, get, list_, add_members, remove_members, list_members, delete):
    group.add_command(each)
