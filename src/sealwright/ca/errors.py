"""What the certificate authority refuses, by name."""

from __future__ import annotations

from sealwright.errors import Conflict, InvalidInput, NotFound, NotPermitted, NotSignedIn, Refused, Unavailable


class CsrRefused(InvalidInput):
    """The certificate signing request cannot be read, or is not signed by its own key."""

    code = "csr_refused"


class PublicKeyRefused(NotPermitted):
    """The public key is too weak, broken, or of a kind that is not accepted."""

    code = "public_key_refused"


class CertificateNameRefused(InvalidInput):
    """A name does not have a form that may stand in a certificate."""

    code = "name_refused"


class NameNotGranted(NotPermitted):
    """A name was asked for that the caller may not have."""

    code = "name_not_granted"


class ValidityRefused(NotPermitted):
    """The time from notBefore to notAfter that was asked for is not allowed."""

    code = "validity_refused"


class ProfileRefused(InvalidInput):
    """A profile, or the claims of a provisioner, contradict themselves or hold a value that is not understood."""

    code = "profile_refused"


class LintFailed(Refused):
    """The certificate that was about to be signed breaks a rule of its format. Nothing was signed."""

    code = "lint_failed"


class VerificationFailed(Unavailable):
    """A signed certificate is not the one that was decided. It is not given to anyone."""

    code = "verification_failed"


class AlreadySigned(Conflict):
    """A prepared certificate was to be signed a second time, or by another issuer than the one it was prepared for."""

    code = "already_signed"


class AuthorityExists(Conflict):
    """The database holds a root already; there is one for each server."""

    code = "authority_exists"


class IssuerUnusable(Unavailable):
    """An issuer's certificate and key do not belong together, or it may not sign leaf certificates."""

    code = "issuer_unusable"


class TokenUsed(NotSignedIn):
    """The token was for one certificate or one revocation, and has been used."""

    code = "token_used"


class HolderNotActive(NotPermitted):
    """The person that the certificate speaks for may not have one any more."""

    code = "standing_lost"


class CertificateRefused(NotSignedIn):
    """The certificate that was shown proves nothing here: not ours, revoked, expired, or of another use."""

    code = "certificate_refused"

    def __init__(self, detail: str, *, kind: str = "") -> None:
        """`kind`: the reason without what tells this certificate from others; refusals are counted by it. By default `detail`."""
        super().__init__(detail)
        self.kind = kind or detail


class RenewalRefused(NotSignedIn):
    """A certificate of ours cannot be renewed."""

    code = "renewal_refused"


class CertificateUnknown(NotFound):
    """No certificate has this serial number."""

    code = "certificate_unknown"


class RevocationRefused(NotPermitted):
    """The caller may not revoke this certificate."""

    code = "revocation_refused"


class AlreadyRevoked(Conflict):
    """The certificate was revoked before."""

    code = "already_revoked"
