"""The certificate authority: who may have which certificate, and everything from the decision to the signed bytes.

Owns: issuers, profiles, provisioners, certificates. Never knows how people sign in.
"""

from __future__ import annotations

from sealwright.ca.account_certificates import AccountCertificates
from sealwright.ca.authority import AuthorityDependencies, CertificateAuthority, build_authority
from sealwright.ca.client_certificates import ClientCertificate, ClientCertificates, serial_of, why_not_valid
from sealwright.ca.errors import AuthorityExists, CertificateNameRefused, CertificateRefused, CsrRefused, IssuerUnusable
from sealwright.ca.holder_status import AccountLookup
from sealwright.ca.inventory import CertificateHistory, Inventory, InventoryPage
from sealwright.ca.issue import CrashPoints, pass_by
from sealwright.ca.issuers import IssuerKind, IssuerRecord, Issuers
from sealwright.ca.lists import BreakingCertificates, CertificateFilter, CertificateLists, EndingPage, FilterState
from sealwright.ca.models import (
    CertificateContents,
    CertificateRequest,
    Claims,
    Curve,
    Decision,
    ExtendedUse,
    HolderStatus,
    IssuedCertificate,
    Issuer,
    KeyKind,
    KeyUse,
    LocalAccessToken,
    LocalToken,
    Name,
    NameType,
    Person,
    PreparedCertificate,
    PrivateKey,
    Profile,
    ProvisionerExtension,
    ProvisionerType,
    PublicKey,
    SigningGrant,
)
from sealwright.ca.preview import Preview, Previews, Verdict
from sealwright.ca.profiles import BUILT_IN as BUILT_IN_PROFILES
from sealwright.ca.profiles import KnownProfile, ProfileRegistry, lifetime_of, profile_members
from sealwright.ca.profiles import within as claims_within
from sealwright.ca.provisioners import (
    CredentialRefused,
    OidcProvisioner,
    Provisioner,
    ProvisionerRegistry,
    ShownProof,
    VerifyAccessToken,
    listed,
    shown_definition,
)
from sealwright.ca.records import CertificateRecord, CertificateState
from sealwright.ca.recovery import PATIENCE
from sealwright.ca.revoke import Revocation
from sealwright.ca.serials import decimal_text, serial_in, serial_text
from sealwright.ca.server_certificate import ServerCertificate, issue_server_certificate
from sealwright.ca.sign import Signing
from sealwright.ca.step_api import answer_failure
from sealwright.pem import certificates_pem

__all__ = [
    "BUILT_IN_PROFILES",
    "PATIENCE",
    "AccountCertificates",
    "AccountLookup",
    "AuthorityDependencies",
    "AuthorityExists",
    "BreakingCertificates",
    "CertificateAuthority",
    "CertificateContents",
    "CertificateFilter",
    "CertificateHistory",
    "CertificateLists",
    "CertificateNameRefused",
    "CertificateRecord",
    "CertificateRefused",
    "CertificateRequest",
    "CertificateState",
    "Claims",
    "ClientCertificate",
    "ClientCertificates",
    "CrashPoints",
    "CredentialRefused",
    "CsrRefused",
    "Curve",
    "Decision",
    "EndingPage",
    "ExtendedUse",
    "FilterState",
    "HolderStatus",
    "Inventory",
    "InventoryPage",
    "IssuedCertificate",
    "Issuer",
    "IssuerKind",
    "IssuerRecord",
    "IssuerUnusable",
    "Issuers",
    "KeyKind",
    "KeyUse",
    "KnownProfile",
    "LocalAccessToken",
    "LocalToken",
    "Name",
    "NameType",
    "OidcProvisioner",
    "Person",
    "PreparedCertificate",
    "Preview",
    "Previews",
    "PrivateKey",
    "Profile",
    "ProfileRegistry",
    "Provisioner",
    "ProvisionerExtension",
    "ProvisionerRegistry",
    "ProvisionerType",
    "PublicKey",
    "Revocation",
    "ServerCertificate",
    "ShownProof",
    "Signing",
    "SigningGrant",
    "Verdict",
    "VerifyAccessToken",
    "answer_failure",
    "build_authority",
    "certificates_pem",
    "claims_within",
    "decimal_text",
    "issue_server_certificate",
    "lifetime_of",
    "listed",
    "pass_by",
    "profile_members",
    "serial_in",
    "serial_of",
    "serial_text",
    "shown_definition",
    "why_not_valid",
]
