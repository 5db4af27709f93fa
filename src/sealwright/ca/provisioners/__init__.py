"""Who may ask the certificate authority for what, and how they prove it.

Owns: definitions of provisioners, the list of them, and the checks of their tokens. Never issues anything.
"""

from __future__ import annotations

from sealwright.ca.provisioners.audiences import Audiences, TokenPurpose
from sealwright.ca.provisioners.authenticate import ProvisionerTokens
from sealwright.ca.provisioners.errors import (
    CredentialRefused,
    DefinitionRefused,
    IdentityRefused,
    ProvisionerExists,
    ProvisionerMissing,
    ProvisionerReadOnly,
    RequestNotMeant,
)
from sealwright.ca.provisioners.jwk import JwkToken
from sealwright.ca.provisioners.models import (
    LEEWAY,
    JwkProvisioner,
    OidcProvisioner,
    Provisioner,
    listed,
    parse_definition,
)
from sealwright.ca.provisioners.oidc import IdToken
from sealwright.ca.provisioners.registry import ProvisionerRegistry, RegistryPage
from sealwright.ca.provisioners.renewal import check_still_held
from sealwright.ca.provisioners.single_use import check_life, one_use, replay_id

__all__ = [
    "LEEWAY",
    "Audiences",
    "CredentialRefused",
    "DefinitionRefused",
    "IdToken",
    "IdentityRefused",
    "JwkProvisioner",
    "JwkToken",
    "OidcProvisioner",
    "Provisioner",
    "ProvisionerExists",
    "ProvisionerMissing",
    "ProvisionerReadOnly",
    "ProvisionerRegistry",
    "ProvisionerTokens",
    "RegistryPage",
    "RequestNotMeant",
    "TokenPurpose",
    "check_life",
    "check_still_held",
    "listed",
    "one_use",
    "parse_definition",
    "replay_id",
]
