"""`sealwright group`."""

from __future__ import annotations

from typing import Any

import click

from sealwright.cli.account_policy import account_policy
from sealwright.cli.commands import CommandGroup, command
from sealwright.cli.confirmation import ask_about_group, ask_first
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.errors import WrongUsage
from sealwright.cli.formatting import counted, listed, parsed, stamp

group = CommandGroup("group", help="Groups of people and groups.")

_FIELDS = (
    ("name", "name"),
    ("description", "description"),
    ("members", "members"),
    ("managed by", "managed_by"),
    ("built in", "builtin"),
    ("id", "id"),
    ("created", "created"),
)


def _shown(value: dict[str, Any]) -> dict[str, Any]:
    return {**value, "created": stamp(parsed(value["created_at"]))}


@command("create", examples=["sealwright group create step-ca_users"])
@click.argument("name")
@click.argument("entry_manager", required=False)
@click.option("--description", metavar="TEXT", default="", help="What the group is for.")
@pass_context
def create(context: CommandContext, name: str, entry_manager: str | None, description: str) -> None:
    """Create a group. ENTRY_MANAGER, a person or a group, may change its members without being an administrator."""
    body = {"name": name, "description": description, "managed_by": entry_manager}
    made = context.connection().call("POST", "groups", body=body)
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


@command("search", examples=["sealwright group search team"])
@click.argument("text")
@pass_context
def search(context: CommandContext, text: str) -> None:
    """List groups by the beginnings of words of their names or descriptions."""
    values = context.connection().pages("groups", query={"search": text})
    fields = (("NAME", "name"), ("DESCRIPTION", "description"))
    context.output.table(values, fields, empty=f"No group's name or description has words that begin with {text!r}.")


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


@command("set-members", examples=["sealwright group set-members staff alice bob@id.example.org web-team"])
@click.argument("name")
@click.argument("members", nargs=-1, required=True)
@pass_context
def set_members(context: CommandContext, name: str, members: tuple[str, ...]) -> None:
    """Make these the only members of a group. When one of them is not known, nothing changes."""
    changed = context.connection().call("PUT", "groups", name, "members", body={"members": list(members)})
    context.output.confirm(f"{changed['name']} has now {counted(len(changed['members']), 'member')}")
    context.output.json(changed)


@command(
    "purge-members",
    examples=["sealwright group purge-members staff", "sealwright group purge-members staff --yes"],
    asks_first=True,
)
@click.argument("name")
@pass_context
def purge_members(context: CommandContext, name: str) -> None:
    """Remove all members from a group."""
    connection = context.connection()

    def tell() -> list[str]:
        number = len(connection.call("GET", "groups", name)["members"])
        return [f"{counted(number, 'member')} of {name} will not be in it any more; they stay themselves."]

    ask_first(context, f"Remove all members from {name}?", tell)
    changed = connection.call("PUT", "groups", name, "members", body={"members": []}, as_read=("groups", name))
    context.output.confirm(f"{changed['name']} has no members now")
    context.output.json(changed)


@command("rename", examples=["sealwright group rename staff employees"])
@click.argument("name")
@click.argument("new_name")
@click.option("--even-if-used", is_flag=True, help="Also when provisioners know the group by its name.")
@pass_context
def rename(context: CommandContext, name: str, new_name: str, even_if_used: bool) -> None:
    """Give a group another name. Members, scope maps and claim maps stay."""
    query = {"even_if_used": "true"} if even_if_used else None
    changed = context.connection().call("PATCH", "groups", name, body={"name": new_name}, query=query)
    context.output.confirm(f"Renamed {name} to {changed['name']}")
    context.output.json(changed)


@command("set-description", examples=['sealwright group set-description staff "Everyone who works here"'])
@click.argument("name")
@click.argument("description", required=False, default="")
@pass_context
def set_description(context: CommandContext, name: str, description: str) -> None:
    """Set what a group is for; without DESCRIPTION it has none."""
    changed = context.connection().call("PATCH", "groups", name, body={"description": description})
    context.output.confirm(f"{changed['name']} is described as {changed['description'] or 'nothing'}")
    context.output.json(changed)


@command(
    "set-entry-manager",
    examples=["sealwright group set-entry-manager staff alice", "sealwright group set-entry-manager staff --none"],
)
@click.argument("name")
@click.argument("manager", required=False)
@click.option("--none", "no_manager", is_flag=True, help="Take the group from its manager.")
@pass_context
def set_entry_manager(context: CommandContext, name: str, manager: str | None, no_manager: bool) -> None:
    """Let a person, or the members of a group, change the members of this group without being administrators."""
    if no_manager == (manager is not None):
        raise WrongUsage("who is to manage the group?", hint="Name a person or a group, or take it from its manager with --none.")
    changed = context.connection().call("PATCH", "groups", name, body={"managed_by": manager})
    context.output.confirm(f"{changed['name']} is managed by {changed['managed_by'] or 'administrators alone'}")
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

    A group that clients or provisioners use is deleted only with --even-if-used.
    """
    ask_about_group(context, name, even_if_used=even_if_used)
    context.connection().call("DELETE", "groups", name, query={"even_if_used": "true"} if even_if_used else None)
    context.output.confirm(f"Deleted group {name}")
    context.output.json({"name": name, "deleted": True})


for each in (
    *(create, get, list_, search, rename, set_description, set_entry_manager),
    *(add_members, remove_members, set_members, purge_members, list_members, delete),
):
    group.add_command(each)
group.add_command(account_policy)
