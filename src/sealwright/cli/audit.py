"""`sealwright audit`: what happened."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import click

from sealwright.cli.audit_files import export, filtered, follow, keys, verify
from sealwright.cli.audit_sinks import sink
from sealwright.cli.audit_text import changed_lines, query_of, reason_lines
from sealwright.cli.commands import CommandGroup, command
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.formatting import parsed, stamp

audit = CommandGroup("audit", help="What happened, and who did it.")
_PAGE = 1_000
"""What the server gives at once."""
_MOMENT = "A time (RFC 3339), a day, or a duration before now, such as 2h."


@command(
    "list",
    examples=[
        "sealwright audit list",
        "sealwright audit list --target person:alice --since 24h",
        "sealwright audit list --by bob --event certificate --outcome refused",
        "sealwright audit list --category auth --until 2026-11-22",
        "sealwright audit list --target certificate:01a35c0f… --limit 20",
    ],
)
@filtered
@click.option("--since", metavar="TIME", help=f"Only from then on. {_MOMENT}")
@click.option("--until", metavar="TIME", help="Only before then. In the same forms.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="At most this many.")
@pass_context
def list_(context: CommandContext, limit: int, **only: str | None) -> None:
    """List the newest events, with the reasons that were recorded.

    Names stand for what has them now and for what had them before it was deleted; ids are taken, too. A refusal that repeats
    within a minute is written once more with the number of its repetitions.
    """
    chosen = query_of(only, context.dependencies.now())
    query = chosen | {"limit": str(min(limit, _PAGE))}
    values: Iterator[dict[str, Any]] = islice(context.connection().pages("audit", query=query, member="events"), limit)
    fields = (("AT", "moment"), ("EVENT", "event"), ("OUTCOME", "outcome"), ("BY", "by"), ("ABOUT", "about"))
    shown = values if context.output.as_json else map(_shown, values)
    empty = "Nothing was recorded that fits." if chosen else "Nothing was recorded yet."
    context.output.table(shown, fields, empty=empty, below="why")


def _shown(value: dict[str, Any]) -> dict[str, Any]:
    actor, kind = value["actor"], value["target"].partition(":")[0]
    about = f"{kind}:{value['target_name']}" if value["target_name"] else value["target"]
    return {
        **value,
        "moment": stamp(parsed(value["at"])),
        "by": actor["name"] or actor["kind"],
        "about": about,
        "why": [*changed_lines(value["changes"]), *reason_lines(value["details"])],
    }


for each in (list_, follow, export, keys, verify, sink):
    audit.add_command(each)
