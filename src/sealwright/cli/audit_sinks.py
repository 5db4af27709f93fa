"""`sealwright audit sink`: where events are forwarded to."""

from __future__ import annotations

from typing import Any

import click

from sealwright.cli.commands import CommandGroup, command
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.formatting import parsed, stamp

sink = CommandGroup("sink", help="Webhooks and syslog receivers that events are forwarded to.")


@command(
    "create",
    examples=[
        "sealwright audit sink create siem https://siem.example.org/hooks/sealwright",
        "sealwright audit sink create logs syslog+tls://logs.example.org:6514 --category auth",
    ],
)
@click.argument("name")
@click.argument("url")
@click.option(
    "--category",
    "categories",
    multiple=True,
    type=click.Choice(["cert_lifecycle", "auth", "config"]),
    help="Only those of this kind; may be repeated. Default: all.",
)
@pass_context
def create(context: CommandContext, name: str, url: str, categories: tuple[str, ...]) -> None:
    """Forward events from now on. The secret with which calls to a webhook are signed is printed once.

    Receivers with a private address must be listed in outbound.allow_private of the server's settings.
    """
    body = {"name": name, "url": url, "categories": list(categories)}
    made = context.connection().call("POST", "audit", "sinks", body=body)
    if made["secret"]:
        context.output.say(made["secret"])
        context.output.note("This is the secret that signs each call. It is not shown again.")
    else:
        context.output.confirm(f"Events are forwarded to {name}")
    context.output.json(made)


@command("list", examples=["sealwright audit sink list"])
@pass_context
def list_(context: CommandContext) -> None:
    """List where events are forwarded to, how many wait, and why."""
    found = list(context.connection().pages("audit", "sinks"))
    context.output.table(
        found if context.output.as_json else [_shown(each) for each in found],
        (("NAME", "name"), ("STATE", "state"), ("WAITING", "waiting"), ("SENT", "sent"), ("LAST", "last"), ("URL", "url")),
        empty="Events are forwarded nowhere. Make a sink with: sealwright audit sink create",
        below="why",
    )


def _shown(sink: dict[str, Any]) -> dict[str, Any]:
    last = "never" if sink["last_sent_at"] is None else stamp(parsed(sink["last_sent_at"]))
    failing = [f"{sink['tries']} tries failed: {sink['last_error']}"] if sink["tries"] else []
    return {**sink, "last": last, "why": failing}


@command("delete", examples=["sealwright audit sink delete siem"])
@click.argument("name")
@pass_context
def delete(context: CommandContext, name: str) -> None:
    """Forward no events to it any more. What waits for it is not sent."""
    context.connection().call("DELETE", "audit", "sinks", name)
    context.output.confirm(f"Deleted the audit sink {name}")
    context.output.json({"name": name, "deleted": True})


for each in (create, list_, delete):
    sink.add_command(each)
