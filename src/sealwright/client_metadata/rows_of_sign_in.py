"""What is asked of an authorization request, and of the person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from sealwright.client_metadata import rules
from sealwright.client_metadata.declaration import MemberDeclaration, SetBy, Verb


@dataclass(frozen=True, kw_only=True)
class SignInRows:
    """What is asked of an authorization request, and of the person."""

    require_pkce: Annotated[
        bool,
        MemberDeclaration(
            doc="The client must use PKCE. A challenge that is sent binds in any case.",
            label="PKCE required",
            set_by=SetBy.ADMINISTRATOR,
            rule=rules.require_pkce_of_public,
            verbs=(
                Verb(
                    name="enable-pkce",
                    doc="Require PKCE, as is the default.",
                    said="{client} must use PKCE",
                    example="enable-pkce wiki",
                    value=True,
                ),
                Verb(
                    name="warning-insecure-client-disable-pkce",
                    doc="Let a client do without PKCE. A stolen code can then be used by others. Confidential clients only.",
                    said="{client} may do without PKCE: a stolen code can be used by others",
                    example="warning-insecure-client-disable-pkce wiki",
                    value=False,
                ),
            ),
        ),
    ] = True
    consent_prompt: Annotated[
        bool,
        MemberDeclaration(
            doc="People are asked before the client learns of them. Can be switched off for confidential clients.",
            label="asks for consent",
            set_by=SetBy.ADMINISTRATOR,
            rule=rules.require_consent_of_public,
            verbs=(
                Verb(
                    name="enable-consent-prompt",
                    doc="Ask people before they are signed in to this client, as is the default.",
                    said="{client} asks for consent",
                    example="enable-consent-prompt wiki",
                    value=True,
                ),
                Verb(
                    name="disable-consent-prompt",
                    doc="Sign people in to this client without asking. Confidential clients only.",
                    said="{client} no longer asks for consent",
                    example="disable-consent-prompt wiki",
                    value=False,
                ),
            ),
        ),
    ] = True
    partial_scopes: Annotated[
        bool,
        MemberDeclaration(
            doc="A person who may not grant all scopes that are asked for grants the rest (RFC 6749, section 3.3).",
            label="partial scopes",
            set_by=SetBy.ADMINISTRATOR,
            verbs=(
                Verb(
                    name="enable-partial-scopes",
                    doc="Let a person who may not grant all scopes that are asked for grant the rest; the client is told which.",
                    said="{client} is granted those scopes that the person may grant",
                    example="enable-partial-scopes wiki",
                    value=True,
                ),
                Verb(
                    name="disable-partial-scopes",
                    doc="Grant all scopes that are asked for, or none, as is the default.",
                    said="{client} is granted all scopes that it asks for, or none",
                    example="disable-partial-scopes wiki",
                    value=False,
                ),
            ),
        ),
    ] = False
    short_username: Annotated[
        bool,
        MemberDeclaration(
            doc="`preferred_username` is the name without the domain.",
            label="short user names",
            set_by=SetBy.ADMINISTRATOR,
            verbs=(
                Verb(
                    name="prefer-short-username",
                    doc="Give this client user names without a domain: alice.",
                    said="{client} gets user names without a domain",
                    example="prefer-short-username wiki",
                    value=True,
                ),
                Verb(
                    name="prefer-spn-username",
                    doc="Give this client user names with their domain, as is the default: alice@example.org.",
                    said="{client} gets user names with their domain",
                    example="prefer-spn-username wiki",
                    value=False,
                ),
            ),
        ),
    ] = False
    names_without_profile: Annotated[
        bool | None,
        MemberDeclaration(
            doc="`name` and `preferred_username` are sent without the scope `profile`, as a certificate authority needs them.",
            label="names without profile",
            set_by=SetBy.ADMINISTRATOR,
            usual=lambda client, _defaults: client.is_public,
            usual_doc="yes for a public client, no for a confidential one",
            verbs=(
                Verb(
                    name="enable-names-without-profile",
                    doc="Tell this client name and preferred_username also where it does not ask for the scope profile.\n\n"
                    "A certificate authority that compares user names needs it.",
                    said="{client} gets names whatever it asks for",
                    example="enable-names-without-profile wiki",
                    value=True,
                ),
                Verb(
                    name="disable-names-without-profile",
                    doc="Tell this client name and preferred_username only with the scope profile.",
                    said="{client} gets names with the scope profile only",
                    example="disable-names-without-profile wiki",
                    value=False,
                ),
            ),
        ),
    ] = None
    lean_id_token: Annotated[
        bool,
        MemberDeclaration(
            doc="ID tokens tell of the person `sub` alone; the other claims are at the userinfo endpoint.",
            label="lean ID tokens",
            set_by=SetBy.ADMINISTRATOR,
            verbs=(
                Verb(
                    name="enable-lean-id-token",
                    doc="Leave the claims about the person out of ID tokens: it asks the userinfo endpoint.",
                    said="ID tokens of {client} tell of the person their identifier alone",
                    example="enable-lean-id-token wiki",
                    value=True,
                ),
                Verb(
                    name="disable-lean-id-token",
                    doc="Put the claims about the person into ID tokens, as is the default.",
                    said="ID tokens of {client} tell what is asked for",
                    example="disable-lean-id-token wiki",
                    value=False,
                ),
            ),
        ),
    ] = False
