"""The types of maps from groups to claims."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class ClaimJoin(StrEnum):
    """How the values of a mapped claim are written."""

    ARRAY = "array"
    CSV = "csv"
    SSV = "ssv"


class ClaimValues(Struct, frozen=True):
    """The values that members of one group, direct or nested, have."""

    group_id: str
    group_name: str
    values: tuple[str, ...]


class ClaimMap(Struct, frozen=True):
    """One claim of one client, made from the groups that a person is in."""

    claim: str
    join: ClaimJoin
    groups: tuple[ClaimValues, ...]
