"""The fields of the form of a profile, and what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from sealwright.ca import Curve, ExtendedUse, KeyKind, KeyUse, NameType, Profile, profile_members
from sealwright.errors import InvalidInput

TICKED: Mapping[str, tuple[str, type[StrEnum]]] = {
    "name_types": ("Names", NameType),
    "key_kinds": ("Keys", KeyKind),
    "curves": ("Curves of EC keys", Curve),
    "key_uses": ("Key usage", KeyUse),
    "extended_uses": ("Extended key usage", ExtendedUse),
}
"""Member → what its boxes are called, and their values."""
_WORDS = {
    "dns": "DNS names",
    "ip": "IP addresses",
    "email": "e-mail addresses",
    "uri": "URIs",
    "key_encipherment": "key encipherment (RSA keys alone)",
    "key_agreement": "key agreement (EC keys alone)",
}
TEXTS = ("description", "shortest", "default", "longest", "backdate", "issuer", "issuer_url", "ocsp_url", "crl_url")
NUMBERS = ("most_names", "shortest_rsa")
SWITCHES = ("wildcards", "common_name", "provisioner_extension")
_MOST_DIGITS = 6
BLANK: Mapping[str, str] = dict.fromkeys(
    (
        *("name", *TEXTS, *NUMBERS, *SWITCHES),
        *(f"{member}-{value}" for member, (_, values) in TICKED.items() for value in values),
    ),
    "",
)
"""Every field, empty: a box that is not ticked is not sent."""


LABELS: Mapping[str, str] = {
    "description": "Description",
    "shortest": "Shortest life",
    "default": "Life when none is asked for",
    "longest": "Longest life",
    "backdate": "Begins before it is asked for by",
    "issuer": "Issuing CA",
    "issuer_url": "Address of the issuer's certificate",
    "ocsp_url": "Address of its responder",
    "crl_url": "Address of its revocation list",
    "most_names": "Most names",
    "shortest_rsa": "Bits that an RSA key has at least",
    "wildcards": "Names may begin with *",
    "common_name": "The subject may hold a common name",
    "provisioner_extension": "Certificates say which provisioner vouched",
    **{
        f"{member}-{value}": f"{label}: {_WORDS.get(value, value.replace('_', ' '))}"
        for member, (label, values) in TICKED.items()
        for value in values
    },
}
"""Of what is compared where someone else changed a profile meanwhile."""


def boxes() -> dict[str, tuple[str, tuple[tuple[str, str], ...]]]:
    """Member → what its boxes are called, and of each its value and its words."""
    return {
        member: (label, tuple((str(each), _WORDS.get(each, each.replace("_", " "))) for each in values))
        for member, (label, values) in TICKED.items()
    }


def typed_of(profile: Profile) -> dict[str, str]:
    """The form of a profile as it is."""
    members = profile_members(profile)
    form = {name: str(members[name] or "") for name in ("name", *TEXTS, *NUMBERS)}
    form |= {name: "yes" if members[name] else "" for name in SWITCHES}
    return form | {f"{member}-{value}": "yes" for member in TICKED for value in members[member]}


def members_in(form: Mapping[str, str]) -> dict[str, Any]:
    """What was typed, as members of a profile. Raises InvalidInput for what is no number."""
    members: dict[str, Any] = {name: form.get(name, "").strip() for name in TEXTS}
    members |= {name: _number(name, form.get(name, "")) for name in NUMBERS}
    members |= {name: form.get(name) == "yes" for name in SWITCHES}
    for member, (_, values) in TICKED.items():
        members[member] = [str(each) for each in values if form.get(f"{member}-{each}") == "yes"]
    return members


def _number(name: str, text: str) -> int:
    digits = text.strip()
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= _MOST_DIGITS):
        raise InvalidInput(f"{name} is {text[:20]!r}, which is not a number.", hint="Type digits.", pointer=f"/{name}")
    return int(digits)
