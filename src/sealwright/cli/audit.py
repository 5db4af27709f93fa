"""`sealwright audit`: what happened."""

from __future__ import annotations

from typing import Any

import click

from sealwright.cli.commands import Group, command
from sealwright.cli.invocation import Invocation, pass_invocation
from sealwright.cli.wording import parsed, stamp

audit = Group("audit", help="What happened, and who did it.")


@command(
    "list",
    examples=["sealwright audit list", "sealwright audit list --target certificate:01a35c0f… --limit 20"],
)
@click.option("--target", metavar="KIND:ID", help="Only events about this.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="At most so many.")
@pass_invocation
def list_(invocation: Invocation, target: str | None, limit: int) -> None:
    """List the newest events. With --target they come with the reasons that were recorded."""
    query = {"limit": str(limit), **({"target": target} if target else {})}
    values = invocation.connection().call("GET", "audit", query=query)["items"]
    fields = (("AT", "moment"), ("EVENT", "event"), ("OUTCOME", "outcome"), ("BY", "by"), ("ABOUT", "target"))
    shown = values if invocation.output.as_json else map(_shown, values)
    empty = "Nothing was recorded about this." if target else "Nothing was recorded yet."
    invocation.output.table(shown, fields, empty=empty, below="why" if target else "")


def _shown(value: dict[str, Any]) -> dict[str, Any]:
    actor, details = value["actor"], value["details"]
    why = details.get("reasons") or list(filter(None, (details.get("detail"), details.get("reason"))))
    return {**value, "moment": stamp(parsed(value["at"])), "by": actor["name"] or actor["kind"], "why": why}


audit.add_command(list_)
