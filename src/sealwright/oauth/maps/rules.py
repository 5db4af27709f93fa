"""Which claims can be mapped, to which values, and what comes of it for a person. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any

from sealwright.client_metadata import ClientRefused
from sealwright.oauth.maps.models import ClaimJoin, ClaimMap
from sealwright.oauth.models import OFFLINE_ACCESS

MAX_VALUES = 100
_CLAIM = re.compile(r"[A-Za-z_][A-Za-z0-9_:./-]{0,127}")
_VALUE = re.compile(r"[^\s,\x00-\x1f\x7f]{1,128}")

_PROTOCOL = (
    "iss sub aud exp nbf iat jti azp nonce auth_time acr amr at_hash c_hash s_hash sid family scope client_id cnf act may_act"
)
_PEOPLE = (
    "name given_name family_name middle_name nickname preferred_username profile picture website gender birthdate zoneinfo locale"
    " updated_at email email_verified address phone_number phone_number_verified groups ssh_publickeys"
)
_OTHER_TOKENS = "sha sans google amazon azure step"
"""Clients of certificate authorities take a token with one of these for another kind of token."""
RESERVED_CLAIMS = frozenset(f"{_PROTOCOL} {_PEOPLE} {_OTHER_TOKENS} _claim_names _claim_sources".split())


def require_claim_name(claim: str) -> None:
    """Raise ClientRefused unless a claim can be mapped under this name."""
    if not _CLAIM.fullmatch(claim):
        raise ClientRefused(
            f"{claim[:80]!r} cannot be the name of a claim.",
            hint="Use 1 to 128 of A-Z, a-z, 0-9, '_', ':', '.', '/' and '-', beginning with a letter or '_'.",
        )
    if claim in RESERVED_CLAIMS:
        raise ClientRefused(
            f"The claim {claim} cannot be mapped.",
            reasons=("it has a meaning of its own in tokens of this server",),
            hint="Take another name, such as roles, and set it in the application.",
        )


def require_claim_values(values: Iterable[str]) -> tuple[str, ...]:
    """The values for one group, each once; raise ClientRefused where there is none or one is malformed."""
    words = tuple(dict.fromkeys(values))
    wrong = [word for word in words if not _VALUE.fullmatch(word)]
    if wrong:
        raise ClientRefused(
            f"{wrong[0][:80]!r} cannot be the value of a mapped claim.",
            reasons=("values can be sent joined by commas or spaces, so they hold neither",),
            hint="Use 1 to 128 characters without spaces and commas.",
        )
    if not 1 <= len(words) <= MAX_VALUES:
        raise ClientRefused(
            f"A claim map needs 1 to {MAX_VALUES} values for a group, not {len(words)}.",
            hint="To take the group's values away, use delete-claim-map.",
        )
    return words


def require_supplementary(scopes: Collection[str]) -> None:
    """Raise ClientRefused where one of these scopes cannot be added to what a client asks for."""
    for scope in ("openid", OFFLINE_ACCESS):
        if scope in scopes:
            raise ClientRefused(
                f"The scope {scope} cannot be supplementary.",
                reasons=("it changes what the client gets, so the client itself has to ask for it",),
                hint="Give it with update-scope-map, or leave it out.",
            )


def mapped_claims(maps: Iterable[ClaimMap], group_ids: Collection[str]) -> dict[str, Any]:
    """The claims that someone in these groups has: the values of all their groups together; a claim without any is left out."""
    claims: dict[str, Any] = {}
    for one in maps:
        values = sorted({value for group in one.groups if group.group_id in group_ids for value in group.values})
        if values:
            claims[one.claim] = _joined(values, one.join)
    return claims


def _joined(values: list[str], join: ClaimJoin) -> str | list[str]:
    if join is ClaimJoin.ARRAY:
        return values
    return ("," if join is ClaimJoin.CSV else " ").join(values)
