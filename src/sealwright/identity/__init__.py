"""People, groups, credentials, sign-in and sessions.

Owns: accounts, how they prove who they are, and for how long that holds. Never knows what a signed-in person asks for.
"""

from __future__ import annotations

from sealwright.access import BeyondOwnAuthority
from sealwright.identity.account_policy.account_policies import AccountPolicies
from sealwright.identity.account_policy.models import CredentialMinimum, GroupPolicy
from sealwright.identity.api_keys.api_keys import ApiKeys
from sealwright.identity.api_keys.models import ApiKey, ApiKeyState, ApiKeyUsage, ApiKeyUse, NewApiKey, OwnedKey
from sealwright.identity.api_keys.secret import API_KEY_PREFIX
from sealwright.identity.api_tokens.api_tokens import API_TOKEN_PREFIX, ApiTokens
from sealwright.identity.authentication import (
    CSRF_COOKIE,
    SESSION_COOKIE,
    ApiAuthenticator,
    browser_authenticator,
    terminal_authenticator,
)
from sealwright.identity.authenticators import Authenticators
from sealwright.identity.bootstrap import ADMINISTRATORS, Bootstrap, create_builtin_accounts
from sealwright.identity.build import Identity, build_identity
from sealwright.identity.credential_reset import CredentialReset, PersonalCertificates
from sealwright.identity.credentials import Credentials
from sealwright.identity.devices import DEVICE_LIFETIME, KnownDevices
from sealwright.identity.directory.directory import Directory
from sealwright.identity.directory.lookup import ClientsOfGroup, ManagedNames
from sealwright.identity.directory.missing_words import add_missing_words
from sealwright.identity.directory.people import parse_mails
from sealwright.identity.emergency.break_glass import METHOD as BREAK_GLASS_METHOD
from sealwright.identity.emergency.break_glass import BreakGlass
from sealwright.identity.emergency.errors import BootstrapClosed, BreakGlassOff, BreakGlassRefused
from sealwright.identity.emergency.first_administrator import FirstAdministrator, FirstAdministratorRules
from sealwright.identity.errors import (
    AccountNotFound,
    AccountNotUsable,
    BuiltIn,
    CodeRefused,
    CredentialAsked,
    CredentialNotFound,
    GroupCycle,
    GroupInUse,
    GroupNotFound,
    LabelTaken,
    LastAdministrator,
    LinkRefused,
    MailRefused,
    MailTaken,
    MemberNotFound,
    NameRefused,
    NameTaken,
    PasskeyRefused,
    PasswordRefused,
    SessionNotFound,
    SignInExpired,
    SignInRefused,
    StrongerCredentialNeeded,
    TextRefused,
    TooManyCredentials,
    WeakPassword,
)
from sealwright.identity.imports.people import ImportedPerson, ImportFault, PersonImports
from sealwright.identity.invitations import INVITATION_LIFETIME, Invitation, Invitations
from sealwright.identity.mails.addresses import MailAddresses, MailLink
from sealwright.identity.models import (
    SYSTEM_ACCOUNTS,
    Account,
    AccountKind,
    AccountStatus,
    ApiToken,
    CompletedSignIn,
    Credential,
    CredentialKind,
    Group,
    KnownDevice,
    MailAddress,
    Members,
    NewApiToken,
    OneTimeLink,
    OwnedSession,
    Passkey,
    RecoveredAccount,
    SecondFactorRequired,
    Session,
    SessionEnd,
    SessionKind,
    SessionLifetimes,
    SignedIn,
    TotpEnrolment,
    recovery_codes_left,
    second_factors,
)
from sealwright.identity.passkeys import Passkeys, RelyingParty
from sealwright.identity.passwords import Argon2Hashing, Hashing
from sealwright.identity.policy import (
    MAX_DESCRIPTION,
    MAX_DISPLAY_NAME,
    NAME_PATTERN,
    check_description,
    check_display_name,
    normalize_recovery_code,
    secret_digest,
)
from sealwright.identity.profiles.attributes import ATTRIBUTES, PersonAttribute, check_attributes
from sealwright.identity.profiles.ssh_keys import SshKey, check_public_key
from sealwright.identity.purge import purge
from sealwright.identity.purge.purge import BIN_KEPT
from sealwright.identity.recycle_bin.recycle_bin import RecycleBin, RevivedAccount
from sealwright.identity.recycle_bin.store import BinEntry
from sealwright.identity.reset import RESET_LIFETIME, ResetLink, ResetLinks
from sealwright.identity.roles.errors import (
    AlreadyGranted,
    GrantNotFound,
    NotByHand,
    RoleInUse,
    RoleNotFound,
    RoleRefused,
    RoleTaken,
    ScopeNotFound,
)
from sealwright.identity.roles.roles import MOST_GRANTS, GrantHolder, KnownRole, Roles, role_id
from sealwright.identity.sessions import SessionEnded, Sessions
from sealwright.identity.sign_in import SignIn
from sealwright.identity.sign_on_records.records import RoleByGroup, SignInExplanation, SignInRecords
from sealwright.identity.throttle import Throttle
from sealwright.identity.totp import digits_of
from sealwright.identity.upstream.back_channel import BackChannelLogout, LogoutTokenRefused
from sealwright.identity.upstream.errors import ProviderInUse, ProviderRefused, SignOnRefused
from sealwright.identity.upstream.models import (
    BACK_CHANNEL_PATH,
    CALLBACK_PATH,
    LOGIN_PATH,
    DowngradeRule,
    GroupMapping,
    ProviderCheck,
    RefusedSignOn,
    SeenGroups,
    SignInRecord,
    UpstreamProvider,
)
from sealwright.identity.upstream.named import named_by_own_providers
from sealwright.identity.upstream.providers import ProviderInput, UpstreamProviders
from sealwright.identity.upstream.sign_on import PRE_LOGIN_LIFETIME, UpstreamSignOn
from sealwright.password_strength import MIN_PASSWORD

__all__ = [
    "ADMINISTRATORS",
    "API_KEY_PREFIX",
    "API_TOKEN_PREFIX",
    "ATTRIBUTES",
    "BACK_CHANNEL_PATH",
    "BIN_KEPT",
    "BREAK_GLASS_METHOD",
    "CALLBACK_PATH",
    "CSRF_COOKIE",
    "DEVICE_LIFETIME",
    "INVITATION_LIFETIME",
    "LOGIN_PATH",
    "MAX_DESCRIPTION",
    "MAX_DISPLAY_NAME",
    "MIN_PASSWORD",
    "MOST_GRANTS",
    "NAME_PATTERN",
    "PRE_LOGIN_LIFETIME",
    "RESET_LIFETIME",
    "SESSION_COOKIE",
    "SYSTEM_ACCOUNTS",
    "Account",
    "AccountKind",
    "AccountNotFound",
    "AccountNotUsable",
    "AccountPolicies",
    "AccountStatus",
    "AlreadyGranted",
    "ApiAuthenticator",
    "ApiKey",
    "ApiKeyState",
    "ApiKeyUsage",
    "ApiKeyUse",
    "ApiKeys",
    "ApiToken",
    "ApiTokens",
    "Argon2Hashing",
    "Authenticators",
    "BackChannelLogout",
    "BeyondOwnAuthority",
    "BinEntry",
    "Bootstrap",
    "BootstrapClosed",
    "BreakGlass",
    "BreakGlassOff",
    "BreakGlassRefused",
    "BuiltIn",
    "ClientsOfGroup",
    "CodeRefused",
    "CompletedSignIn",
    "Credential",
    "CredentialAsked",
    "CredentialKind",
    "CredentialMinimum",
    "CredentialNotFound",
    "CredentialReset",
    "Credentials",
    "Directory",
    "DowngradeRule",
    "FirstAdministrator",
    "FirstAdministratorRules",
    "GrantHolder",
    "GrantNotFound",
    "Group",
    "GroupCycle",
    "GroupInUse",
    "GroupMapping",
    "GroupNotFound",
    "GroupPolicy",
    "Hashing",
    "Identity",
    "ImportFault",
    "ImportedPerson",
    "Invitation",
    "Invitations",
    "KnownDevice",
    "KnownDevices",
    "KnownRole",
    "LabelTaken",
    "LastAdministrator",
    "LinkRefused",
    "LogoutTokenRefused",
    "MailAddress",
    "MailAddresses",
    "MailLink",
    "MailRefused",
    "MailTaken",
    "ManagedNames",
    "MemberNotFound",
    "Members",
    "NameRefused",
    "NameTaken",
    "NewApiKey",
    "NewApiToken",
    "NotByHand",
    "OneTimeLink",
    "OwnedKey",
    "OwnedSession",
    "Passkey",
    "PasskeyRefused",
    "Passkeys",
    "PasswordRefused",
    "PersonAttribute",
    "PersonImports",
    "PersonalCertificates",
    "ProviderCheck",
    "ProviderInUse",
    "ProviderInput",
    "ProviderRefused",
    "RecoveredAccount",
    "RecycleBin",
    "RefusedSignOn",
    "RelyingParty",
    "ResetLink",
    "ResetLinks",
    "RevivedAccount",
    "RoleByGroup",
    "RoleInUse",
    "RoleNotFound",
    "RoleRefused",
    "RoleTaken",
    "Roles",
    "ScopeNotFound",
    "SecondFactorRequired",
    "SeenGroups",
    "Session",
    "SessionEnd",
    "SessionEnded",
    "SessionKind",
    "SessionLifetimes",
    "SessionNotFound",
    "Sessions",
    "SignIn",
    "SignInExpired",
    "SignInExplanation",
    "SignInRecord",
    "SignInRecords",
    "SignInRefused",
    "SignOnRefused",
    "SignedIn",
    "SshKey",
    "StrongerCredentialNeeded",
    "TextRefused",
    "Throttle",
    "TooManyCredentials",
    "TotpEnrolment",
    "UpstreamProvider",
    "UpstreamProviders",
    "UpstreamSignOn",
    "WeakPassword",
    "add_missing_words",
    "browser_authenticator",
    "build_identity",
    "check_attributes",
    "check_description",
    "check_display_name",
    "check_public_key",
    "create_builtin_accounts",
    "digits_of",
    "named_by_own_providers",
    "normalize_recovery_code",
    "parse_mails",
    "purge",
    "recovery_codes_left",
    "role_id",
    "second_factors",
    "secret_digest",
    "terminal_authenticator",
]
