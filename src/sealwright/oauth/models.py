"""The nouns of the authorization server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from msgspec import Struct

from sealwright.clock import Instant
from sealwright.oauth.loopback import loopback_parts


class ClientKind(StrEnum):
    """Whether a client can keep a secret (RFC 6749, section 2.1)."""

    PUBLIC = "public"
    CONFIDENTIAL = "confidential"


class SigningAlgorithm(StrEnum):
    """What a client's tokens are signed with."""

    ES256 = "ES256"
    RS256 = "RS256"


@dataclass(frozen=True, slots=True)
class Client:
    """A registered application, as the endpoints need it."""

    id: str
    name: str
    """The `client_id` on the wire."""
    display_name: str
    kind: ClientKind
    landing_url: str
    secret_digest: bytes | None = field(repr=False)
    signing_algorithm: SigningAlgorithm
    require_pkce: bool
    localhost_redirects: bool
    http_redirects: bool
    """Whether its redirect URIs may be plain http, where others on the network can read the code."""
    consent_prompt: bool
    partial_scopes: bool
    """Whether a person who may not grant all that it asks for grants the rest (RFC 6749, section 3.3)."""
    short_username: bool
    refresh_lifetime: timedelta
    refresh_grace: timedelta
    """How long a used refresh token still gets its successor, once more; zero for never."""
    created_at: Instant
    updated_at: Instant

    @property
    def is_public(self) -> bool:
        """True where the client cannot keep a secret."""
        return self.kind is ClientKind.PUBLIC


class ScopeMap(Struct, frozen=True):
    """The scopes that members of one group, direct or nested, may grant to one client."""

    group_id: str
    group_name: str
    scopes: tuple[str, ...]


class ClientConfiguration(Struct, frozen=True):
    """Everything that is set on a client, without its secret and keys."""

    name: str
    display_name: str
    kind: ClientKind
    landing_url: str
    redirect_uris: tuple[str, ...]
    localhost_redirects: bool
    http_redirects: bool
    scope_maps: tuple[ScopeMap, ...]
    require_pkce: bool
    signing_algorithm: SigningAlgorithm
    consent_prompt: bool
    partial_scopes: bool
    short_username: bool
    refresh_lifetime: timedelta
    refresh_grace: timedelta
    issuer_url: str
    configuration_url: str
    created_at: Instant
    updated_at: Instant


class ResponseMode(StrEnum):
    """Where the parameters of an authorization response go."""

    QUERY = "query"
    FRAGMENT = "fragment"


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
    """`sub` of the ID token that the client sent as a hint."""


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
class ConsentStep:
    """The person must allow or deny."""

    handle: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NotAllowedStep:
    """The person may not grant what the application asks for, and is told so before they go back to it."""

    handle: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RedirectStep:
    """The browser is redirected to the client, with a code or an error."""

    location: str = field(repr=False)


NextStep = SignInStep | ConsentStep | NotAllowedStep | RedirectStep


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


class AvailableClient(Struct, frozen=True):
    """A client that a person may sign in to."""

    display_name: str
    landing_url: str


class DisclosedClaims(Struct, frozen=True):
    """What an application gets to know of a person once it is allowed."""

    claims: Mapping[str, Any]
    scopes: tuple[str, ...]
    asks_each_time: bool
    """The consent is not remembered: any program could pose as this application."""


class TokenFamily(Struct, frozen=True):
    """All tokens that come from one authorization; they are revoked together."""

    id: str
    client_id: str
    account_id: str
    session_id: str
    scope: tuple[str, ...]
    nonce: str | None
    authenticated_at: Instant
    created_at: Instant
    revoked_at: Instant | None


class Code(Struct, frozen=True):
    """A stored authorization code with the family that it opens."""

    family: TokenFamily
    redirect_uri: str
    code_challenge: str | None
    expires_at: Instant
    consumed_at: Instant | None


class RefreshToken(Struct, frozen=True):
    """A stored refresh token with its family."""

    family: TokenFamily
    expires_at: Instant
    consumed_at: Instant | None
    sealed_successor: bytes | None = None
    """The token that followed it; only this token opens it."""
