"""Events as a terminal shows them, and the filters that several commands take."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import click

from sealwright.cli.errors import WrongUsage
from sealwright.cli.formatting import listed, parsed, stamp
from sealwright.clock import parse_duration

FILTERS = (
    click.option("--target", metavar="KIND:NAME", help="Only events about this, such as person:alice, also when it is gone."),
    click.option("--event", metavar="EVENT", help="Only this event, such as person.created, or all of one kind, such as person."),
    click.option("--outcome", type=click.Choice(["done", "refused", "failed"]), help="Only those that ended so."),
    click.option("--category", type=click.Choice(["cert_lifecycle", "auth", "config"]), help="Only those of this kind."),
    click.option("--by", metavar="NAME", help="Only what this account did."),
    click.option("--request-id", metavar="ID", help="Only what this request caused; its answer has it as X-Request-Id."),
)
"""Options that choose events."""


def query_of(only: Mapping[str, str | None], now: datetime) -> dict[str, str]:
    """The query parameters for the options that were given."""
    given = {name: text for name, text in only.items() if text is not None}
    return {name: _moment(name, text, now) if name in ("since", "until") else text for name, text in given.items()}


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
            hint="Write 2026-11-22T10:20:00Z, 2026-11-22, or 2h or 3d for how long ago.",
        ) from None


def event_lines(event: Mapping[str, Any]) -> Iterator[str]:
    """One event: when and what, and below it what was changed."""
    yield f"{stamp(parsed(event['at']))}  {event['sentence']}"
    for line in changed_lines(event["changes"]):
        yield f"  {line}"


def changed_lines(changes: Mapping[str, Any]) -> list[str]:
    """Each field that was changed, with its old and its new value."""
    return [f"{field}: {_value(change['old'])} → {_value(change['new'])}" for field, change in changes.items()]


def _value(value: Any) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)


def reason_lines(details: Mapping[str, Any]) -> list[str]:
    """What the details say to a person: what changed, why it was refused, and how often."""
    lines = [f"{verb} {listed(details[verb])}" for verb in ("added", "removed") if details.get(verb)]
    if details.get("repeated"):
        others = details.get("targets") or {}
        about = listed([f"{target} {number} times" for target, number in others.items()]) if len(others) > 1 else ""
        lines.append(f"{details['repeated']} more of these within a minute{f': {about}' if about else ''}")
    reasons = details.get("reasons") or list(filter(None, (details.get("detail"), details.get("reason"))))
    return lines + [str(reason) for reason in reasons]
