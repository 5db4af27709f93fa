"""What holds for people and for service accounts of a manifest alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sealwright.access import Actor
from sealwright.api.json_types import instant_of
from sealwright.clock import Instant
from sealwright.errors import InvalidInput
from sealwright.identity import Directory


async def set_validity(
    directory: Directory, name: str, current: Mapping[str, Any], wanted: Mapping[str, Any], actor: Actor
) -> None:
    """Let an account be valid for the times of its entry; the one that the entry does not name stays."""
    window = {**current, **wanted}
    times = {member: instant_in(window, member) for member in ("valid_from", "valid_until")}
    await directory.set_validity(name, **times, actor=actor)


async def set_disabled(directory: Directory, name: str, disabled: bool, actor: Actor) -> None:
    """Disable an account, or enable it again."""
    change = directory.disable if disabled else directory.enable
    await change(name, actor=actor)


async def delete_account(directory: Directory, name: str, kind: str, actor: Actor) -> None:
    """Delete an account; never the one who asks for it. `kind`: the section of the manifest it would stand in."""
    account = await directory.find(name)
    if account is not None and account.id == actor.id:
        raise InvalidInput(
            "The manifest does not name yourself, and would delete you.",
            hint=f"Add {name} to its {kind}, or leave prune out.",
        )
    await directory.delete(name, actor=actor)


def instant_in(entry: Mapping[str, Any], member: str) -> Instant | None:
    """The time that a member holds; None where there is none."""
    text = entry.get(member)
    return None if text is None else instant_of(member, text)
