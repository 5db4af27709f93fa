"""Who the application is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Literal

from sealwright.client_metadata import rules
from sealwright.client_metadata.declaration import MemberDeclaration, SetBy, Verb
from sealwright.client_metadata.redirect_uris import require_clients_landing_url, require_initiate_login_uri


class ClientKind(StrEnum):
    """Whether a client can keep a secret (RFC 6749, section 2.1)."""

    PUBLIC = "public"
    CONFIDENTIAL = "confidential"


@dataclass(frozen=True, kw_only=True)
class ApplicationRows:
    """Who the application is."""

    name: Annotated[
        str,
        MemberDeclaration(
            doc="The `client_id` on the wire, and a part of the issuer URL.",
            label="name",
            set_by=SetBy.CREATION,
            rule=rules.require_client_name,
            registered_as="client_id",
            column=True,
        ),
    ]
    display_name: Annotated[
        str,
        MemberDeclaration(
            doc="The name that people read.",
            label="display name",
            set_by=SetBy.REGISTRATION,
            rule=rules.require_display_name,
            clean=str.strip,
            registered_as="client_name",
            column=True,
            verbs=(
                Verb(
                    name="set-displayname",
                    doc="Change the name that people read.",
                    said="{client} is now called {value}",
                    example='set-displayname wiki "Our wiki"',
                    argument="display_name",
                    aliases=("set-display-name",),
                ),
            ),
        ),
    ]
    kind: Annotated[
        ClientKind,
        MemberDeclaration(
            doc="Whether it can keep a secret: `public` clients have none and always use PKCE.",
            label="kind",
            set_by=SetBy.CREATION,
            column=True,
        ),
    ]
    profile: Annotated[
        Literal["oauth2.1", "classic", "fapi2"],
        MemberDeclaration(
            doc="The standard that was chosen for it, which set other members: OAuth 2.1 (PKCE required, ES256), classic "
            "OpenID Connect (PKCE may be used, RS256), or the FAPI 2.0 Security Profile (private_key_jwt or a certificate, "
            "pushed requests, tokens bound to a key).",
            label="profile",
            set_by=SetBy.ADMINISTRATOR,
            verbs=(
                Verb(
                    name="set-profile",
                    doc="Set what a standard asks of an application.\n\n"
                    "oauth2.1: PKCE required, tokens signed with ES256. classic: OpenID Connect for applications that know "
                    "nothing newer; PKCE may be used, tokens signed with RS256. fapi2: the FAPI 2.0 Security Profile, for what "
                    "needs more protection.\n\n"
                    "A public client uses PKCE in any profile. For fapi2, say with set-authentication first how the client "
                    "proves itself; while it has the profile, nothing can be set that the profile forbids.",
                    said="{client} has the profile {value}",
                    example="set-profile wiki classic",
                    argument="profile",
                ),
            ),
        ),
    ] = "oauth2.1"
    landing_url: Annotated[
        str,
        MemberDeclaration(
            doc="Where people are sent from their list of applications. It is an allowed redirect URI, too.",
            label="landing URL",
            set_by=SetBy.REGISTRATION,
            rule=require_clients_landing_url,
            registered_as="client_uri",
            column=True,
            verbs=(
                Verb(
                    name="set-landing-url",
                    doc="Set the address that people are sent to from their list of applications. "
                    "It is an allowed redirect URL, too.",
                    said="{client} lands at {value}",
                    example="set-landing-url step-ca https://ca.example.org",
                    argument="url",
                ),
            ),
        ),
    ]
    initiate_login_uri: Annotated[
        str | None,
        MemberDeclaration(
            doc="Where the application begins a sign-in when it is opened from people's list of applications (OpenID Connect "
            "Core, section 4).",
            label="begins sign-in at",
            set_by=SetBy.REGISTRATION,
            rule=require_initiate_login_uri,
            usual=lambda _client, _defaults: "",
            usual_doc="none: people are sent to the landing URL",
            verbs=(
                Verb(
                    name="set-initiate-login-url",
                    doc="Say where the application begins a sign-in when people open it from their list; without URL nowhere.\n\n"
                    "The address is opened with iss, so that the application knows where to send people to sign in.",
                    said="The address where {client} begins a sign-in is changed",
                    example="set-initiate-login-url wiki https://wiki.example.org/login",
                    argument="url",
                    optional=True,
                ),
            ),
        ),
    ] = None
