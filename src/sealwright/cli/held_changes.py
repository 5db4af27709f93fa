"""A change that others may have to approve first: what came of it is said in the same words by every command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sealwright.cli.context import CommandContext


def tell_change(context: CommandContext, value: Mapping[str, Any], done: str) -> None:
    """`done`, or that the change is held and what it waits for. `value`: what the API returned."""
    if is_held(value):
        reasons = (f"{reason[:1].upper()}{reason[1:]}." for reason in value["reasons"])
        context.output.note(" ".join(filter(None, (value["detail"], *reasons, value["hint"]))))
    else:
        context.output.confirm(done)
    context.output.json(value)


def is_held(value: Mapping[str, Any]) -> bool:
    """Whether the API answered with a request for approval."""
    return "approval" in value
