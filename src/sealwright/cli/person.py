"""`sealwright person`."""

from __future__ import annotations

from typing import Any

import click

from sealwright.cli.commands import Group, command
from sealwright.cli.errors import WrongUsage
from sealwright.cli.invocation import Invocation, pass_invocation
from sealwright.cli.wording import counted, parsed, stamp

person = Group("person", help="People.")

_FIELDS = (
    ("name", "name"),
    ("spn", "spn"),
    ("display name", "display_name"),
    ("mail", "mail"),
    ("state", "state"),
    ("member of", "groups"),
    ("id", "id"),
    ("created", "created"),
    ("updated", "updated"),
)


def ended(reset: dict[str, Any]) -> list[str]:
    """What a reset ended, and what it left, where there was something."""
    lines = []
    died = [counted(reset[f"{noun}s_ended"], noun) for noun in ("session", "certificate") if reset[f"{noun}s_ended"]]
    if died:
        lines.append(f"Ended: {' and '.join(died)}.")
    if reset["certificates_kept"]:
        lines.append(f"Still valid: {counted(reset['certificates_kept'], 'certificate')}.")
    return lines


def _shown(value: dict[str, Any]) -> dict[str, Any]:
    return {
        **value,
        "mail": [f"{each['address']}{'' if each['verified'] else ' (not verified)'}" for each in value["mails"]],
        "created": stamp(parsed(value["created_at"])),
        "updated": stamp(parsed(value["updated_at"])),
    }


@command(
    "create",
    examples=['sealwright person create alice "Alice Example"'],
)
@click.argument("name")
@click.argument("display_name")
@click.option(
    "-m", "--mail", "mails", metavar="ADDRESS", multiple=True, help="Mail address; repeatable, the first is the main one."
)
@pass_invocation
def create(invocation: Invocation, name: str, display_name: str, mails: tuple[str, ...]) -> None:
    """Create a person. They cannot sign in until they have a password."""
    body = {"name": name, "display_name": display_name, "mails": list(mails)}
    made = invocation.connection().call("POST", "persons", body=body)
    invocation.output.confirm(f"Created {made['spn']}")
    invocation.output.json(made)


@command("get", examples=["sealwright person get alice"])
@click.argument("name")
@pass_invocation
def get(invocation: Invocation, name: str) -> None:
    """Show a person."""
    value = invocation.connection().call("GET", "persons", name)
    invocation.output.record(value if invocation.output.as_json else _shown(value), _FIELDS)


@command("list", examples=["sealwright person list", "sealwright person list -o json"])
@pass_invocation
def list_(invocation: Invocation) -> None:
    """List people."""
    values = invocation.connection().pages("persons")
    shown = values if invocation.output.as_json else map(_shown, values)
    fields = (("NAME", "name"), ("DISPLAY NAME", "display_name"), ("MAIL", "mail"), ("STATE", "state"))
    invocation.output.table(
        shown, fields, empty="There are no people yet. Create one with: sealwright person create NAME DISPLAY_NAME"
    )


@command(
    "update",
    examples=[
        "sealwright person update alice --mail alice@example.org --mail a.example@example.org",
        'sealwright person update alice --display-name "Alice B. Example"',
    ],
)
@click.argument("name")
@click.option(
    "-m", "--mail", "mails", metavar="ADDRESS", multiple=True, help="Mail address; repeatable, the first is the main one."
)
@click.option("-i", "--display-name", "--displayname", metavar="TEXT", help="The name that people read.")
@pass_invocation
def update(invocation: Invocation, name: str, mails: tuple[str, ...], display_name: str | None) -> None:
    """Change a person. With --mail, the given addresses replace all that there were."""
    body: dict[str, Any] = {}
    if mails:
        body["mails"] = list(mails)
    if display_name is not None:
        body["display_name"] = display_name
    if not body:
        raise WrongUsage("nothing is to be changed.", hint="Say what with --mail or --display-name.")
    changed = invocation.connection().call("PATCH", "persons", name, body=body)
    invocation.output.confirm(f"Updated {changed['spn']}")
    invocation.output.json(changed)


@command(
    "disable",
    examples=["sealwright person disable alice"],
)
@click.argument("name")
@pass_invocation
def disable(invocation: Invocation, name: str) -> None:
    """Disable a person: their sessions and tokens end, and their certificates are not renewed."""
    changed = invocation.connection().call("POST", "persons", name, "disable")
    invocation.output.confirm(f"Disabled {changed['spn']}")
    invocation.output.json(changed)


@command("enable", examples=["sealwright person enable alice"])
@click.argument("name")
@pass_invocation
def enable(invocation: Invocation, name: str) -> None:
    """Let a disabled person sign in again."""
    changed = invocation.connection().call("POST", "persons", name, "enable")
    invocation.output.confirm(f"Enabled {changed['spn']}")
    invocation.output.json(changed)


@command(
    "delete",
    examples=["sealwright person delete alice"],
)
@click.argument("name")
@pass_invocation
def delete(invocation: Invocation, name: str) -> None:
    """Delete a person. What the audit record and the inventory of certificates tell of them stays."""
    invocation.connection().call("DELETE", "persons", name)
    invocation.output.confirm(f"Deleted {name}")
    invocation.output.json({"name": name, "deleted": True})


@command(
    "set-password",
    examples=["sealwright person set-password alice", "sealwright person set-password alice --password-file alice.pw"],
)
@click.argument("name")
@click.option("--password-file", metavar="FILE", help="Read the password from FILE; - for standard input.")
@click.option("--keep-certificates", is_flag=True, help="Leave the person's certificates valid. Default: they are revoked.")
@pass_invocation
def set_password(invocation: Invocation, name: str, password_file: str | None, keep_certificates: bool) -> None:
    """Give a person a password. Their sessions end, and their certificates too, as whoever knew the old one may have some."""
    connection = invocation.connection()
    password = invocation.new_password(password_file, f"New password of {name}")
    body = {"password": password, "end_certificates": not keep_certificates}
    reset = connection.call("PUT", "persons", name, "password", body=body)
    invocation.output.confirm(f"{name} has a new password")
    for line in ended(reset):
        invocation.output.note(line)
    invocation.output.json({"name": name, "password_set": True, **reset})


for each in (create, get, list_, update, disable, enable, delete, set_password):
    person.add_command(each)
