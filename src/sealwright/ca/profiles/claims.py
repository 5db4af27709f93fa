"""Claims: which lifetimes one provisioner allows, and what else holds for its certificates, within its profile."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from sealwright.ca.errors import ProfileRefused
from sealwright.ca.models import Claims, Profile
from sealwright.errors import InvalidInput
from sealwright.go_duration import format_duration, parse_duration

_TLS = ("minTLSCertDuration", "defaultTLSCertDuration", "maxTLSCertDuration")
_LIFETIMES = ("shortest", "default", "longest")
_SSH = (
    (("minUserSSHCertDuration", "defaultUserSSHCertDuration", "maxUserSSHCertDuration"), (5 / 60, 16, 24)),
    (("minHostSSHCertDuration", "defaultHostSSHCertDuration", "maxHostSSHCertDuration"), (5 / 60, 720, 720)),
)
_FLAGS = ("enableSSHCA", "disableRenewal", "allowRenewalAfterExpiry", "disableSmallstepExtensions")
_KNOWN = frozenset({*_TLS, *_FLAGS, *(key for keys, _ in _SSH for key in keys)})


def inherit(given: Mapping[str, Any] | None, parent: Claims) -> Claims:
    """The claims of a provisioner: what its `claims` object says, and `parent` for the rest.

    A default outside of the inherited range takes the bound along that was not given. Anything else that contradicts, an
    unknown member, or a duration that cannot be read raises ProfileRefused naming the member.
    """
    if not given:
        return parent
    unknown = sorted(set(given) - _KNOWN)
    if unknown:
        raise ProfileRefused(f"{unknown[0][:64]!r} is not a claim.", hint=f"Known claims are {', '.join(sorted(_KNOWN))}.")
    flags = {key: given[key] for key in _FLAGS if given.get(key) is not None}
    for key, value in flags.items():
        if not isinstance(value, bool):
            raise ProfileRefused(f"{key} is {str(value)[:64]!r}; it must be true or false.")
    for keys, hours in _SSH:
        _range(given, keys, tuple(timedelta(hours=count) for count in hours))
    shortest, default, longest = _range(given, _TLS, (parent.shortest, parent.default, parent.longest))
    return Claims(
        shortest=shortest,
        default=default,
        longest=longest,
        disable_renewal=flags.get("disableRenewal", parent.disable_renewal),
        allow_renewal_after_expiry=flags.get("allowRenewalAfterExpiry", parent.allow_renewal_after_expiry),
        disable_smallstep_extensions=flags.get("disableSmallstepExtensions", parent.disable_smallstep_extensions),
        given=tuple(member for key, member in zip(_TLS, _LIFETIMES, strict=True) if given.get(key)),
    )


def within(claims: Claims, profile: Profile) -> Claims:
    """What a provisioner with these claims allows by a profile: never more than the profile, and where it says nothing, that."""
    if profile.default is None:
        return claims
    own = claims.given
    longest = min(claims.longest, profile.longest) if "longest" in own else profile.longest
    shortest = max(claims.shortest, profile.shortest) if "shortest" in own else profile.shortest
    default = min(max(claims.default if "default" in own else profile.default, shortest), longest)
    return replace(claims, shortest=shortest, default=default, longest=longest)


def require_within(claims: Claims, profile: Profile) -> None:
    """Raise ProfileRefused where a provisioner says a lifetime that its profile does not allow."""
    for key, member in zip(_TLS, _LIFETIMES, strict=True):
        value: timedelta = getattr(claims, member)
        if member in claims.given and not profile.shortest <= value <= profile.longest:
            shortest, longest = format_duration(profile.shortest), format_duration(profile.longest)
            raise ProfileRefused(
                f"{key} is {format_duration(value)}, and the profile {profile.name} allows {shortest} to {longest}.",
                hint="Choose a lifetime within the profile, or change the profile first.",
            )


def _range(
    given: Mapping[str, Any], keys: tuple[str, ...], inherited: tuple[timedelta, ...]
) -> tuple[timedelta, timedelta, timedelta]:
    """Minimum, default and maximum, after inheritance; ordered, or ProfileRefused."""
    shortest, default, longest = (_positive(given, key) for key in keys)
    parent_shortest, parent_default, parent_longest = inherited
    if default is not None:
        parent_shortest, parent_longest = min(parent_shortest, default), max(parent_longest, default)
    found = (shortest or parent_shortest, default or parent_default, longest or parent_longest)
    for lower, higher in ((0, 1), (1, 2)):
        if found[lower] > found[higher]:
            low, high = format_duration(found[lower]), format_duration(found[higher])
            raise ProfileRefused(f"{keys[lower]} is {low}, which is more than {keys[higher]}, {high}.")
    return found


def _positive(given: Mapping[str, Any], key: str) -> timedelta | None:
    value = given.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ProfileRefused(f"{key} is {str(value)[:64]!r}; it must be a text such as 24h.")
    try:
        duration = parse_duration(value)
    except InvalidInput as cause:
        raise ProfileRefused(f"{key}: {cause.detail}") from cause
    if duration <= timedelta(0):
        raise ProfileRefused(f"{key} is {value[:64]!r}; it must be more than nothing.")
    return duration
