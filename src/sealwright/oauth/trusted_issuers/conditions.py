"""Conditions on the claims of a token: exact texts, and patterns. Pure.

In a pattern `*` stands for any characters but `/` and `:`, `**` for any at all, and `?` for one character but those. So `*` never
reaches into the next part of a `sub` such as `repo:example/shop:ref:refs/heads/main`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from sealwright.errors import InvalidInput, pointer_to

MOST_CONDITIONS = 16
LONGEST_PATTERN = 256
LONGEST_VALUE = 1_000
"""A longer value of a claim fits no pattern."""
_TOKENS = re.compile(r"\*\*|.", re.DOTALL)
_SEPARATORS = frozenset("/:")
_NAMING_NOTHING = frozenset("*?/:")
_OF_EVERY_TOKEN = frozenset({"iss", "aud"})
"""What these say is known of each token of an issuer already."""


def require_conditions(conditions: Mapping[str, str]) -> None:
    """Raise InvalidInput where these conditions would let in too much, or cannot be understood."""
    if not 0 < len(conditions) <= MOST_CONDITIONS:
        raise InvalidInput(
            f"A rule has {len(conditions)} conditions.",
            hint=f"Give 1 to {MOST_CONDITIONS}, such as repository=example/shop. Without one, every token would do.",
        )
    for claim, pattern in conditions.items():
        if not 0 < len(claim) <= LONGEST_PATTERN or not claim.isprintable():
            raise InvalidInput(
                f"{claim[:80]!r} is not a name of a claim.",
                hint="Give one such as sub, or /kubernetes.io/namespace.",
                pointer=pointer_to(claim[:80]),
            )
        if not 0 < len(pattern) <= LONGEST_PATTERN or not pattern.isprintable():
            raise InvalidInput(
                f"The claim {claim[:80]} would have to be {pattern[:80]!r}.",
                hint=f"Give 1 to {LONGEST_PATTERN} printable characters.",
                pointer=pointer_to(claim[:80]),
            )
    if all(claim in _OF_EVERY_TOKEN or set(pattern) <= _NAMING_NOTHING for claim, pattern in conditions.items()):
        raise InvalidInput(
            f"The conditions {', '.join(map('='.join, conditions.items()))[:200]} fit everyone.",
            hint="Name something in one of them, such as repository=example/shop.",
        )


class Unmet(NamedTuple):
    """A condition that the claims do not fulfil."""

    found: str
    """What the claim is, in words, for the one who presented the token."""
    wanted: str
    """The pattern, which names what an administrator trusts: for the record, and for those who may read rules."""

    def __str__(self) -> str:
        """Both."""
        return f"{self.found}, not {self.wanted}"


def unmet(conditions: Mapping[str, str], claims: Mapping[str, Any]) -> tuple[Unmet, ...]:
    """The conditions that the claims do not fulfil; none where all are fulfilled."""
    found = [(claim, pattern, _values(claims, claim)) for claim, pattern in conditions.items()]
    return tuple(
        Unmet(f"{claim} is {_shown(values)}", pattern)
        for claim, pattern, values in found
        if not any(fits(pattern, each) for each in values)
    )


def fits(pattern: str, value: str) -> bool:
    """Whether a value is what a pattern says, in time that grows with the product of their lengths and no faster."""
    if len(value) > LONGEST_VALUE:
        return False
    tokens = _TOKENS.findall(pattern)
    states = _behind_stars({0}, tokens)
    for character in value:
        after: set[int] = set()
        for state in states:
            wanted = tokens[state] if state < len(tokens) else ""
            if wanted == "**" or (wanted == "*" and character not in _SEPARATORS):
                after.add(state)
            elif wanted == character or (wanted == "?" and character not in _SEPARATORS):
                after.add(state + 1)
        states = _behind_stars(after, tokens)
        if not states:
            return False
    return len(tokens) in states


def _behind_stars(states: set[int], tokens: list[str]) -> set[int]:
    """The states, with those that are reached without a character, because a star may stand for none."""
    reached = set(states)
    for state in states:
        at = state
        while at < len(tokens) and tokens[at] in ("*", "**"):
            at += 1
            reached.add(at)
    return reached


def _values(claims: Mapping[str, Any], claim: str) -> tuple[str, ...]:
    """What a claim says: the elements of a list, numbers and truth values as JSON writes them."""
    found: Any = claims
    for member in claim[1:].split("/") if claim.startswith("/") else [claim]:
        found = found.get(member) if isinstance(found, Mapping) else None
    each = found if isinstance(found, list) else [found]
    return tuple(_text(value) for value in each if isinstance(value, str | int))


def _text(value: str | int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _shown(values: tuple[str, ...]) -> str:
    return ", ".join(values)[:200] if values else "missing"
