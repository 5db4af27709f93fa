"""`sealwright person credential`: what someone proves themselves with, and second factors that were lost."""

from __future__ import annotations

from typing import Any

import click

from sealwright.cli.commands import command
from sealwright.cli.confirmation import ask_about_person
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.formatting import counted, parsed, stamp

_SHOWN = (
    ("name", "name"),
    ("password", "password"),
    ("second factors", "second_factors"),
    ("passkeys", "passkeys"),
    ("recovery codes left", "recovery_codes_left"),
)
_ENDED = {"sessions_ended": "session", "api_keys_ended": "API key", "certificates_ended": "certificate"}


def ended(reset: dict[str, Any]) -> list[str]:
    """What a reset ended, and what it left, where there was something."""
    lines = []
    died = [counted(reset[member], noun) for member, noun in _ENDED.items() if reset.get(member)]
    if died:
        lines.append(f"Ended: {' and '.join(died)}.")
    if reset["certificates_kept"]:
        lines.append(f"Still valid: {counted(reset['certificates_kept'], 'certificate')}.")
    return lines


@command("status", examples=["sealwright person credential status alice"])
@click.argument("name")
@pass_context
def status(context: CommandContext, name: str) -> None:
    """Show what a person proves themselves with, without any secret."""
    value = context.connection().call("GET", "persons", name, "credentials")
    since = value["password_set_at"]
    held = {
        kind: [f"{each['label']}, since {stamp(parsed(each['created_at']))}" for each in value[kind]]
        for kind in ("second_factors", "passkeys")
    }
    shown = {**value, **held, "password": "none" if since is None else f"since {stamp(parsed(since))}"}
    context.output.record(value if context.output.as_json else shown, _SHOWN)


@command(
    "remove-second-factors",
    examples=[
        "sealwright person credential remove-second-factors alice",
        "sealwright person credential remove-second-factors alice --keep-certificates",
    ],
    asks_first=True,
)
@click.argument("name")
@click.option("--keep-certificates", is_flag=True, help="Leave the person's certificates valid. Default: they are revoked.")
@pass_context
def remove_second_factors(context: CommandContext, name: str, keep_certificates: bool) -> None:
    """Remove second factors, recovery codes and passkeys that someone lost. Sessions and API keys end; the password stays."""
    fate = "of theirs will stay valid" if keep_certificates else "of theirs will be revoked"
    ask_about_person(context, name, f"Remove the second factors of {name}?", certificates=fate, but=True)
    body = {"end_certificates": not keep_certificates}
    done = context.connection().call("POST", "persons", name, "second-factors", "remove", body=body)
    removed = [counted(done[f"{noun}s_removed"], noun.replace("_", " ")) for noun in ("second_factor", "passkey")]
    context.output.confirm(f"Removed of {name}: {' and '.join(removed)}")
    for line in ended(done):
        context.output.note(line)
    context.output.json({"name": name, **done})
