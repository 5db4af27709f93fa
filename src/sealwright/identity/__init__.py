"""People, groups, credentials, sign-in and sessions.

Owns: accounts, how they prove who they are, and for how long that holds. Never knows what a signed-in person asks for.
"""

from __future__ import annotations

from sealwright.access import BeyondOwnAuthority
from sealwright.identity.assemble import Identity, assemble
from sealwright.identity.bootstrap import ADMINISTRATORS, Bootstrap, seed
from sealwright.identity.certificates import CertificatesOfPeople, CredentialReset
from sealwright.identity.credentials import Credentials
from sealwright.identity.devices import DEVICE_LASTS, KnownDevices
from sealwright.identity.directory.directory import Directory
from sealwright.identity.directory.lookup import ClientsOfGroup
from sealwright.identity.errors import (
    AccountNotFound,
    AccountNotUsable,
    BuiltIn,
    CodeRefused,
    CredentialNotFound,
    GroupCycle,
    GroupInUse,
    GroupNotFound,
    LastAdministrator,
    LinkRefused,
    MailRefused,
    MailTaken,
    MemberNotFound,
    NameRefused,
    NameTaken,
    PasswordRefused,
    SessionNotFound,
    SignInExpired,
    SignInRefused,
    TextRefused,
    TooManyCredentials,
    WeakPassword,
)
from sealwright.identity.invitations import INVITATION_LIFETIME, Invitation, Invitations
from sealwright.identity.models import (
    SYSTEM_ACCOUNTS,
    Account,
    AccountKind,
    Completed,
    Credential,
    CredentialKind,
    Group,
    KnownDevice,
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
from sealwright.identity.passwords import Argon2Hashing, Hashing
from sealwright.identity.policy import secret_digest
from sealwright.identity.proofs import Proofs
from sealwright.identity.purge import purge
from sealwright.identity.reset import RESET_LIFETIME, ResetLink, ResetLinks
from sealwright.identity.sessions import Sessions
from sealwright.identity.sign_in import SignIn
from sealwright.identity.throttle import Throttle
from sealwright.identity.totp import digits_of
from sealwright.password_strength import MIN_PASSWORD

__all__ = [
    "ADMINISTRATORS",
    "DEVICE_LASTS",
    "INVITATION_LIFETIME",
    "MIN_PASSWORD",
    "RESET_LIFETIME",
    "SYSTEM_ACCOUNTS",
    "Account",
    "AccountKind",
    "AccountNotFound",
    "AccountNotUsable",
    "Argon2Hashing",
    "BeyondOwnAuthority",
    "Bootstrap",
    "BuiltIn",
    "CertificatesOfPeople",
    "ClientsOfGroup",
    "CodeRefused",
    "Completed",
    "Credential",
    "CredentialKind",
    "CredentialNotFound",
    "CredentialReset",
    "Credentials",
    "Directory",
    "Group",
    "GroupCycle",
    "GroupInUse",
    "GroupNotFound",
    "Hashing",
    "Identity",
    "Invitation",
    "Invitations",
    "KnownDevice",
    "KnownDevices",
    "LastAdministrator",
    "LinkRefused",
    "MailAddress",
    "MailRefused",
    "MailTaken",
    "MemberNotFound",
    "Members",
    "NameRefused",
    "NameTaken",
    "OneTimeLink",
    "PasswordRefused",
    "Proofs",
    "Recovered",
    "ResetLink",
    "ResetLinks",
    "SecondFactor",
    "Session",
    "SessionKind",
    "SessionNotFound",
    "SessionRules",
    "Sessions",
    "SignIn",
    "SignInExpired",
    "SignInRefused",
    "SignedIn",
    "Standing",
    "TextRefused",
    "Throttle",
    "TooManyCredentials",
    "TotpEnrolment",
    "WeakPassword",
    "assemble",
    "digits_of",
    "purge",
    "secret_digest",
    "seed",
]
