"""ACCESS-TOKEN provisioners: an access token of this server that was asked for them is good for one certificate.

Not a type of `step-ca`. Its token is one that a service account or a client got for itself: by client credentials, in an
exchange, or for a token of a trusted issuer. So a job that has no secret gets a certificate, with the stock commands of `step`.

* The token is for the provisioner alone (`aud`), so that no server that is sent one can use it here, and the other way round.
* The names are those that the definition lists for the account or client, and never more than were asked for.
* A token that is bound to a key is taken from its holder alone: by the certificate of the connection, by a DPoP proof, or by a
  signing request of that very key.
* What acts for someone else (`act`) gets no certificate: it would not tell who acts.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import msgspec

from sealwright.access import Actor, NamedAuthority, NameKind, Permission
from sealwright.ca import names
from sealwright.ca.errors import CertificateNameRefused
from sealwright.ca.models import CertificateRequest, Claims, LocalAccessToken, Name, Person, SigningGrant, TokenUse
from sealwright.ca.provisioners.audiences import TokenPurpose
from sealwright.ca.provisioners.errors import CredentialRefused, IdentityRefused, RequestNotMeant
from sealwright.ca.provisioners.models import AccessTokenDefinition, check_access_token
from sealwright.ca.provisioners.provisioner import CredentialChecks, OwnClient
from sealwright.ca.provisioners.single_use import one_use
from sealwright.ca.records import CertificateRecord
from sealwright.clock import Clock
from sealwright.jose import UnverifiedToken, thumbprint


@dataclass(frozen=True)
class AccessTokenProvisioner:
    """An ACCESS-TOKEN provisioner, checked and ready to be asked."""

    definition: AccessTokenDefinition
    claims: Claims
    source: str = ""
    """The file it comes from; empty when it is stored in the database."""

    @classmethod
    def of(cls, definition: AccessTokenDefinition, claims: Claims, source: str, _origin: str) -> AccessTokenProvisioner:
        """The provisioner of a definition; raises DefinitionRefused."""
        check_access_token(definition)
        return cls(definition, claims, source)

    @property
    def id(self) -> str:
        """What its tokens are found by: the audience that they are for."""
        return self.definition.audience

    @property
    def name(self) -> str:
        """The name people choose it by."""
        return self.definition.name

    extension = None
    """The extension has no number for this type."""
    verifies_with_own_key = False
    secret = ""

    @property
    def trusts(self) -> str:
        """Audience and scope of the tokens."""
        return f"access tokens of this server for {self.definition.audience} with the scope {self.definition.scope}"

    def stored(self) -> AccessTokenDefinition:
        """The definition as it is."""
        return self.definition

    def encrypted_key(self, _: str) -> str:
        """None: the tokens are signed by the issuers of this server."""
        return ""

    async def authenticate(self, token: UnverifiedToken, checks: CredentialChecks) -> SignedAccessToken:
        """Have the authorization server verify the token, and the possession of the key that it may be bound to."""
        return SignedAccessToken(self, await checks.access_tokens(token.text, checks.shown), checks.clock)

    @cached_property
    def names_by_account(self) -> dict[str, tuple[Name, ...]]:
        """Account id → the names that tokens of the account may have."""
        return {each.account: _canonical(each.names) for each in self.definition.holders if each.account}

    @cached_property
    def names_by_client(self) -> dict[str, tuple[Name, ...]]:
        """Name of a client → the names that tokens may have which speak of the client itself."""
        return {each.client: _canonical(each.names) for each in self.definition.holders if each.client}

    def grant_without_token(self, _request: CertificateRequest, _person: Person | None, _own_issuer: str) -> SigningGrant:
        """Nothing: only a token says which account or client asks."""
        raise IdentityRefused(
            f"The provisioner {self.name} trusts access tokens, and only such a token says whose names these are.",
            hint="Show a token of it in place of its name.",
        )

    def holder_of(self, record: CertificateRecord) -> Actor:
        """The service account, or the client."""
        if record.account_id is not None:
            return Actor("service", record.account_id, record.holder_name)
        return Actor("client", record.client_id or "", record.holder_name)

    def require_still_held(self, person: Person, subject_name: str, held: Iterable[Name]) -> None:
        """Raise IdentityRefused unless the definition lists these names for the account now."""
        _require_listed(self, person.name, self.names_by_account.get(person.id, ()), subject_name, held)

    def require_held_by_client(self, client_name: str, subject_name: str, held: Iterable[Name]) -> None:
        """The same for a client."""
        _require_listed(self, client_name, self.names_by_client.get(client_name, ()), subject_name, held)

    def named_authority(self, _: OwnClient) -> tuple[NamedAuthority, ...]:
        """Accounts and clients that it lists: anyone who can have tokens made of them can have these names."""
        who, any_name = f"the provisioner {self.name}", frozenset({Permission.CERTIFICATE_ISSUE_ANY_NAME})
        return (
            *(NamedAuthority(who, "holders", NameKind.ACCOUNT_ID, each, any_name) for each in self.names_by_account),
            *(NamedAuthority(who, "holders", NameKind.CLIENT, each, any_name) for each in self.names_by_client),
        )


class CheckedAccessToken(msgspec.Struct, frozen=True):
    """An access token of which everything is right but the names that are asked for."""

    provisioner: AccessTokenProvisioner
    verified: LocalAccessToken
    use: TokenUse

    @property
    def actor(self) -> Actor:
        """The service account or the client."""
        return self.verified.actor

    @property
    def subject(self) -> str:
        """Its `sub`: an account's id, or that of a client."""
        return self.verified.account_id or self.verified.client_id

    def grant(self, request: CertificateRequest) -> SigningGrant:
        """What is listed for the account or client, of that what is asked for; all where nothing is."""
        self._require_key(request)
        token, provisioner = self.verified, self.provisioner
        if token.account_id is not None:
            listed = provisioner.names_by_account.get(token.account_id, ())
        else:
            listed = provisioner.names_by_client.get(token.client_name, ())
        if not listed:
            raise IdentityRefused(
                f"The provisioner {provisioner.name} lists no names for {token.actor.name}.",
                reasons=("holders: an account by its id, or a client by its name, with the names that it may have",),
                hint="Ask an administrator to have the account or client listed there.",
            )
        asked = _asked(request)
        common_name = request.common_name
        return SigningGrant(
            provisioner_id=provisioner.id,
            provisioner_name=provisioner.name,
            profile=provisioner.definition.profile_name,
            issuer=provisioner.definition.issuer,
            actor=self.actor,
            claims=provisioner.claims,
            common_name=common_name if common_name and _is_listed(common_name, listed) else "",
            names=tuple(each for each in listed if each in asked) if asked and asked.issubset(listed) else listed,
            account_id=token.account_id,
            client_id=token.client_id,
            local_token=token,
            token_use=self.use,
        )

    def _require_key(self, request: CertificateRequest) -> None:
        wanted = self.verified.proof_key
        if wanted and not hmac.compare_digest(thumbprint(request.public_key), wanted):
            raise RequestNotMeant(
                "The access token is bound to another key than that of the signing request.",
                hint="Make the request with the key of the token's DPoP proofs, or send a proof by that key in the header DPoP.",
            )


class SignedAccessToken(msgspec.Struct, frozen=True):
    """An access token that the authorization server verified; whether it is meant for this provisioner is still to be asked."""

    provisioner: AccessTokenProvisioner
    verified: LocalAccessToken
    clock: Clock

    @property
    def actor(self) -> Actor:
        """The service account or the client."""
        return self.verified.actor

    async def checked(self, purpose: TokenPurpose) -> CheckedAccessToken:
        """Check audience and scope; then refuse what is not done with access tokens."""
        token, definition, now = self.verified, self.provisioner.definition, self.clock.now()
        if token.audience != (definition.audience,):
            raise CredentialRefused(
                f"The access token is for {', '.join(token.audience)[:200]}, and has to be for {definition.audience} alone.",
                hint=f"Ask for it with resource={definition.audience} and no other.",
            )
        if definition.scope not in token.scopes:
            raise CredentialRefused(
                f"The access token has not the scope {definition.scope}, or its holder lost it.",
                hint=f"Ask for it with scope={definition.scope}, which a scope map of {token.client_name} has to give.",
            )
        if purpose is not TokenPurpose.SIGN:
            raise IdentityRefused(
                f"{self.actor.name} cannot {purpose} with an access token.",
                reasons=(f"the provisioner {self.provisioner.name} is of type {definition.type}",),
                hint="Revoke with the certificate and its key.",
            )
        use = one_use(self.provisioner.id, token.token_id, expires_at=token.expires_at, now=now)
        return CheckedAccessToken(self.provisioner, token, use)


def _canonical(texts: Iterable[str]) -> tuple[Name, ...]:
    return tuple(dict.fromkeys(names.parse(text) for text in texts))


def _asked(request: CertificateRequest) -> frozenset[Name]:
    """The names of a request; its common name where it has no other."""
    wanted = request.names + request.subject_mails or names.split([request.common_name] if request.common_name else [])
    return frozenset(names.canonical_all(wanted))


def _is_listed(text: str, listed: Iterable[Name]) -> bool:
    try:
        return names.parse(text) in listed
    except CertificateNameRefused:
        return False


def _require_listed(
    provisioner: AccessTokenProvisioner, whose: str, listed: tuple[Name, ...], subject_name: str, held: Iterable[Name]
) -> None:
    lost = [each.value for each in held if each not in listed]
    if not lost and subject_name and not _is_listed(subject_name, listed):
        lost = [subject_name]
    if lost:
        raise IdentityRefused(
            f"{lost[0]} is not a name that the provisioner {provisioner.name} lists for {whose} any more.",
            reasons=("a certificate carries only names that its holder may have when it is signed",),
            hint="Ask for a certificate with the names that are listed, or have the name listed again.",
        )
