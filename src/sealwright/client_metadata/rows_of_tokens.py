"""How tokens are signed, and how long they last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from sealwright.client_metadata import rules
from sealwright.client_metadata.declaration import MemberDeclaration, SetBy, Verb


@dataclass(frozen=True, kw_only=True)
class TokenRows:
    """How tokens are signed, and how long they last."""

    grant_types: Annotated[
        tuple[str, ...],
        MemberDeclaration(
            doc="The grant types that it uses; none is every one that is open to its kind.",
            label="grant types",
            set_by=SetBy.REGISTRATION,
            rule=rules.require_grant_type,
        ),
    ] = ()
    id_token_signed_response_alg: Annotated[
        Literal["ES256", "RS256"],
        MemberDeclaration(
            doc="What its ID tokens and access tokens are signed with.",
            label="signs with",
            set_by=SetBy.REGISTRATION,
            verbs=(
                Verb(
                    name="warning-enable-legacy-crypto",
                    doc="Sign this client's tokens with RS256 in place of ES256.",
                    said="Tokens of {client} are signed with RS256 in about a minute, when applications can know the key",
                    example="warning-enable-legacy-crypto wiki",
                    value="RS256",
                ),
                Verb(
                    name="disable-legacy-crypto",
                    doc="Sign this client's tokens with ES256, as is the default.",
                    said="Tokens of {client} are signed with ES256 in about a minute, when applications can know the key",
                    example="disable-legacy-crypto wiki",
                    value="ES256",
                ),
            ),
        ),
    ] = "ES256"  # noqa: S105 - an algorithm
    refresh_seconds: Annotated[
        int | None,
        MemberDeclaration(
            doc="How long a refresh token waits for its use: 60 seconds to 366 days.",
            label="refresh tokens last",
            set_by=SetBy.ADMINISTRATOR,
            rule=rules.require_refresh_seconds,
            usual=lambda _client, defaults: defaults.refresh_seconds,
            usual_doc="what `oauth.refresh_token_lifetime` in the server's settings says",
            verbs=(
                Verb(
                    name="set-refresh-token-expiry",
                    doc="Say how long a refresh token waits for its use; without SECONDS as long as the server's settings say.",
                    said="Refresh tokens of {client} have a new lifetime",
                    example="set-refresh-token-expiry wiki 28800",
                    argument="seconds",
                    optional=True,
                ),
            ),
        ),
    ] = None
    offline_seconds: Annotated[
        int | None,
        MemberDeclaration(
            doc="How long a refresh token with `offline_access` waits for its use: 60 seconds to 366 days.",
            label="offline access lasts",
            set_by=SetBy.ADMINISTRATOR,
            rule=rules.require_refresh_seconds,
            usual=lambda _client, defaults: defaults.offline_seconds,
            usual_doc="what `oauth.offline_access` in the server's settings says",
            verbs=(
                Verb(
                    name="set-offline-access-expiry",
                    doc="Say how long a refresh token with offline_access waits for its use.\n\n"
                    "Such tokens outlive the sign-in. Without SECONDS they last as long as the server's settings say.",
                    said="Offline access of {client} has a new lifetime",
                    example="set-offline-access-expiry wiki 604800",
                    argument="seconds",
                    optional=True,
                ),
            ),
        ),
    ] = None
    refresh_grace_seconds: Annotated[
        int | None,
        MemberDeclaration(
            doc="How long a used refresh token is answered with the same new one again: 0 (never) to 60 seconds.",
            label="refresh grace",
            set_by=SetBy.ADMINISTRATOR,
            rule=rules.require_grace_seconds,
            usual=rules.usual_grace_seconds,
            usual_doc=f"{rules.GRACE_SECONDS_OF_CONFIDENTIAL} for a confidential client, 0 for a public one",
            verbs=(
                Verb(
                    name="set-refresh-token-grace",
                    doc="Say for how long a used refresh token is answered with the same new one again.\n\n"
                    "So parallel requests and lost answers do no harm. 0 is never. Without SECONDS: 10 for a confidential "
                    "client, 0 for a public one.",
                    said="Used refresh tokens of {client} have a new grace",
                    example="set-refresh-token-grace wiki 20",
                    argument="seconds",
                    optional=True,
                ),
            ),
        ),
    ] = None
