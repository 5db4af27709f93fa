"""Who may ask the certificate authority for what, and how they prove it.

Owns: definitions of provisioners, the list of them, and the checks of their tokens. Never issues anything.
"""

from __future__ import annotations

from sealwright.ca.provisioners.access_token import AccessTokenProvisioner
from sealwright.ca.provisioners.audiences import Audiences, TokenPurpose
from sealwright.ca.provisioners.authenticate import ProvisionerTokens
from sealwright.ca.provisioners.definitions import listed, parse_definition, shown_definition
from sealwright.ca.provisioners.errors import (
    CredentialRefused,
    DefinitionRefused,
    IdentityRefused,
    ProvisionerExists,
    ProvisionerMissing,
    ProvisionerReadOnly,
    RequestNotMeant,
)
from sealwright.ca.provisioners.jwk import JwkProvisioner, JwkToken
from sealwright.ca.provisioners.models import LEEWAY
from sealwright.ca.provisioners.oidc import IdToken, OidcProvisioner
from sealwright.ca.provisioners.provisioner import NOTHING_SHOWN, Provisioner, ShownProof, VerifiedToken, VerifyAccessToken
from sealwright.ca.provisioners.registry import ProvisionerRegistry, RegistryPage
from sealwright.ca.provisioners.single_use import check_life, one_use, replay_id

__all__ = [
    "LEEWAY",
    "NOTHING_SHOWN",
    "AccessTokenProvisioner",
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
    "ShownProof",
    "TokenPurpose",
    "VerifiedToken",
    "VerifyAccessToken",
    "check_life",
    "listed",
    "one_use",
    "parse_definition",
    "replay_id",
    "shown_definition",
]
