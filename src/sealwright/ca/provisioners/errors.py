"""What the provisioners refuse, by name."""

from __future__ import annotations

from sealwright.errors import Conflict, InvalidInput, NotFound, NotPermitted, NotSignedIn


class DefinitionRefused(InvalidInput):
    """The definition of a provisioner has a member that is unknown, missing or wrong. The detail names it."""

    code = "provisioner_definition_refused"


class ProvisionerExists(Conflict):
    """Another provisioner has this name, or answers to the same tokens."""

    code = "provisioner_exists"


class ProvisionerMissing(NotFound):
    """There is no provisioner of this name."""

    code = "provisioner_missing"


class ProvisionerReadOnly(Conflict):
    """The provisioner comes from a file; it is changed there."""

    code = "provisioner_read_only"


class CredentialRefused(NotSignedIn):
    """The token or certificate that was shown proves nothing here: unknown provisioner, wrong audience, used before."""

    code = "credential_refused"
    nonce = ""
    """For the next DPoP proof, where one with a nonce was missing (RFC 9449, section 9)."""


class IdentityRefused(NotPermitted):
    """The token is genuine, but the person it speaks of may have no certificate from this provisioner."""

    code = "identity_refused"


class RequestNotMeant(NotPermitted):
    """The token was made for another certificate signing request than the one it came with."""

    code = "request_not_meant"
