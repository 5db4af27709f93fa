"""JWK provisioners: anyone who has the private key says in a token which names a certificate will carry."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from sealwright.access import Actor, NamedAuthority
from sealwright.ca import names
from sealwright.ca.errors import NameNotGranted
from sealwright.ca.models import (
    CertificateRequest,
    Claims,
    Name,
    Person,
    ProvisionerExtension,
    ProvisionerType,
    PublicKey,
    SigningGrant,
    TokenUse,
)
from sealwright.ca.provisioners.audiences import TokenPurpose, addressed_elsewhere
from sealwright.ca.provisioners.errors import IdentityRefused, RequestNotMeant
from sealwright.ca.provisioners.models import LEEWAY, JwkDefinition, checked_key
from sealwright.ca.provisioners.provisioner import CredentialChecks, OwnClient
from sealwright.ca.provisioners.single_use import check_life, one_use, replay_id
from sealwright.ca.records import CertificateRecord
from sealwright.clock import Instant
from sealwright.jose import (
    JWT,
    UnverifiedToken,
    VerificationKey,
    VerificationKeys,
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


@dataclass(frozen=True)
class JwkProvisioner:
    """A JWK provisioner, checked and ready to be asked. What every token asks it for is put together once."""

    definition: JwkDefinition
    claims: Claims
    public_key: PublicKey
    source: str = ""
    """The file it comes from; empty when it is stored in the database."""

    @classmethod
    def of(cls, definition: JwkDefinition, claims: Claims, source: str, _origin: str) -> JwkProvisioner:
        """The provisioner of a definition; raises DefinitionRefused."""
        return cls(definition, claims, checked_key(definition), source)

    @property
    def kid(self) -> str:
        """The id of its key."""
        kid: str = self.definition.key["kid"]
        return kid

    @cached_property
    def keys(self) -> VerificationKeys:
        """The one key that its tokens are signed with."""
        return (VerificationKey(self.kid, self.definition.key["alg"], self.public_key),)

    @cached_property
    def algorithms(self) -> frozenset[str]:
        """The only algorithm that its tokens may be signed with."""
        return frozenset({self.definition.key["alg"]})

    @cached_property
    def id(self) -> str:
        """What its tokens are found by: name and key id."""
        return f"{self.name}:{self.kid}"

    @property
    def name(self) -> str:
        """The name people choose it by."""
        return self.definition.name

    @cached_property
    def extension(self) -> ProvisionerExtension:
        """What its certificates say of it."""
        return ProvisionerExtension(ProvisionerType.JWK, self.name, self.kid)

    @cached_property
    def actor(self) -> Actor:
        """Who acts with a token of it: the holder of its key."""
        return Actor("service", self.id, self.name)

    verifies_with_own_key = True
    secret = ""

    @property
    def trusts(self) -> str:
        """Its key."""
        return f"tokens signed with the key {self.kid}"

    def stored(self) -> JwkDefinition:
        """The definition as it is."""
        return self.definition

    def encrypted_key(self, kid: str) -> str:
        """The encrypted private key, where it is the one with this id."""
        return self.definition.encrypted_key if kid == self.kid else ""

    async def authenticate(self, token: UnverifiedToken, checks: CredentialChecks) -> SignedJwkToken:
        """Verify the signature by the key of the definition."""
        claims = verify(token, self.keys, typ=JWT, algorithms=self.algorithms).claims
        return SignedJwkToken(self, token, claims, checks)

    def grant_without_token(self, request: CertificateRequest, _person: Person | None, _own_issuer: str) -> SigningGrant:
        """As if a token vouched for the names of the request, and for nothing else."""
        texts = [name.value for name in request.names + request.subject_mails] or [request.common_name]
        if texts == [""]:
            hint = "Make a request with a name: step certificate create web.example.org web.csr web.key --csr"
            raise NameNotGranted("The certificate would have no name: the request has none.", hint=hint)
        subject = request.common_name or texts[0]
        return JwkToken(self, subject, {"sans": texts}, TokenUse(b"", Instant(0))).grant(request)

    def holder_of(self, _: CertificateRecord) -> Actor:
        """The holder of its key."""
        return self.actor

    def require_still_held(self, person: Person, _: str, __: Iterable[Name]) -> None:
        """Refuse: it vouches for machines, never for people of this server."""
        raise IdentityRefused(
            f"The provisioner {self.name} does not vouch for {person.name}.", hint="Ask with another provisioner."
        )

    def named_authority(self, _: OwnClient) -> tuple[NamedAuthority, ...]:
        """None: it trusts its key alone."""
        return ()


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
            profile=self.provisioner.definition.profile_name,
            issuer=self.provisioner.definition.issuer,
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


class SignedJwkToken(msgspec.Struct, frozen=True):
    """A token that the key of a provisioner signed; nothing else of it is checked."""

    provisioner: JwkProvisioner
    token: UnverifiedToken
    claims: Mapping[str, Any]
    checks: CredentialChecks

    @property
    def actor(self) -> Actor:
        """The holder of the key."""
        return self.provisioner.actor

    async def checked(self, purpose: TokenPurpose) -> JwkToken:
        """Check issuer, times and audience."""
        claims, provisioner, now = self.claims, self.provisioner, self.checks.clock.now()
        require_issuer(claims, provisioner.name)
        check_times(claims, now, LEEWAY)
        check_life(claims, now)
        if not self.checks.accepted.match(audiences(claims), purpose):
            raise addressed_elsewhere(audiences(claims), purpose)
        subject = require_text(claims, "sub")
        token_id = optional_text(claims, "jti") or replay_id(self.token)
        use = one_use(provisioner.id, token_id, expires_at=instant_claim(claims, "exp") or now, now=now)
        return JwkToken(provisioner, subject, claims, use)
