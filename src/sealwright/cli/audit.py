"""`sealwright audit`: what happened."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

import click

from sealwright.cli.commands import CommandGroup, command
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.errors import WrongUsage
from sealwright.cli.formatting import listed, parsed, stamp
from sealwright.clock import parse_duration

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
@click.option("--target", metavar="KIND:NAME", help="Only events about this, such as person:alice, also when it is gone.")
@click.option("--event", metavar="EVENT", help="Only this event, such as person.created, or all of one kind, such as person.")
@click.option("--outcome", type=click.Choice(["done", "refused", "failed"]), help="Only those that ended so.")
@click.option("--category", type=click.Choice(["cert_lifecycle", "auth", "config"]), help="Only those of this kind.")
@click.option("--by", metavar="NAME", help="Only what this account did.")
@click.option("--request-id", metavar="ID", help="Only what this request caused; it is in its answer as X-Request-Id.")
@click.option("--since", metavar="TIME", help=f"Only from then on. {_MOMENT}")
@click.option("--until", metavar="TIME", help="Only before then. In the same forms.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="At most so many.")
@pass_context
def list_(context: CommandContext, limit: int, since: str | None, until: str | None, **only: str | None) -> None:
    """List the newest events, with the reasons that were recorded.

    Names stand for what has them now and for what had them before it was deleted; ids are taken, too. A refusal that repeats
    within a minute is written once more with the number of its repetitions.
    """
    now = context.dependencies.now()
    times = {name: _moment(name, text, now) for name, text in (("since", since), ("until", until)) if text is not None}
    query = {name: text for name, text in only.items() if text is not None} | times | {"limit": str(min(limit, _PAGE))}
    values: Iterator[dict[str, Any]] = islice(context.connection().pages("audit", query=query, member="events"), limit)
    fields = (("AT", "moment"), ("EVENT", "event"), ("OUTCOME", "outcome"), ("BY", "by"), ("ABOUT", "about"))
    shown = values if context.output.as_json else map(_shown, values)
    chosen = set(query) - {"limit"}
    empty = "Nothing was recorded that fits." if chosen else "Nothing was recorded yet."
    context.output.table(shown, fields, empty=empty, below="why")


def _moment(name: str, text: str, now: datetime) -> str:
    try:
        return (now - parse_duration(text)).isoformat()
    except ValueError:
        pass
    try:
        return parsed(text).astimezone().isoformat()  # where no zone is written, it is the reader's
    except (ValueError, OverflowError):
        raise WrongUsage(
            f"--{name} {text[:40]!r} is not a time.",
            hint="Write 2026-11-22T10:20:00Z, 2026-11-22, or 2h for two hours ago.",
        ) from None


def _shown(value: dict[str, Any]) -> dict[str, Any]:
    actor, kind = value["actor"], value["target"].partition(":")[0]
    about = f"{kind}:{value['target_name']}" if value["target_name"] else value["target"]
    return {
        **value,
        "moment": stamp(parsed(value["at"])),
        "by": actor["name"] or actor["kind"],
        "about": about,
        "why": [*_changed(value["changes"]), *_why(value["details"])],
    }


def _changed(changes: dict[str, Any]) -> list[str]:
    """Each field that was changed, with its old and its new value."""
    return [f"{field}: {_value(change['old'])} → {_value(change['new'])}" for field, change in changes.items()]


def _value(value: Any) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def _why(details: dict[str, Any]) -> list[str]:
    """What the details say to a person: what changed, why it was refused, and how often."""
    lines = [f"{verb} {listed(details[verb])}" for verb in ("added", "removed") if details.get(verb)]
    if details.get("repeated"):
        others = details.get("targets") or {}
        about = listed([f"{target} {number} times" for target, number in others.items()]) if len(others) > 1 else ""
        lines.append(f"{details['repeated']} more of these within a minute{f': {about}' if about else ''}")
    reasons = details.get("reasons") or list(filter(None, (details.get("detail"), details.get("reason"))))
    return lines + [str(reason) for reason in reasons]


audit.add_command(list_)
