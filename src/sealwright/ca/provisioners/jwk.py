"""JWK provisioners: anyone who has the private key says in a token which names a certificate will carry."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

import msgspec

from sealwright.access import Actor
from sealwright.ca import names
from sealwright.ca.models import CertificateRequest, SigningGrant, TokenUse
from sealwright.ca.profiles import STEP_LEAF
from sealwright.ca.provisioners.audiences import Audiences, TokenPurpose, addressed_elsewhere
from sealwright.ca.provisioners.errors import RequestNotMeant
from sealwright.ca.provisioners.models import LEEWAY, JwkProvisioner
from sealwright.ca.provisioners.single_use import check_life, one_use, replay_id
from sealwright.clock import Instant
from sealwright.jose import (
    JWT,
    UnverifiedToken,
    audiences,
    base64url,
    check_times,
    instant_claim,
    optional_text,
    require_issuer,
    require_text,
    text_list,
    verify,
)

_FINGERPRINT_OF_REQUEST = "x5rt#S256"


class JwkToken(msgspec.Struct, frozen=True):
    """A token of a JWK provisioner: signature, issuer, audience and times are right; nothing else is decided."""

    provisioner: JwkProvisioner
    subject: str
    claims: Mapping[str, Any]
    use: TokenUse

    @property
    def actor(self) -> Actor:
        """Who acts: the holder of the provisioner's key."""
        return self.provisioner.actor

    def grant(self, request: CertificateRequest) -> SigningGrant:
        """What the token allows: `sub` as the common name, `sans` (or else `sub`) as the names, exactly.

        A `cnf` must be the fingerprint of this very request. A `sub` that is too long for a common name is left out of the
        subject, where `step-ca` would make a certificate that breaks its limit.
        """
        self._check_request(request)
        texts = text_list(self.claims, "sans") or (self.subject,)
        return SigningGrant(
            provisioner_id=self.provisioner.id,
            provisioner_name=self.provisioner.name,
            profile=STEP_LEAF.name,
            actor=self.actor,
            claims=self.provisioner.claims,
            common_name=self.subject if len(self.subject) <= names.LONGEST_COMMON_NAME else "",
            names=names.canonical_all(names.split(texts)),
            may_ask_for=(self.subject, *texts),
            must_match=True,
            token_use=self.use,
            extension=self.provisioner.extension,
        )

    def _check_request(self, request: CertificateRequest) -> None:
        confirmation = self.claims.get("cnf")
        if confirmation is None:
            return
        expected = confirmation.get(_FINGERPRINT_OF_REQUEST) if isinstance(confirmation, dict) else None
        if not isinstance(expected, str):
            raise RequestNotMeant(
                f"The token's cnf holds no {_FINGERPRINT_OF_REQUEST}, the only confirmation that is known here."
            )
        if not hmac.compare_digest(expected.encode(), base64url(request.digest).encode()):
            raise RequestNotMeant("The token was made for another certificate signing request.")


def signed_claims(provisioner: JwkProvisioner, token: UnverifiedToken) -> Mapping[str, Any]:
    """The claims of a token that a key of this provisioner signed; nothing else of them is checked. Raises TokenRefused."""
    return verify(token, provisioner.keys, typ=JWT, algorithms=provisioner.algorithms).claims


def check_jwk(
    provisioner: JwkProvisioner,
    token: UnverifiedToken,
    claims: Mapping[str, Any],
    *,
    accepted: Audiences,
    operation: TokenPurpose,
    now: Instant,
) -> JwkToken:
    """Check signed claims: issuer, times and audience. What is wrong raises TokenRefused or CredentialRefused."""
    require_issuer(claims, provisioner.name)
    check_times(claims, now, LEEWAY)
    check_life(claims, now)
    if not accepted.match(audiences(claims), operation):
        raise addressed_elsewhere(audiences(claims), operation)
    subject = require_text(claims, "sub")
    token_id = optional_text(claims, "jti") or replay_id(token)
    use = one_use(provisioner.id, token_id, expires_at=instant_claim(claims, "exp") or now, now=now)
    return JwkToken(provisioner, subject, claims, use)
