"""The policy of a group, and what follows for a member. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from enum import StrEnum

from msgspec import Struct

PASSKEY_METHODS = frozenset({"swk", "hwk"})
"""Of a sign-in with a passkey, one of these is in `amr` (RFC 8176)."""


class CredentialMinimum(StrEnum):
    """What has to be proven at a sign-in, from the weakest to the strictest."""

    ANY = "any"
    MFA = "mfa"
    PASSKEY = "passkey"

    def is_met_by(self, methods: Collection[str]) -> bool:
        """Whether a sign-in by these methods (`amr`) is enough."""
        passkey = bool(PASSKEY_METHODS & set(methods))
        return {self.ANY: True, self.MFA: passkey or "otp" in methods, self.PASSKEY: passkey}[self]

    @property
    def words(self) -> str:
        """What is asked for, as the object of a sentence."""
        return {self.ANY: "any credential", self.MFA: "a second factor or a passkey", self.PASSKEY: "a passkey"}[self]


class GroupPolicy(Struct, frozen=True):
    """What one group asks for; None where it says nothing."""

    group: str
    """Its name."""
    auth_expiry: timedelta | None = None
    privilege_expiry: timedelta | None = None
    credential_minimum: CredentialMinimum | None = None
    password_minimum_length: int | None = None
    self_mail_write: bool | None = None
    """Whether members may change their own mail addresses, whatever the settings say."""


class AccountPolicy(Struct, frozen=True):
    """What all groups of an account ask for together."""

    auth_expiry: timedelta | None
    privilege_expiry: timedelta | None
    minimum: CredentialMinimum
    asked_by: str
    """Name of the group that asks for the minimum."""
    password_minimum_length: int | None = None
    length_asked_by: str = ""
    """Name of the group that asks for the longest password."""
    self_mail_write: bool | None = None
    """None where no group says so, and the settings decide."""


def strictest(policies: Iterable[GroupPolicy]) -> AccountPolicy:
    """The shortest of the durations, the strictest minimum, the longest password; who one group keeps from its mail is kept."""
    found = list(policies)
    order = list(CredentialMinimum)
    minimum, asked_by = CredentialMinimum.ANY, ""
    for each in found:
        if each.credential_minimum is not None and order.index(each.credential_minimum) > order.index(minimum):
            minimum, asked_by = each.credential_minimum, each.group
    longest = max(
        (each for each in found if each.password_minimum_length is not None),
        key=lambda each: each.password_minimum_length or 0,
        default=None,
    )
    said = [each.self_mail_write for each in found if each.self_mail_write is not None]
    return AccountPolicy(
        min((each.auth_expiry for each in found if each.auth_expiry is not None), default=None),
        min((each.privilege_expiry for each in found if each.privilege_expiry is not None), default=None),
        minimum,
        asked_by,
        None if longest is None else longest.password_minimum_length,
        "" if longest is None else longest.group,
        all(said) if said else None,
    )
