"""The certificate authority: who may have which certificate, and everything from the decision to the signed bytes.

Owns: issuers, profiles, provisioners, certificates. Never knows how people sign in.
"""

from __future__ import annotations

from sealwright.ca.models import (
    CertificateContents,
    CertificateRequest,
    Claims,
    Decision,
    ExtendedUse,
    IssuedCertificate,
    Issuer,
    KeyKind,
    Name,
    NameType,
    PreparedCertificate,
    PrivateKey,
    Profile,
    ProvisionerExtension,
    ProvisionerType,
    PublicKey,
    SigningGrant,
    Standing,
)

__all__ = [
    "CertificateContents",
    "CertificateRequest",
    "Claims",
    "Decision",
    "ExtendedUse",
    "IssuedCertificate",
    "Issuer",
    "KeyKind",
    "Name",
    "NameType",
    "PreparedCertificate",
    "PrivateKey",
    "Profile",
    "ProvisionerExtension",
    "ProvisionerType",
    "PublicKey",
    "SigningGrant",
    "Standing",
]
