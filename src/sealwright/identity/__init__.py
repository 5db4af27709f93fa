"""People, groups, credentials, sign-in and sessions.

Owns: accounts, how they prove who they are, and for how long that holds. Never knows what a signed-in person asks for.
"""

from __future__ import annotations

from sealwright.identity.models import (
    Account,
    AccountKind,
    Completed,
    Credential,
    CredentialKind,
    Group,
    MailAddress,
    Members,
    OneTimeLink,
    Recovered,
    SecondFactor,
    Session,
    SessionKind,
    SessionRules,
    SignedIn,
    Standing,
    TotpEnrolment,
)

__all__ = [
    "Account",
    "AccountKind",
    "Completed",
    "Credential",
    "CredentialKind",
    "Group",
    "MailAddress",
    "Members",
    "OneTimeLink",
    "Recovered",
    "SecondFactor",
    "Session",
    "SessionKind",
    "SessionRules",
    "SignedIn",
    "Standing",
    "TotpEnrolment",
]
