"""Profiles: rules and shape of a certificate. Closed data, checked before use. Two are built in."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from urllib.parse import urlsplit

import msgspec

from sealwright.ca.errors import ProfileRefused
from sealwright.ca.models import ExtendedUse, NameType, Profile
from sealwright.ca.names import MOST_NAMES
from sealwright.confusables import hostile_character
from sealwright.errors import InvalidInput
from sealwright.go_duration import format_duration
from sealwright.http import decode_json
from sealwright.rsa_strength import LONGEST_RSA, SHORTEST_RSA

MOST_BACKDATE = timedelta(hours=1)
LONGEST_LIFE = timedelta(days=1826)
"""Five years, the life of an issuing CA."""
LONGEST_URL = 512
LONGEST_DESCRIPTION = 512

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
        raise ProfileRefused(cause.detail, pointer=cause.pointer) from cause
    check(profile)
    return profile


def digest_of(profile: Profile) -> bytes:
    """SHA-256 of everything a profile says, so that a change of it between decision and signature is noticed."""
    return hashlib.sha256(msgspec.json.encode(profile)).digest()


def check(profile: Profile) -> None:
    """Raise ProfileRefused when a profile contradicts itself or could never be used."""
    wrong = next(_contradictions(profile), None)
    if wrong is not None:
        member, problem = wrong
        raise ProfileRefused(f"The profile {profile.name[:64]!r} {problem}.", pointer=f"/{member}")


def _contradictions(profile: Profile) -> Iterator[tuple[str, str]]:
    """What is wrong, each with the member that it is wrong in."""
    if _SLUG.fullmatch(profile.name) is None:
        yield "name", "must have a name of lower-case letters, digits, hyphens and underscores that begins with a letter"
    hostile = hostile_character(profile.description)
    if len(profile.description) > LONGEST_DESCRIPTION:
        yield "description", f"has a description of {len(profile.description)} characters; {LONGEST_DESCRIPTION} are possible"
    elif hostile is not None:
        yield "description", f"has a description that holds {hostile}"
    yield from _wrong_kinds(profile)
    yield from _wrong_lifetimes(profile)
    for member in ("issuer_url", "ocsp_url", "crl_url"):
        url = getattr(profile, member)
        if url and not _is_plain_http(url):
            yield member, f"has {member} {url[:LONGEST_URL]!r}, which is not a plain http:// address"


def _wrong_kinds(profile: Profile) -> Iterator[tuple[str, str]]:
    for member in ("key_kinds", "curves", "key_uses", "name_types", "extended_uses"):
        values = getattr(profile, member)
        if not values:
            yield member, f"allows nothing in {member}"
        if len(set(values)) != len(values):
            yield member, f"names a value in {member} twice"
    if not 1 <= profile.most_names <= MOST_NAMES:
        yield "most_names", f"has most_names {profile.most_names}; 1 to {MOST_NAMES} are possible"
    if not SHORTEST_RSA <= profile.shortest_rsa <= LONGEST_RSA or profile.shortest_rsa % 8:
        bits = f"{SHORTEST_RSA} to {LONGEST_RSA} bits, in whole bytes, are possible"
        yield "shortest_rsa", f"has shortest_rsa {profile.shortest_rsa}; {bits}"
    if profile.wildcards and NameType.DNS not in profile.name_types:
        yield "wildcards", "allows wildcards, and no DNS names"


def _wrong_lifetimes(profile: Profile) -> Iterator[tuple[str, str]]:
    longest, shortest = format_duration(profile.longest), format_duration(profile.shortest)
    if not timedelta(0) <= profile.backdate <= MOST_BACKDATE:
        yield (
            "backdate",
            f"has backdate {format_duration(profile.backdate)}; at most {format_duration(MOST_BACKDATE)} is possible",
        )
    if not timedelta(seconds=1) <= profile.longest <= LONGEST_LIFE:
        yield "longest", f"has longest {longest}; 1s to {format_duration(LONGEST_LIFE)} is possible"
    if not timedelta(0) <= profile.shortest <= profile.longest:
        yield "shortest", f"has shortest {shortest}, which is not between nothing and its longest, {longest}"
    if profile.default is not None and not profile.shortest <= profile.default <= profile.longest:
        usual = format_duration(profile.default)
        yield "default", f"has default {usual}, which is not between {shortest} and {longest}"


def _is_plain_http(url: str) -> bool:
    """RFC 5280, sections 4.2.1.13 and 4.2.2.1: found without TLS, so that checking a certificate needs no certificate."""
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme == "http" and bool(parts.hostname) and parts.username is None and not parts.fragment
    except ValueError:
        return False
