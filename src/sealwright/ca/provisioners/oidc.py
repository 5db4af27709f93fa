"""OIDC provisioners: people prove who they are with an ID token of a provider that the provisioner trusts.

Where this is stricter or clearer than `step-ca`, on purpose:

* A mail address counts only when the provider says that it is verified (`email_verified` is the JSON value true), for the
  certificate as well as for being an administrator. `allowUnverifiedEmail` in the definition lifts this.
* Someone without a mail address gets a refusal that says so, not a certificate without it.
* `domains` holds for everyone but administrators, so also for people without an address: they are refused.
* People who are not administrators may ask for their mail address, their user name (`preferred_username`, with or without
  its domain), their `sub`, the URI that `step` makes of issuer and `sub`, or nothing. Any other name is refused by name,
  where `step-ca` signs something else in silence. Whatever of these was asked for, the certificate is the same.
* A `sub` that is too long for a common name is left out of the subject; it still stands in the URI.
* There is no rule about tokens from before the start of this process: used tokens are remembered in the database.
* Certificates are not revoked with ID tokens: `step` compares `sub` with the serial number, which no provider can match.
  People revoke with the certificate itself, or after signing in here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
from msgspec.structs import replace

from sealwright.access import Actor, NamedAuthority
from sealwright.ca import names
from sealwright.ca.models import (
    CertificateRequest,
    Claims,
    LocalToken,
    Name,
    NameType,
    Person,
    ProvisionerExtension,
    ProvisionerType,
    SigningGrant,
    TokenUse,
)
from sealwright.ca.provisioners.administrators import Bearer, asks_for_group_ids, mentions, named_by
from sealwright.ca.provisioners.audiences import TokenPurpose
from sealwright.ca.provisioners.errors import IdentityRefused
from sealwright.ca.provisioners.models import LEEWAY, OidcDefinition, check_oidc
from sealwright.ca.provisioners.name_rules import in_wanted_group, own_names, require_domain
from sealwright.ca.provisioners.provisioner import CredentialChecks, OwnClient
from sealwright.ca.provisioners.renewal import check_still_held
from sealwright.ca.provisioners.single_use import one_use, replay_id
from sealwright.ca.records import CertificateRecord
from sealwright.clock import Instant
from sealwright.hosts import HostRefused, canonical_mail
from sealwright.jose import (
    ALGORITHMS,
    JWT,
    TokenRefused,
    UnverifiedToken,
    check_authorized_party,
    check_times,
    instant_claim,
    optional_text,
    require_audience,
    require_issuer,
    require_text,
    verify,
)
from sealwright.openid_providers import ProviderMetadata


@dataclass(frozen=True)
class OidcProvisioner:
    """An OIDC provisioner, checked and ready to be asked."""

    definition: OidcDefinition
    claims: Claims
    given_endpoint: str
    """As in the definition: of our own issuers it may be a path, which stays right when this server's address changes."""
    source: str = ""
    """The file it comes from; empty when it is stored in the database."""

    @classmethod
    def of(cls, definition: OidcDefinition, claims: Claims, source: str, origin: str) -> OidcProvisioner:
        """The provisioner of a definition, whose endpoint may be a path below `origin`; raises DefinitionRefused."""
        given = definition.configuration_endpoint
        if origin and given.startswith("/"):
            definition = msgspec.structs.replace(definition, configuration_endpoint=f"{origin}{given}")
        check_oidc(definition)
        return cls(definition, claims, given, source)

    @property
    def id(self) -> str:
        """What its tokens are found by: the client id at the provider."""
        return self.definition.client_id

    @property
    def name(self) -> str:
        """The name people choose it by."""
        return self.definition.name

    @cached_property
    def extension(self) -> ProvisionerExtension:
        """What its certificates say of it."""
        return ProvisionerExtension(ProvisionerType.OIDC, self.name, self.definition.client_id)

    verifies_with_own_key = False

    @property
    def secret(self) -> str:
        """The client's secret at the provider."""
        return self.definition.client_secret

    @property
    def trusts(self) -> str:
        """The provider and the client there."""
        return f"ID tokens of {self.definition.configuration_endpoint} for {self.definition.client_id}"

    def stored(self) -> OidcDefinition:
        """The definition as it was given, without the secret."""
        return msgspec.structs.replace(self.definition, client_secret="", configuration_endpoint=self.given_endpoint)

    def encrypted_key(self, _: str) -> str:
        """None: the provider keeps its keys."""
        return ""

    async def authenticate(self, token: UnverifiedToken, checks: CredentialChecks) -> SignedIdToken:
        """Verify the signature by the provider's keys; a provider that is down raises Unavailable."""
        definition, key_id = self.definition, token.header.get("kid")
        metadata, keys = await checks.providers.keys_for(
            definition.configuration_endpoint, key_id if isinstance(key_id, str) else None, tenant_id=definition.tenant_id
        )
        _check_algorithm(token.header.get("alg"), metadata)
        claims = verify(token, keys, typ=JWT, algorithms=metadata.algorithms).claims
        return SignedIdToken(self, token, metadata, claims, checks)

    def grant_without_token(self, request: CertificateRequest, person: Person | None, own_issuer: str) -> SigningGrant:
        """What a person of this server would have with an ID token of now; of other people only their token can say."""
        if person is None or not own_issuer:
            raise IdentityRefused(
                f"The provisioner {self.name} trusts ID tokens, and only such a token says whose names these are.",
                hint="Show a token of it in place of its name.",
            )
        token = IdToken(
            provisioner=self,
            issuer_url=own_issuer,
            local=True,
            subject=person.id,
            mail=person.primary_mail,
            mail_verified=person.primary_mail in person.mails,
            verified_is_text=False,
            groups=tuple(sorted(person.groups)),
            group_ids=person.group_ids,
            user_name=person.name,
            session_id="",
            family_id="",
            claims=frozenset(),
            use=TokenUse(b"", Instant(0)),
        )
        return msgspec.structs.replace(token.grant(request), local_token=None)

    def holder_of(self, record: CertificateRecord) -> Actor:
        """A person of another provider: by the URI of issuer and `sub`."""
        subject = next((name.value for name in record.names if name.type is NameType.URI), record.subject_name)
        return Actor("person", subject, record.holder_name)

    def require_still_held(self, person: Person, subject_name: str, names: Iterable[Name]) -> None:
        """Ask the directory's facts by the rules of the first certificate."""
        check_still_held(self.definition, person, subject_name, names)

    def named_authority(self, own_client: OwnClient) -> tuple[NamedAuthority, ...]:
        """What `admins`, `groups` and the client name."""
        return named_by(self.definition, own_client(self.definition.configuration_endpoint))


class IdToken(msgspec.Struct, frozen=True):
    """A verified ID token: signature, issuer, audience and times are right; nothing else is decided."""

    provisioner: OidcProvisioner
    issuer_url: str
    local: bool
    """Whether the provider lives in this server, so that `subject` is the id of an account."""
    subject: str
    mail: str
    mail_verified: bool
    verified_is_text: bool
    """Whether the provider writes `email_verified` as a text, which says nothing (some write "false")."""
    groups: tuple[str, ...]
    group_ids: frozenset[str]
    """Of an account of this server, by what the directory knows now, where the provisioner asks; a token tells names only."""
    user_name: str
    session_id: str
    family_id: str
    claims: frozenset[str]
    """Names of the claims that it tells."""
    use: TokenUse

    @property
    def actor(self) -> Actor:
        """Who acts: an account of ours, or a person of a foreign provider by issuer and `sub`."""
        return Actor("person", self.subject if self.local else f"{self.issuer_url}#{self.subject}", self.mail or self.subject)

    @property
    def trusted_mail(self) -> str:
        """The mail address, where it may be relied upon."""
        return self.mail if self.mail_verified or self.provisioner.definition.allow_unverified_email else ""

    @property
    def is_administrator(self) -> bool:
        """Whether the provisioner lets this person ask for any name: by a mail address that counts, or by a group."""
        return mentions(self.provisioner.definition.admins, self._bearer)

    @property
    def _bearer(self) -> Bearer:
        account = self.subject if self.local else ""
        return Bearer(self.trusted_mail, frozenset(self.groups), account, self.group_ids)

    def grant(self, request: CertificateRequest) -> SigningGrant:
        """What this person may have. Who may have nothing raises IdentityRefused, saying why."""
        self._check_groups()
        if self.is_administrator:
            named = request.names or request.common_name or request.subject_mails
            return self._any_names(request) if named or not self.trusted_mail else self._own_names()
        require_domain(self.provisioner.definition, names.canonical(Name(NameType.EMAIL, self._required_mail())))
        return self._own_names()

    def _own_names(self) -> SigningGrant:
        return replace(
            self._nameless(),
            common_name=self.subject if len(self.subject) <= names.LONGEST_COMMON_NAME else "",
            names=own_names(self.issuer_url, self.subject, [self.trusted_mail]),
            may_ask_for=self._own_texts(),
        )

    def _any_names(self, request: CertificateRequest) -> SigningGrant:
        return replace(self._nameless(), common_name=request.common_name, names_from_request=True)

    def _nameless(self) -> SigningGrant:
        """All of a grant but its names."""
        return SigningGrant(
            provisioner_id=self.provisioner.id,
            provisioner_name=self.provisioner.name,
            profile=self.provisioner.definition.profile_name,
            issuer=self.provisioner.definition.issuer,
            actor=self.actor,
            claims=self.provisioner.claims,
            account_id=self.subject if self.local else None,
            session_id=self.session_id or None,
            local_token=self._local_token(),
            token_use=self.use,
            extension=self.provisioner.extension,
        )

    def _local_token(self) -> LocalToken | None:
        if not self.local:
            return None
        return LocalToken(
            self.issuer_url, self.provisioner.definition.client_id, self.subject, self.session_id, self.family_id, self.claims
        )

    def _own_texts(self) -> tuple[str, ...]:
        short = self.user_name.partition("@")[0]
        return tuple(dict.fromkeys(text for text in (self.subject, self.trusted_mail, self.user_name, short) if text))

    def _check_groups(self) -> None:
        wanted = self.provisioner.definition.groups
        if in_wanted_group(self.provisioner.definition, self.groups, self._bearer.account_id, self.group_ids):
            return
        if not self.groups:
            raise IdentityRefused(
                f"The token of {self.actor.name} carries no groups, and the provisioner {self.provisioner.name} asks for one.",
                reasons=(f"groups: {', '.join(wanted)}",),
                hint="Let the provisioner ask for the scope groups and the client give it, then sign in again.",
            )
        raise IdentityRefused(
            f"{self.actor.name} is in none of the groups that the provisioner {self.provisioner.name} asks for.",
            reasons=(f"groups: {', '.join(wanted)}",),
            hint="Ask to be added to one of these groups.",
        )

    def _required_mail(self) -> str:
        if not self.mail:
            raise IdentityRefused(
                f"The token of {self.user_name or self.subject} carries no mail address, and a certificate needs one.",
                reasons=("a person's certificate carries their mail address",),
                hint="Add a mail address to the person, and the scope email to the provisioner and the client.",
            )
        if self.verified_is_text and not self.trusted_mail:
            raise IdentityRefused(
                f"The token of {self.issuer_url} gives email_verified as a text, where true or false is needed.",
                reasons=("OpenID Connect Core, section 5.1: email_verified is a JSON boolean",),
                hint="Let the provider send a boolean, or set allowUnverifiedEmail in the provisioner.",
            )
        if not self.trusted_mail:
            raise IdentityRefused(
                f"The mail address {self.mail} has not been verified by {self.issuer_url}.",
                reasons=("only verified mail addresses are signed",),
                hint="Have it verified there. If this provider never verifies, set allowUnverifiedEmail in the provisioner.",
            )
        return self.mail


class SignedIdToken(msgspec.Struct, frozen=True):
    """An ID token that its provider signed; nothing else of it is checked."""

    provisioner: OidcProvisioner
    token: UnverifiedToken
    metadata: ProviderMetadata
    claims: Mapping[str, Any]
    checks: CredentialChecks

    @property
    def actor(self) -> Actor:
        """Whom the provider speaks of, for the record of a refusal."""
        subject = _text(self.claims, "sub")
        known_as = subject if self.metadata.local else f"{self.metadata.issuer}#{subject}"
        return Actor("person", known_as, _text(self.claims, "email") or subject)

    async def checked(self, purpose: TokenPurpose) -> IdToken:
        """Check issuer, audience, authorized party and times; then refuse what people do not do with ID tokens."""
        verified = await self._verified()
        if purpose is not TokenPurpose.SIGN:
            raise IdentityRefused(
                f"{verified.actor.name} cannot {purpose} with an ID token.",
                reasons=(f"the provisioner {self.provisioner.name} is of type OIDC",),
                hint="Revoke with the certificate and its key, or sign in to this server and revoke there.",
            )
        return verified

    async def _verified(self) -> IdToken:
        definition, metadata, claims = self.provisioner.definition, self.metadata, self.claims
        now = self.checks.clock.now()
        require_issuer(claims, metadata.issuer)
        require_audience(claims, definition.client_id)
        check_authorized_party(claims, definition.client_id)
        check_times(claims, now, LEEWAY)
        subject = require_text(claims, "sub")
        person = await self.checks.person_of(subject) if metadata.local and asks_for_group_ids(definition) else None
        return IdToken(
            provisioner=self.provisioner,
            issuer_url=metadata.issuer,
            local=metadata.local,
            subject=subject,
            mail=_mail(claims),
            mail_verified=claims.get("email_verified") is True,
            verified_is_text=isinstance(claims.get("email_verified"), str),
            groups=_texts(claims, "groups"),
            group_ids=frozenset() if person is None else person.group_ids,
            user_name=_text(claims, "preferred_username"),
            session_id=_text(claims, "sid"),
            family_id=_text(claims, "family"),
            claims=frozenset(claims),
            use=one_use(
                self.provisioner.id,
                _text(claims, "nonce") or replay_id(self.token),
                expires_at=instant_claim(claims, "exp") or now,
                now=now,
            ),
        )


def _mail(claims: Mapping[str, Any]) -> str:
    """The mail address with its host as certificates have it; one that no certificate may hold is refused when it is used."""
    text = optional_text(claims, "email")
    try:
        return text if text.isascii() else canonical_mail(text)
    except HostRefused:
        return text


def _check_algorithm(algorithm: object, metadata: ProviderMetadata) -> None:
    """A sound algorithm that the provider does not announce is a fault of its metadata; the hint says where to mend it."""
    if isinstance(algorithm, str) and algorithm not in metadata.algorithms and algorithm in ALGORITHMS:
        allowed = " and ".join(sorted(metadata.algorithms))
        raise TokenRefused(
            f"The token is signed with {algorithm}, but the metadata of {metadata.issuer} allow {allowed} only.",
            hint=f"The provider has to list {algorithm} in id_token_signing_alg_values_supported of its discovery document; "
            "where that member is missing, RS256 counts.",
        )


def _text(claims: Mapping[str, Any], name: str) -> str:
    """A claim that is nice to have: what is not a text is as good as none."""
    found = claims.get(name)
    return found if isinstance(found, str) else ""


def _texts(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A list that is nice to have: what in it is not a text names no group of ours."""
    found = claims.get(name)
    if isinstance(found, str):
        return (found,)
    return tuple(text for text in found if isinstance(text, str)) if isinstance(found, list) else ()
