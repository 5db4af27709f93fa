"""`sealwright service-account`."""

from __future__ import annotations

from typing import Any

import click

from sealwright.cli.commands import CommandGroup, command
from sealwright.cli.confirmation import ask_first
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.errors import WrongUsage
from sealwright.cli.formatting import counted, parsed, stamp
from sealwright.cli.validity import moment_of, validity_commands

_PLACE = "service-accounts"
service_account = CommandGroup("service-account", help="Accounts of programs, and their API tokens.")

_FIELDS = (
    ("name", "name"),
    ("spn", "spn"),
    ("display name", "display_name"),
    ("state", "state"),
    ("member of", "groups"),
    ("managed by", "managed_by"),
    ("id", "id"),
    ("created", "created"),
)


@command(
    "create",
    examples=['sealwright service-account create ci "Continuous integration" idm_admins'],
)
@click.argument("name")
@click.argument("display_name")
@click.argument("entry_manager", required=False)
@pass_context
def create(context: CommandContext, name: str, display_name: str, entry_manager: str | None) -> None:
    """Create a service account. ENTRY_MANAGER, a person or a group, may make and revoke its tokens."""
    body = {"name": name, "display_name": display_name, "managed_by": entry_manager}
    made = context.connection().call("POST", _PLACE, body=body)
    context.output.confirm(f"Created {made['spn']}")
    if context.output.tells_next_steps:
        context.output.note(f"Next, make a token of it: sealwright service-account api-token generate {made['name']} LABEL")
    context.output.json(made)


@command("get", examples=["sealwright service-account get ci"])
@click.argument("name")
@pass_context
def get(context: CommandContext, name: str) -> None:
    """Show a service account."""
    value = context.connection().call("GET", _PLACE, name)
    shown = {**value, "created": stamp(parsed(value["created_at"]))}
    context.output.record(value if context.output.as_json else shown, _FIELDS)


@command("list", examples=["sealwright service-account list"])
@pass_context
def list_(context: CommandContext) -> None:
    """List service accounts."""
    fields = (("NAME", "name"), ("DISPLAY NAME", "display_name"), ("STATE", "state"), ("MANAGED BY", "managed_by"))
    empty = "There are none yet. Create one with: sealwright service-account create NAME DISPLAY_NAME"
    context.output.table(context.connection().pages(_PLACE), fields, empty=empty)


@command("update", examples=['sealwright service-account update ci --displayname "Builds" --entry-manager build-team'])
@click.argument("name")
@click.option("-i", "--display-name", "--displayname", metavar="TEXT", help="The name that people read.")
@click.option("-n", "--newname", "--new-name", "new_name", metavar="NAME", help="Another name.")
@click.option("-e", "--entry-manager", metavar="NAME", help="Who may make and revoke its tokens: a person or a group.")
@pass_context
def update(context: CommandContext, name: str, display_name: str | None, new_name: str | None, entry_manager: str | None) -> None:
    """Change a service account."""
    given = {"display_name": display_name, "name": new_name, "managed_by": entry_manager}
    body = {member: value for member, value in given.items() if value is not None}
    if not body:
        raise WrongUsage("nothing is to be changed.", hint="Say what with --displayname, --newname or --entry-manager.")
    changed = context.connection().call("PATCH", _PLACE, name, body=body)
    context.output.confirm(f"Updated {changed['spn']}")
    context.output.json(changed)


@command(
    "disable",
    examples=["sealwright service-account disable ci", "sealwright service-account disable ci --yes"],
    asks_first=True,
)
@click.argument("name")
@pass_context
def disable(context: CommandContext, name: str) -> None:
    """Disable a service account: its tokens end at once, and do not come back."""
    _ask(context, name, f"Disable {name}?")
    changed = context.connection().call("POST", _PLACE, name, "disable")
    context.output.confirm(f"Disabled {changed['spn']}")
    context.output.json(changed)


@command("enable", examples=["sealwright service-account enable ci"])
@click.argument("name")
@pass_context
def enable(context: CommandContext, name: str) -> None:
    """Let a disabled service account have tokens again."""
    changed = context.connection().call("POST", _PLACE, name, "enable")
    context.output.confirm(f"Enabled {changed['spn']}")
    context.output.json(changed)


@command(
    "delete",
    examples=["sealwright service-account delete ci", "sealwright service-account delete ci --yes"],
    asks_first=True,
)
@click.argument("name")
@pass_context
def delete(context: CommandContext, name: str) -> None:
    """Delete a service account with its tokens."""
    _ask(context, name, f"Delete {name}?")
    context.connection().call("DELETE", _PLACE, name)
    context.output.confirm(f"Deleted {name}")
    context.output.json({"name": name, "deleted": True})


def _ask(context: CommandContext, name: str, question: str) -> None:
    def tell() -> list[str]:
        number = len(list(context.connection().pages(_PLACE, name, "api-tokens")))
        return [f"{counted(number, 'token')} of {name} will be worth nothing."]

    ask_first(context, question, tell)


api_token = CommandGroup(
    "api-token",
    help="Tokens by which a service account uses the API.",
    aliases={"create": "generate", "list": "status", "revoke": "destroy"},
)


@command(
    "generate",
    examples=[
        "sealwright service-account api-token generate ci nightly",
        "sealwright service-account api-token generate ci deploy 2027-12-31 --readwrite",
    ],
)
@click.argument("name")
@click.argument("label")
@click.argument("expiry", required=False)
@click.option("-w", "--readwrite", is_flag=True, help="It may change what the account may change. Default: it only reads.")
@pass_context
def generate(context: CommandContext, name: str, label: str, expiry: str | None, readwrite: bool) -> None:
    """Make a token and print it; it is shown only now. Without EXPIRY it holds until it is destroyed.

    A program sends it as: Authorization: Bearer TOKEN
    """
    expires_at = None if expiry is None else moment_of(context, expiry)
    body = {"label": label, "expires_at": expires_at, "read_only": not readwrite}
    made = context.connection().call("POST", _PLACE, name, "api-tokens", body=body)
    context.output.confirm(f"Made the token {made['label']} of {name}")
    context.output.say(made["token"])
    context.output.note("It is shown only now.")
    context.output.json(made)


@command("status", examples=["sealwright service-account api-token status ci"])
@click.argument("name")
@pass_context
def status(context: CommandContext, name: str) -> None:
    """List the tokens of a service account."""
    values = context.connection().pages(_PLACE, name, "api-tokens")
    fields = (("ID", "id"), ("LABEL", "label"), ("MAY", "may"), ("EXPIRES", "expires"), ("LAST USED", "used"))
    shown = values if context.output.as_json else map(_shown, values)
    context.output.table(shown, fields, empty=f"{name} has no tokens.")


def _shown(value: dict[str, Any]) -> dict[str, Any]:
    def text(member: str) -> str:
        return stamp(parsed(value[member])) if value[member] else "never"

    may = "read" if value["read_only"] else "read and write"
    return {**value, "may": may, "expires": text("expires_at"), "used": text("last_used_at")}


@command(
    "destroy",
    examples=["sealwright service-account api-token destroy ci 5b0c8f0e-8d6f-4c02-9d55-6f0a3c1f8e77"],
)
@click.argument("name")
@click.argument("token_id", metavar="ID")
@pass_context
def destroy(context: CommandContext, name: str, token_id: str) -> None:
    """End a token at once."""
    context.connection().call("DELETE", _PLACE, name, "api-tokens", token_id)
    context.output.confirm(f"Destroyed a token of {name}")
    context.output.json({"id": token_id, "destroyed": True})


for each in (generate, status, destroy):
    api_token.add_command(each)
service_account.add_command(api_token)
service_account.add_command(validity_commands("service-account", _PLACE, "ci"))
for each in (create, get, list_, update, disable, enable, delete):
    service_account.add_command(each)
