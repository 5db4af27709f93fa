"""The types of the authorization server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from msgspec import Struct

from sealwright.client_metadata import FAPI_2, ClientMetadata, loopback_parts, usual_grace_seconds
from sealwright.clock import Instant
from sealwright.oauth.claims_request import ClaimsRequest
from sealwright.oauth.issuers.models import SharedIssuer
from sealwright.oauth.maps.models import ClaimMap

READ_SCOPE = "sealwright_read"
"""Opens what only reads at this server's own API, with the API as its resource."""
CHANGE_SCOPE = "sealwright_change"
"""Opens changes there as well."""
OFFLINE_ACCESS = "offline_access"
"""The scope with which a client goes on after the person has signed out (OpenID Connect Core, section 11)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client(ClientMetadata):
    """A registered application: what is set on it, and what it has beside that."""

    id: str
    """Of its row; what the wire calls `client_id` is its name."""
    issuer: SharedIssuer | None = None
    """The issuer that it shares with others; None where it has one of its own."""
    secret_digest: bytes | None = field(repr=False)
    previous_secret_digest: bytes | None = field(default=None, repr=False)
    previous_secret_ends_at: Instant | None = None
    created_at: Instant
    updated_at: Instant
    has_claim_maps: bool = False
    """Whether groups bring claims to its tokens."""

    def secret_digests(self, now: Instant) -> tuple[bytes, ...]:
        """The digests of the secrets that prove it at a moment: of its secret, and of the one before while that works on."""
        ends_at = self.previous_secret_ends_at
        previous = self.previous_secret_digest if ends_at is not None and now < ends_at else None
        return tuple(digest for digest in (self.secret_digest, previous) if digest is not None)

    @property
    def is_fapi(self) -> bool:
        """True where the FAPI 2.0 Security Profile holds for it."""
        return self.profile == FAPI_2

    @property
    def has_opaque_tokens(self) -> bool:
        """True where only this server can read its access tokens."""
        return self.access_token_format == "opaque"  # noqa: S105 - a format

    def refresh_lifetime(self, usual: timedelta) -> timedelta:
        """How long its refresh tokens wait for their use; `usual` is the server's setting."""
        return usual if self.refresh_seconds is None else timedelta(seconds=self.refresh_seconds)

    def offline_lifetime(self, usual: timedelta) -> timedelta:
        """The same for those that outlive the sign-in."""
        return usual if self.offline_seconds is None else timedelta(seconds=self.offline_seconds)

    @property
    def authentication_methods(self) -> tuple[str, ...]:
        """The ways in which it may authenticate."""
        if self.token_endpoint_auth_method is not None:
            return (self.token_endpoint_auth_method,)
        return ("none",) if self.is_public else ("client_secret_basic", "client_secret_post")

    @property
    def always_included(self) -> tuple[str, ...]:
        """Claims that its tokens have whatever was asked for."""
        names = self.is_public if self.names_without_profile is None else self.names_without_profile
        return ("sub", "name", "preferred_username") if names else ("sub",)

    @property
    def refresh_grace(self) -> timedelta:
        """How long a used refresh token still gets its successor, once more; zero for never."""
        seconds = usual_grace_seconds(self) if self.refresh_grace_seconds is None else self.refresh_grace_seconds
        return timedelta(seconds=seconds)


class ScopeMap(Struct, frozen=True):
    """The scopes that members of one group, direct or nested, may grant to one client."""

    group_id: str
    group_name: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientConfiguration(ClientMetadata):
    """Everything that holds for a client, defaults included, without its secret and keys."""

    scope_maps: tuple[ScopeMap, ...]
    supplementary_scope_maps: tuple[ScopeMap, ...]
    claim_maps: tuple[ClaimMap, ...]
    issuer: str | None
    """The name of the issuer that it shares with others; None where it has one of its own."""
    issuer_url: str
    configuration_url: str
    created_at: Instant
    updated_at: Instant


class ResponseMode(StrEnum):
    """Where the parameters of an authorization response go."""

    QUERY = "query"
    FRAGMENT = "fragment"
    FORM_POST = "form_post"
    JWT = "jwt"
    """Signed, in the default place of the response type, which is the query (JARM, section 2.3)."""
    QUERY_JWT = "query.jwt"
    FRAGMENT_JWT = "fragment.jwt"
    FORM_POST_JWT = "form_post.jwt"

    @property
    def is_signed(self) -> bool:
        """True where the parameters go into a JWT."""
        return self.value.endswith("jwt")

    @property
    def is_fragment(self) -> bool:
        """True where they go into the fragment of the redirect URI."""
        return self.value.startswith("fragment")

    @property
    def is_form_post(self) -> bool:
        """True where the browser posts them."""
        return self.value.startswith("form_post")


class Prompt(StrEnum):
    """What the client asks the person to be shown (OpenID Connect Core, section 3.1.2.1)."""

    NONE = "none"
    LOGIN = "login"
    CONSENT = "consent"
    SELECT_ACCOUNT = "select_account"


class AuthorizationRequest(Struct, frozen=True, omit_defaults=True):
    """A request whose client and redirect URI are proven and whose parameters are understood."""

    client_id: str
    """Identifier of the client's row, not the name on the wire."""
    redirect_uri: str
    scopes: tuple[str, ...]
    response_mode: ResponseMode = ResponseMode.QUERY
    state: str | None = None
    nonce: str | None = None
    code_challenge: str | None = None
    prompts: frozenset[Prompt] = frozenset()
    max_age: int | None = None
    login_hint: str = ""
    hinted_subject: str | None = None
    """`sub` of the ID token that the client sent as a hint, or the one that it asks for."""
    claims: ClaimsRequest = ClaimsRequest()
    resources: tuple[str, ...] = ()
    """Other servers for which tokens are asked (RFC 8707)."""
    authorization_details: tuple[dict[str, Any], ...] = ()
    """What is asked for beyond scopes (RFC 9396)."""
    pushed: bytes | None = None
    """The digest of the handle with which the client pushed it."""
    dpop_jkt: str | None = None
    """The thumbprint of the key that the code is bound to (RFC 9449, section 10)."""
    device: bytes | None = None
    """The digest of the code of the device that asks; there is no redirect URI then."""
    user_code: str = ""
    """What the person read on that device."""
    chosen_account: str = ""
    """The account that was chosen for this request, where the client asked for that."""


class PendingRequest(Struct, frozen=True):
    """An authorization request that waits for the person: what the sign-in and consent pages tell."""

    client: Client
    request: AuthorizationRequest
    created_at: Instant
    expires_at: Instant

    @property
    def returns_to_this_computer(self) -> bool:
        """True where the response goes to a program on the person's own computer."""
        return loopback_parts(self.request.redirect_uri) is not None


@dataclass(frozen=True, slots=True)
class AcceptedRequest:
    """A request that was accepted and waits."""

    handle: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignInStep:
    """The person must prove who they are, then come back with the same handle."""

    handle: str = field(repr=False)
    login_hint: str = ""
    again: bool = False
    """True where someone is signed in but the client wants it proven anew, or someone else."""


@dataclass(frozen=True, slots=True)
class ChooseAccountStep:
    """The client asks which account it shall be: the one that is signed in, or another."""

    handle: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ConsentStep:
    """The person must allow or deny."""

    handle: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NotAllowedStep:
    """The person may not grant what the application asks for, and reads so before they go back to it."""

    handle: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RedirectStep:
    """The browser is redirected to the client, with a code or an error."""

    location: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class FormPostStep:
    """The browser posts a form to the client, with a code or an error (OAuth 2.0 Form Post Response Mode)."""

    redirect_uri: str
    fields: tuple[tuple[str, str], ...] = field(repr=False)
    client_name: str


NextStep = SignInStep | ChooseAccountStep | ConsentStep | NotAllowedStep | RedirectStep | FormPostStep


class Consent(Struct, frozen=True):
    """What a person allowed a client."""

    client_id: str
    client_name: str
    client_display_name: str
    scopes: tuple[str, ...]
    granted_at: Instant


class AccessCounts(Struct, frozen=True):
    """How much people allowed that is not revoked."""

    consents: int
    authorizations: int
    """Each is what its tokens come of."""


class ConsentEvent(Struct, frozen=True):
    """One line of what a person allowed and took back."""

    client_display_name: str
    """As the client was called then."""
    given: bool
    scopes: tuple[str, ...]
    at: Instant


class AvailableClient(Struct, frozen=True):
    """A client that a person may sign in to."""

    display_name: str
    landing_url: str
    image_digest: bytes | None = None
    name: str = ""
    issuer: SharedIssuer | None = None
    """The issuer that it shares with others; None where it has one of its own."""
    initiate_login_uri: str = ""
    """Where it begins a sign-in; empty where it did not say so."""


class DisclosedClaims(Struct, frozen=True):
    """What an application gets to know of a person once it is allowed."""

    claims: Mapping[str, Any]
    scopes: tuple[str, ...]
    asks_each_time: bool
    """The consent is not remembered: any program could pose as this application."""
    resources: tuple[str, ...] = ()
    authorization_details: tuple[Mapping[str, Any], ...] = ()


class TokenSource(Struct, frozen=True, omit_defaults=True):
    """A token that another was made from. What was made holds as long as this does, and is not told what it was."""

    family: str = ""
    """The authorization of an access token; empty for an API token."""
    api_token: str = ""
    """The id of an API token; empty for an access token."""
    rule: str = ""
    """The id of the rule of a trusted issuer, for a token of that issuer; empty otherwise."""
    rule_revision: int = 0
    """Of that rule when the token was given: a later one ends it."""
    certificate: str = ""
    """The thumbprint of the certificate that it was bound to; empty where it was not."""
    certificate_serial: str = ""


class TokenOrigin(Struct, frozen=True, omit_defaults=True):
    """What an authorization was made from that came of another token (RFC 8693, RFC 7523)."""

    subject: str
    """`sub` of its tokens."""
    sources: tuple[TokenSource, ...]
    """The first is of the one who is spoken of, the second of the one who acts."""
    act: Mapping[str, Any] | None = None
    """Who acts, and for whom that one acts (section 4.1)."""
    exchanges: int = 1
    """How many lie between it and what was not exchanged."""


class TokenFamily(Struct, frozen=True):
    """One authorization, of a person or of a client itself, and all tokens that come from it; they are revoked together."""

    id: str
    client_id: str
    account_id: str | None
    """The person who is spoken of; None where it is the client itself."""
    session_id: str | None
    """The session that the person granted it in; None where there is no person."""
    scope: tuple[str, ...]
    nonce: str | None
    authenticated_at: Instant | None
    created_at: Instant
    revoked_at: Instant | None
    methods: tuple[str, ...] = ()
    """How the person had proved who they are when they granted it."""
    claims: ClaimsRequest = ClaimsRequest()
    """Claims that were granted one by one, beside those of the scopes."""
    resources: tuple[str, ...] = ()
    """Other servers that its access tokens are for; none where they are for the client itself."""
    authorization_details: tuple[Mapping[str, Any], ...] = ()
    """What was granted beyond scopes."""
    origin: TokenOrigin | None = None
    """What it was made from; None where it comes of no exchange."""

    @property
    def is_offline(self) -> bool:
        """True where it outlives the sign-in that it was made in."""
        return OFFLINE_ACCESS in self.scope

    @property
    def subject(self) -> str:
        """The `sub` of its tokens. The id of a client's row is never a person's, whatever the client is called."""
        return self.origin.subject if self.origin is not None else self.account_id or self.client_id


class Code(Struct, frozen=True):
    """A stored authorization code with the family that it opens."""

    family: TokenFamily
    redirect_uri: str
    code_challenge: str | None
    expires_at: Instant
    consumed_at: Instant | None
    dpop_jkt: str | None = None
    """The thumbprint of the key without whose proof it is not redeemed."""


class RefreshToken(Struct, frozen=True):
    """A stored refresh token with its family."""

    family: TokenFamily
    expires_at: Instant
    consumed_at: Instant | None
    sealed_successor: bytes | None = None
    """The token that followed it; only this token opens it."""
    bound_to: str | None = None
    """The key of a public client that it is bound to, as `Confirmation.text`."""
