"""`sealwright role`: what people may do."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from sealwright.cli.commands import CommandGroup, command
from sealwright.cli.confirmation import ask_first
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.durations import typed_duration
from sealwright.cli.formatting import listed, parsed, stamp
from sealwright.cli.held_changes import is_held, tell_change

role = CommandGroup("role", help="Roles: what they allow, and who holds them.")

_FIELDS = (("role", "id"), ("description", "description"), ("permissions", "permissions"), ("built in", "builtin"))


@command("list", examples=["sealwright role list"])
@pass_context
def list_(context: CommandContext) -> None:
    """List roles."""
    values = context.connection().pages("auth", "roles")
    fields = (("ROLE", "id"), ("DESCRIPTION", "description"))
    context.output.table(values, fields, empty="There are no roles.")


@command("get", examples=["sealwright role get r-operator"])
@click.argument("role_id", metavar="ROLE")
@pass_context
def get(context: CommandContext, role_id: str) -> None:
    """Show what a role allows."""
    context.output.record(context.connection().call("GET", "auth", "roles", role_id), _FIELDS)


@command("permissions", examples=["sealwright role permissions"])
@pass_context
def permissions(context: CommandContext) -> None:
    """List permissions, and the built-in roles that carry each."""
    values = context.connection().pages("auth", "permissions")
    shown = values if context.output.as_json else ({**each, "roles": ", ".join(each["roles"])} for each in values)
    context.output.table(shown, (("PERMISSION", "permission"), ("ROLES", "roles")), empty="There are no permissions.")


@command(
    "create", examples=["sealwright role create r-helpdesk person:read session:read session:revoke --description 'Help desk'"]
)
@click.argument("role_id", metavar="ROLE")
@click.argument("allowed", metavar="PERMISSION...", nargs=-1, required=True)
@click.option("--description", metavar="TEXT", default="", help="What the role is for.")
@pass_context
def create(context: CommandContext, role_id: str, allowed: tuple[str, ...], description: str) -> None:
    """Make a role. Its name begins with r-."""
    body = {"id": role_id, "permissions": list(allowed), "description": description}
    made = context.connection().call("POST", "auth", "roles", body=body)
    context.output.confirm(f"Created role {made['id']}: {listed(made['permissions'])}")
    context.output.json(made)


@command("update", examples=["sealwright role update r-helpdesk person:read session:read"])
@click.argument("role_id", metavar="ROLE")
@click.argument("allowed", metavar="[PERMISSION...]", nargs=-1)
@click.option("--description", metavar="TEXT", help="What the role is for.")
@pass_context
def update(context: CommandContext, role_id: str, allowed: tuple[str, ...], description: str | None) -> None:
    """Replace the permissions of a role, at once for everyone who holds it."""
    body: dict[str, Any] = {"permissions": list(allowed) or None, "description": description}
    changed = context.connection().call("PATCH", "auth", "roles", role_id, body=body)
    context.output.confirm(f"Changed role {changed['id']}: {listed(changed['permissions'])}")
    context.output.json(changed)


@command("delete", examples=["sealwright role delete r-helpdesk", "sealwright role delete r-helpdesk --yes"], asks_first=True)
@click.argument("role_id", metavar="ROLE")
@pass_context
def delete(context: CommandContext, role_id: str) -> None:
    """Delete a role that no one holds."""
    ask_first(context, "Delete it?", lambda: [f"The role {role_id} cannot be granted any more."])
    context.connection().call("DELETE", "auth", "roles", role_id)
    context.output.confirm(f"Deleted role {role_id}")
    context.output.json({"id": role_id, "deleted": True})


@command(
    "grant",
    examples=[
        "sealwright role grant r-operator --group operators",
        "sealwright role grant r-operator --person alice --scope provisioner:web --expires 8h",
    ],
)
@click.argument("role_id", metavar="ROLE")
@click.option("--person", metavar="NAME", help="The person who is to hold it.")
@click.option("--group", metavar="NAME", help="The group whose members are to hold it.")
@click.option("--scope", metavar="SCOPE", help="Only for what belongs to issuer:NAME, profile:NAME or provisioner:NAME.")
@click.option("--expires", metavar="DURATION", help="How long it holds, such as 8h or 30d. Default: until it is withdrawn.")
@pass_context
def grant(
    context: CommandContext, role_id: str, person: str | None, group: str | None, scope: str | None, expires: str | None
) -> None:
    """Let a person, or the members of a group, hold a role."""
    body = {
        "role": role_id,
        "person": person,
        "group": group,
        "scope": scope,
        "expires_at": _end(expires, context.dependencies.now()),
    }
    made = context.connection().call("POST", "auth", "grants", body=body)
    tell_change(context, made, "" if is_held(made) else _granted(made))


def _granted(made: dict[str, Any]) -> str:
    within = "" if made["scope"] is None else f" within {made['scope']}"
    return f"Granted {made['role']} to the {made['holder_kind']} {made['holder']}{within} (grant {made['id']})"


def _end(expires: str | None, now: datetime) -> str | None:
    return None if expires is None else (now + typed_duration("--expires", expires)).isoformat()


@command("grants", examples=["sealwright role grants", "sealwright role grants --role r-operator"])
@click.option("--role", "role_id", metavar="ROLE", help="Only grants of this role.")
@pass_context
def grants(context: CommandContext, role_id: str | None) -> None:
    """List who holds roles, within which scope, and until when."""
    values = context.connection().pages("auth", "grants", query={"role": role_id} if role_id else None)
    fields = (
        ("ROLE", "role"),
        ("HELD BY", "held"),
        ("WITHIN", "within"),
        ("SOURCE", "source"),
        ("UNTIL", "until"),
        ("ID", "id"),
    )
    context.output.table(values if context.output.as_json else map(_shown, values), fields, empty="No one holds a role.")


def _shown(value: dict[str, Any]) -> dict[str, Any]:
    return {
        **value,
        "held": f"{value['holder_kind']} {value['holder']}",
        "within": value["scope"] or "everything",
        "until": "no end" if value["expires_at"] is None else stamp(parsed(value["expires_at"])),
    }


@command(
    "withdraw",
    examples=["sealwright role withdraw 5b0c8f0e-8d6f-4c02-9d55-6f0a3c1f8e77"],
)
@click.argument("grant_id", metavar="ID")
@pass_context
def withdraw(context: CommandContext, grant_id: str) -> None:
    """Take a grant back that was made by hand, by its id in the list of grants."""
    context.connection().call("DELETE", "auth", "grants", grant_id)
    context.output.confirm(f"Withdrew the grant {grant_id}")
    context.output.json({"id": grant_id, "withdrawn": True})


for each in (list_, get, permissions, create, update, delete, grant, grants, withdraw):
    role.add_command(each)
