"""The interface of every type of provisioner. Each type is one module.

A token is checked in two steps, so that a genuine token which is refused can be recorded with the person or key behind it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from msgspec import Struct

from sealwright.access import Actor, NamedAuthority
from sealwright.ca.models import (
    CertificateRequest,
    Claims,
    LocalAccessToken,
    Name,
    Person,
    PersonOf,
    ProvisionerExtension,
    SigningGrant,
    TokenUse,
)
from sealwright.ca.provisioners.audiences import Audiences, TokenPurpose
from sealwright.ca.provisioners.models import Definition
from sealwright.ca.records import CertificateRecord
from sealwright.clock import Clock
from sealwright.http import Peer
from sealwright.jose import UnverifiedToken
from sealwright.openid_providers import TrustedProviders

OwnClient = Callable[[str], str | None]
"""The client of this server whose issuer a configuration endpoint means, whether it exists or not; None for other providers."""


class ShownProof(Struct, frozen=True):
    """What a request shows beside a token that may be bound to a key."""

    peer: Peer
    dpop: str | None
    """The header DPoP."""
    path: str


NOTHING_SHOWN = ShownProof(Peer(""), None, "")
"""For a token that did not come in a request of its holder."""
VerifyAccessToken = Callable[[str, ShownProof], Awaitable[LocalAccessToken]]
"""The access token of this server that a text is; raises CredentialRefused where it is none, not valid, or not its holder's."""


class CredentialChecks(Struct, frozen=True):
    """What a provisioner needs in order to check a token."""

    accepted: Audiences
    providers: TrustedProviders
    clock: Clock
    person_of: PersonOf
    access_tokens: VerifyAccessToken
    shown: ShownProof = NOTHING_SHOWN


class VerifiedToken(Protocol):
    """A token of which everything is right but what it asks for."""

    @property
    def provisioner(self) -> Provisioner:
        """The provisioner that vouches for it."""

    @property
    def actor(self) -> Actor:
        """Who acts with it."""

    @property
    def subject(self) -> str:
        """Its `sub`."""

    @property
    def use(self) -> TokenUse:
        """The note that is made when it is used."""

    def grant(self, request: CertificateRequest) -> SigningGrant:
        """What it allows for a request. Raises a refusal with the reason where it allows nothing."""


class SignedToken(Protocol):
    """A token whose signature is right; nothing else of it is checked."""

    @property
    def actor(self) -> Actor:
        """The person or key that it names, for the record of a refusal."""

    async def checked(self, purpose: TokenPurpose) -> VerifiedToken:
        """Check the rest. What is wrong raises TokenRefused or CredentialRefused."""


class Provisioner(Protocol):
    """Who vouches for the names in certificates."""

    @property
    def definition(self) -> Definition:
        """The definition as it counts here."""

    @property
    def claims(self) -> Claims:
        """Lifetimes, and what else holds for its certificates."""

    @property
    def source(self) -> str:
        """The file it comes from; empty when it is stored in the database."""

    @property
    def id(self) -> str:
        """What its tokens are found by."""

    @property
    def name(self) -> str:
        """The name people choose it by."""

    @property
    def extension(self) -> ProvisionerExtension | None:
        """What its certificates say of it."""

    @property
    def verifies_with_own_key(self) -> bool:
        """Whether a key in the definition verifies its tokens, so that ``iss:kid`` finds it."""

    @property
    def secret(self) -> str:
        """What is sealed before the definition is stored; empty where there is none."""

    @property
    def trusts(self) -> str:
        """Which tokens it takes, in words."""

    def stored(self) -> Definition:
        """The definition as it is stored, without the secret."""

    def encrypted_key(self, kid: str) -> str:
        """The encrypted private key with this id, which `step` asks for; empty where there is none."""

    async def authenticate(self, token: UnverifiedToken, checks: CredentialChecks) -> SignedToken:
        """Verify the signature of a token that names this provisioner. Raises TokenRefused."""

    def grant_without_token(self, request: CertificateRequest, person: Person | None, own_issuer: str) -> SigningGrant:
        """What it would allow: a machine just the names of the request, or `person` of this server, whose issuer it trusts.

        `own_issuer`: the URL of that issuer; empty where it trusts another provider, of which only a token says who asks.
        """

    def holder_of(self, record: CertificateRecord) -> Actor:
        """On whose behalf a certificate of it is renewed."""

    def require_still_held(self, person: Person, subject_name: str, names: Iterable[Name]) -> None:
        """Raise IdentityRefused where a person of this server would not be given this subject and these names today."""

    def named_authority(self, own_client: OwnClient) -> tuple[NamedAuthority, ...]:
        """The names of this server's people, groups and clients that carry authority because it trusts them."""
