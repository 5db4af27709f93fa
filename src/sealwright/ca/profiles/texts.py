"""A profile as members of JSON whose lifetimes are texts such as ``24h`` or ``30d``; and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

from sealwright.ca.errors import ProfileRefused
from sealwright.ca.models import Profile
from sealwright.ca.profiles.definition import check
from sealwright.clock import whole_days
from sealwright.errors import InvalidInput
from sealwright.go_duration import format_duration, parse_duration
from sealwright.misfit import misfit

DURATIONS = ("shortest", "default", "longest", "backdate")


def profile_members(profile: Profile) -> dict[str, Any]:
    """Every member; durations as texts."""
    members: dict[str, Any] = msgspec.to_builtins(profile)
    for name in DURATIONS:
        value: timedelta | None = getattr(profile, name)
        members[name] = None if value is None else format_duration(value)
    return members


def profile_of(members: Mapping[str, Any]) -> Profile:
    """The profile with these members, checked by itself; what does not fit raises ProfileRefused naming it."""
    given = dict(members)
    for name in DURATIONS:
        if given.get(name) is not None or (name in given and name != "default"):
            given[name] = _duration(name, given[name])
    try:
        profile = msgspec.convert(given, Profile)
    except msgspec.ValidationError as cause:
        others = {name: value for name, value in members.items() if name not in DURATIONS}
        found = misfit(others, Profile)
        raise ProfileRefused(found.sentence("the profile"), pointer=found.pointer) from cause
    check(profile)
    return profile


def lifetime_of(text: str) -> timedelta:
    """A lifetime as Go writes it, or in whole days, as settings and options have it; raises InvalidInput."""
    days = whole_days(text)
    return parse_duration(text) if days is None else timedelta(days=days)


def _duration(name: str, text: object) -> timedelta:
    if not isinstance(text, str):
        raise ProfileRefused(f"{name} is {str(text)[:40]!r}; it must be a text such as 24h or 30d.", pointer=f"/{name}")
    try:
        return lifetime_of(text)
    except InvalidInput as cause:
        raise ProfileRefused(f"{name}: {cause.detail}", pointer=f"/{name}") from cause
