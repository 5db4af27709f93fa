"""The certificate authority: who may have which certificate, and everything from the decision to the signed bytes.

Owns: issuers, profiles, provisioners, certificates. Never knows how people sign in.
"""

from __future__ import annotations

from sealwright.ca.assemble import CertificateAuthority, Foundation, assemble
from sealwright.ca.errors import AuthorityExists, IssuerUnusable
from sealwright.ca.inventory import CertificatePage, CertificateStory, Inventory
from sealwright.ca.issuers import IssuerKind, IssuerRecord, Issuers
from sealwright.ca.models import (
    CertificateContents,
    CertificateRequest,
    Claims,
    Decision,
    ExtendedUse,
    IssuedCertificate,
    Issuer,
    KeyKind,
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
    Standing,
)
from sealwright.ca.of_people import CertificatesOfPeople
from sealwright.ca.provisioners import OidcProvisioner, Provisioner, Provisioners, listed
from sealwright.ca.records import CertificateRecord, CertificateState
from sealwright.ca.recovery import PATIENCE
from sealwright.ca.revoke import Revocation
from sealwright.ca.serials import decimal_text, serial_in, serial_text
from sealwright.ca.server_certificate import ServerCertificate, issue_server_certificate
from sealwright.ca.standing import Directory
from sealwright.ca.step_api import answer_failure
from sealwright.pem import certificates_pem

__all__ = [
    "PATIENCE",
    "AuthorityExists",
    "CertificateAuthority",
    "CertificateContents",
    "CertificatePage",
    "CertificateRecord",
    "CertificateRequest",
    "CertificateState",
    "CertificateStory",
    "CertificatesOfPeople",
    "Claims",
    "Decision",
    "Directory",
    "ExtendedUse",
    "Foundation",
    "Inventory",
    "IssuedCertificate",
    "Issuer",
    "IssuerKind",
    "IssuerRecord",
    "IssuerUnusable",
    "Issuers",
    "KeyKind",
    "LocalToken",
    "Name",
    "NameType",
    "OidcProvisioner",
    "Person",
    "PreparedCertificate",
    "PrivateKey",
    "Profile",
    "Provisioner",
    "ProvisionerExtension",
    "ProvisionerType",
    "Provisioners",
    "PublicKey",
    "Revocation",
    "ServerCertificate",
    "SigningGrant",
    "Standing",
    "answer_failure",
    "assemble",
    "certificates_pem",
    "decimal_text",
    "issue_server_certificate",
    "listed",
    "serial_in",
    "serial_text",
]
