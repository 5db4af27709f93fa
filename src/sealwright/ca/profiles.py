"""Profiles (rules and shape of a certificate) and claims (what one provisioner allows): closed data, checked before use."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec

from sealwright.ca.errors import ProfileRefused
from sealwright.ca.models import Claims, ExtendedUse, NameType, Profile
from sealwright.ca.names import MOST_NAMES
from sealwright.errors import InvalidInput
from sealwright.go_duration import format_duration, parse_duration
from sealwright.http import decode_json

MOST_BACKDATE = timedelta(hours=1)
LONGEST_LIFE = timedelta(days=1826)
"""Five years, the life of an issuing CA."""
LONGEST_URL = 512

STEP_LEAF = Profile(
    name="step_leaf",
    description="People and machines, as `step` expects them: client and server authentication",
    wildcards=True,
    longest=LONGEST_LIFE,
)
SERVER = Profile(
    name="server",
    description="This server's own listeners",
    name_types=(NameType.DNS, NameType.IP),
    extended_uses=(ExtendedUse.SERVER_AUTH,),
    provisioner_extension=False,
    longest=timedelta(days=30),
)
BUILT_IN: Mapping[str, Profile] = {profile.name: profile for profile in (STEP_LEAF, SERVER)}

_SLUG = re.compile(r"[a-z][a-z0-9_-]{0,62}")


def load(document: bytes) -> Profile:
    """A profile from JSON; an unknown member or a value that does not fit raises ProfileRefused naming it."""
    try:
        profile = decode_json(document, Profile, "The profile")
    except InvalidInput as cause:
        raise ProfileRefused(cause.detail) from cause
    check(profile)
    return profile


def digest_of(profile: Profile) -> bytes:
    """SHA-256 of everything a profile says, so that a change of it between decision and signature is noticed."""
    return hashlib.sha256(msgspec.json.encode(profile)).digest()


def check(profile: Profile) -> None:
    """Raise ProfileRefused when a profile contradicts itself or could never be used."""
    wrong = next(_contradictions(profile), None)
    if wrong is not None:
        raise ProfileRefused(f"The profile {profile.name[:64]!r} {wrong}.")


def _contradictions(profile: Profile) -> Iterator[str]:
    if _SLUG.fullmatch(profile.name) is None:
        yield "must have a name of lower-case letters, digits, hyphens and underscores that begins with a letter"
    for member in ("key_kinds", "name_types", "extended_uses"):
        values = getattr(profile, member)
        if not values:
            yield f"allows nothing in {member}"
        if len(set(values)) != len(values):
            yield f"names a value in {member} twice"
    if not 1 <= profile.most_names <= MOST_NAMES:
        yield f"has most_names {profile.most_names}; 1 to {MOST_NAMES} are possible"
    if not timedelta(0) <= profile.backdate <= MOST_BACKDATE:
        yield f"has backdate {format_duration(profile.backdate)}; at most {format_duration(MOST_BACKDATE)} is possible"
    if not timedelta(seconds=1) <= profile.longest <= LONGEST_LIFE:
        yield f"has longest {format_duration(profile.longest)}; 1s to {format_duration(LONGEST_LIFE)} is possible"
    for member in ("issuer_url", "ocsp_url", "crl_url"):
        url = getattr(profile, member)
        if url and not _is_plain_http(url):
            yield f"has {member} {url[:LONGEST_URL]!r}, which is not a plain http:// address"


def _is_plain_http(url: str) -> bool:
    """RFC 5280, sections 4.2.1.13 and 4.2.2.1: found without TLS, so that checking a certificate needs no certificate."""
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme == "http" and bool(parts.hostname) and parts.username is None and not parts.fragment
    except ValueError:
        return False


# --- claims ----------------------------------------------------------------------------------------------------------

_TLS = ("minTLSCertDuration", "defaultTLSCertDuration", "maxTLSCertDuration")
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
