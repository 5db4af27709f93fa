"""How a person proved who they are, in the words of tokens: `amr` and `acr`. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

PASSWORD = "pwd"  # noqa: S105 - a method
SEVERAL_FACTORS = "mfa"
PHISHING_RESISTANT = "phr"
ACR_VALUES = (PHISHING_RESISTANT, SEVERAL_FACTORS, PASSWORD)
"""By a passkey (OpenID Connect EAP ACR Values), by several factors, by a password; each is better than those after it."""
_PASSKEY = frozenset({"hwk", "swk"})


def amr_of(methods: Iterable[str]) -> list[str]:
    """The methods of a session as `amr` (RFC 8176), which says by `mfa` that they are several factors."""
    used = list(methods)
    return [*used, SEVERAL_FACTORS] if {PASSWORD, "otp"} <= set(used) and SEVERAL_FACTORS not in used else used


def contexts_of(methods: Collection[str]) -> tuple[str, ...]:
    """Every `acr` that a sign-in by these methods satisfies, the best first."""
    if not _PASSKEY.isdisjoint(methods):
        return (PHISHING_RESISTANT, SEVERAL_FACTORS)  # it verifies its holder, so it is what they have and what they know or are
    if PASSWORD not in methods:
        return ()
    return (SEVERAL_FACTORS, PASSWORD) if "otp" in methods else (PASSWORD,)


def acr_of(methods: Collection[str], wanted: Iterable[str] = ()) -> str | None:
    """The `acr` of a sign-in: the first wanted one that it satisfies, else its best (OpenID Connect Core, section 5.5.1.1)."""
    satisfied = contexts_of(methods)
    return next((each for each in wanted if each in satisfied), satisfied[0] if satisfied else None)
