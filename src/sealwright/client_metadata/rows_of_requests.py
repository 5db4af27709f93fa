"""How an authorization request may come, and what it may ask for beside scopes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from sealwright.client_metadata import rules
from sealwright.client_metadata.declaration import MemberDeclaration, SetBy, Verb, VerbEffect


@dataclass(frozen=True, kw_only=True)
class RequestRows:
    """How an authorization request may come, and what it may ask for beside scopes."""

    require_pushed_authorization_requests: Annotated[
        bool,
        MemberDeclaration(
            doc="It has to push its authorization requests to the server first (RFC 9126).",
            label="pushed requests only",
            set_by=SetBy.REGISTRATION,
            verbs=(
                Verb(
                    name="enable-pushed-requests-only",
                    doc="Take authorization requests only that the client has pushed to the server before (RFC 9126).",
                    said="{client} must push its authorization requests",
                    example="enable-pushed-requests-only wiki",
                    value=True,
                ),
                Verb(
                    name="disable-pushed-requests-only",
                    doc="Take authorization requests in the address as well, as is the default.",
                    said="{client} may send authorization requests in the address",
                    example="disable-pushed-requests-only wiki",
                    value=False,
                ),
            ),
        ),
    ] = False
    require_signed_request_object: Annotated[
        bool,
        MemberDeclaration(
            doc="It has to sign its authorization requests with a key of its `jwks` or `jwks_uri` (RFC 9101).",
            label="signed requests only",
            set_by=SetBy.REGISTRATION,
            verbs=(
                Verb(
                    name="enable-signed-requests-only",
                    doc="Take authorization requests only that are signed with a key of the client (RFC 9101).",
                    said="{client} must sign its authorization requests",
                    example="enable-signed-requests-only wiki",
                    value=True,
                ),
                Verb(
                    name="disable-signed-requests-only",
                    doc="Take authorization requests without a signature as well, as is the default.",
                    said="{client} may send authorization requests without a signature",
                    example="disable-signed-requests-only wiki",
                    value=False,
                ),
            ),
        ),
    ] = False
    device_grant: Annotated[
        bool,
        MemberDeclaration(
            doc="People can sign in on devices without a browser: they read a code there and type it elsewhere (RFC 8628).",
            label="device flow",
            set_by=SetBy.ADMINISTRATOR,
            verbs=(
                Verb(
                    name="enable-device-flow",
                    doc="Let people sign in on a device without a browser, with a code that they type elsewhere (RFC 8628).\n\n"
                    "Anyone who talks a person into typing a code gets what they allow; switch it on only where it is needed.",
                    said="People can sign in to {client} on devices, with a code",
                    example="enable-device-flow kubernetes",
                    value=True,
                    aliases=("device-flow-enable",),
                ),
                Verb(
                    name="disable-device-flow",
                    doc="Let no one sign in on a device, as is the default.",
                    said="No one can sign in to {client} on a device",
                    example="disable-device-flow kubernetes",
                    value=False,
                    aliases=("device-flow-disable",),
                ),
            ),
        ),
    ] = False
    resources: Annotated[
        tuple[str, ...],
        MemberDeclaration(
            doc="Addresses of other servers for which it may ask access tokens, by the parameter `resource` (RFC 8707).",
            label="resources",
            set_by=SetBy.ADMINISTRATOR,
            rule=rules.require_resource,
            verbs=(
                Verb(
                    name="add-resource",
                    doc="Let the client ask for access tokens for another server, by its address.",
                    said="{client} may ask for access tokens for {value}",
                    example="add-resource wiki https://api.example.org/",
                    argument="url",
                    effect=VerbEffect.ADD,
                ),
                Verb(
                    name="remove-resource",
                    doc="Give the client no more access tokens for another server.",
                    said="{client} gets no access tokens for {value}",
                    example="remove-resource wiki https://api.example.org/",
                    argument="url",
                    effect=VerbEffect.REMOVE,
                ),
            ),
        ),
    ] = ()
    authorization_details_types: Annotated[
        tuple[str, ...],
        MemberDeclaration(
            doc="The types of `authorization_details` that it may ask for (RFC 9396). What they mean is up to those who take "
            "the token.",
            label="details types",
            set_by=SetBy.ADMINISTRATOR,
            rule=rules.require_details_type,
            verbs=(
                Verb(
                    name="add-details-type",
                    doc="Let the client ask for authorization_details of a type (RFC 9396). People are asked each time.",
                    said="{client} may ask for details of the type {value}",
                    example="add-details-type wiki payment_initiation",
                    argument="type",
                    effect=VerbEffect.ADD,
                ),
                Verb(
                    name="remove-details-type",
                    doc="Let the client ask for authorization_details of a type no more.",
                    said="{client} may not ask for details of the type {value}",
                    example="remove-details-type wiki payment_initiation",
                    argument="type",
                    effect=VerbEffect.REMOVE,
                ),
            ),
        ),
    ] = ()
    access_token_format: Annotated[
        Literal["jwt", "opaque"],
        MemberDeclaration(
            doc="Whether its access tokens are JWTs that anyone can read (RFC 9068), or opaque ones that this server alone can.",
            label="access tokens are",
            set_by=SetBy.ADMINISTRATOR,
            verbs=(
                Verb(
                    name="set-access-token-format",
                    doc="Say whether access tokens are JWTs, as is the default, or opaque: only the introspection and userinfo "
                    "endpoints know what those stand for.",
                    said="Access tokens of {client} are {value} from now on",
                    example="set-access-token-format wiki opaque",
                    argument="format",
                ),
            ),
        ),
    ] = "jwt"  # noqa: S105 - a format
