"""`sealwright system oauth2 registration-token`: who may let applications register themselves."""

from __future__ import annotations

import click

from sealwright.cli.commands import CommandGroup, command
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.durations import typed_seconds
from sealwright.cli.formatting import parsed, stamp

registration_token = CommandGroup(
    "registration-token", help="Tokens with which clients may register themselves with the root issuer."
)


@command(
    "create",
    examples=[
        "sealwright system oauth2 registration-token create",
        "sealwright system oauth2 registration-token create --uses 20 --expires 8h --group idm_all_accounts --scope stock.read",
    ],
)
@click.option("--uses", type=click.INT, default=1, show_default=True, help="How many clients it lets in.")
@click.option("--expires", metavar="DURATION", default="1h", show_default=True, help="How long it lets clients in.")
@click.option("--scope", "scopes", metavar="SCOPE", multiple=True, help="What each client may have; may be repeated.")
@click.option("--group", metavar="GROUP", help="Whose members may grant these scopes.")
@pass_context
def create(context: CommandContext, uses: int, expires: str, scopes: tuple[str, ...], group: str | None) -> None:
    """Make a token with which clients may register themselves, and print it. It is not shown again."""
    lasts = typed_seconds("--expires", expires)
    body = {"uses": uses, "expires_in_seconds": lasts, "scopes": list(scopes), "group": group}
    made = context.connection().call("POST", "oauth2", "registration-tokens", body=body)
    context.output.say(made["token"])
    context.output.note(
        f"It lets in {uses} {'client' if uses == 1 else 'clients'} until {stamp(parsed(made['expires_at']))}."
        " Send it as Authorization: Bearer."
    )
    context.output.json(made)


@command("list", examples=["sealwright system oauth2 registration-token list"])
@pass_context
def list_(context: CommandContext) -> None:
    """List the tokens that still let a client in."""
    found = list(context.connection().pages("oauth2", "registration-tokens"))
    context.output.table(
        [{**each, "expires": stamp(parsed(each["expires_at"])), "scope": " ".join(each["scopes"])} for each in found],
        (("ID", "id"), ("MADE BY", "created_by"), ("USES LEFT", "uses_left"), ("EXPIRES", "expires"), ("SCOPES", "scope")),
        empty="No registration token lets a client in. Make one with: sealwright system oauth2 registration-token create",
    )


@command(
    "delete",
    examples=["sealwright system oauth2 registration-token delete 0b9c8a52-3a55-4a36-9d35-6f0a2f0d1c11"],
)
@click.argument("token_id")
@pass_context
def delete(context: CommandContext, token_id: str) -> None:
    """Delete a registration token. The clients that it let in stay."""
    context.connection().call("DELETE", "oauth2", "registration-tokens", token_id)
    context.output.confirm(f"Deleted the registration token {token_id}")
    context.output.json({"id": token_id, "deleted": True})


for each in (create, list_, delete):
    registration_token.add_command(each)
