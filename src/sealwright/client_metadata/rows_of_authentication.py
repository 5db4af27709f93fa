"""How the client proves that it is this client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from sealwright.client_metadata import authentication as rules
from sealwright.client_metadata.authentication import AuthenticationMethod
from sealwright.client_metadata.declaration import MemberDeclaration, SetBy, Verb
from sealwright.client_metadata.rules import require_one_binding

_NONE = "none"


def _nothing(_client: object, _defaults: object) -> None:
    """What there is where nothing is set."""


@dataclass(frozen=True, kw_only=True)
class AuthenticationRows:
    """How the client proves that it is this client."""

    token_endpoint_auth_method: Annotated[
        AuthenticationMethod | None,
        MemberDeclaration(
            doc="How it authenticates at the token, introspection and revocation endpoints; no other way is taken.",
            label="authentication",
            set_by=SetBy.REGISTRATION,
            rule=rules.require_method,
            usual=lambda client, _defaults: "none" if client.is_public else None,
            usual_doc="`none` for a public client; `client_secret_basic` or `client_secret_post` for a confidential one",
        ),
    ] = None
    token_endpoint_auth_signing_alg: Annotated[
        Literal[
            "ES256",
            "ES384",
            "ES512",
            "PS256",
            "PS384",
            "PS512",
            "RS256",
            "RS384",
            "RS512",
            "EdDSA",
            "Ed25519",
            "HS256",
            "HS384",
            "HS512",
        ]
        | None,
        MemberDeclaration(
            doc="What its assertions are signed with, for `private_key_jwt` and `client_secret_jwt`.",
            label="assertions signed with",
            set_by=SetBy.REGISTRATION,
            usual=_nothing,
            usual_doc="any algorithm of the method that fits the key",
        ),
    ] = None
    tls_client_auth_subject_dn: Annotated[
        str | None,
        MemberDeclaration(
            doc="For `tls_client_auth`: the subject of its certificate as RFC 4514 writes it, compared as RFC 4517 says.",
            label="certificate subject",
            set_by=SetBy.REGISTRATION,
            rule=rules.require_subject_dn,
            usual=_nothing,
            usual_doc=_NONE,
        ),
    ] = None
    tls_client_auth_san_dns: Annotated[
        str | None,
        MemberDeclaration(
            doc="For `tls_client_auth`: a DNS name in its certificate, compared without regard to case.",
            label="certificate DNS name",
            set_by=SetBy.REGISTRATION,
            rule=rules.require_san_dns,
            usual=_nothing,
            usual_doc=_NONE,
        ),
    ] = None
    tls_client_auth_san_uri: Annotated[
        str | None,
        MemberDeclaration(
            doc="For `tls_client_auth`: a URI in its certificate, compared exactly.",
            label="certificate URI",
            set_by=SetBy.REGISTRATION,
            rule=rules.require_san_uri,
            usual=_nothing,
            usual_doc=_NONE,
        ),
    ] = None
    tls_client_auth_san_ip: Annotated[
        str | None,
        MemberDeclaration(
            doc="For `tls_client_auth`: an IP address in its certificate, compared as bytes.",
            label="certificate IP address",
            set_by=SetBy.REGISTRATION,
            rule=rules.require_san_ip,
            clean=rules.canonical_san_ip,
            usual=_nothing,
            usual_doc=_NONE,
        ),
    ] = None
    tls_client_auth_san_email: Annotated[
        str | None,
        MemberDeclaration(
            doc="For `tls_client_auth`: a mail address in its certificate.",
            label="certificate mail address",
            set_by=SetBy.REGISTRATION,
            rule=rules.require_san_email,
            usual=_nothing,
            usual_doc=_NONE,
        ),
    ] = None
    jwks: Annotated[
        dict[str, Any] | None,
        MemberDeclaration(
            doc="Its public keys (RFC 7517), for `private_key_jwt`; with `x5c` its certificates, for "
            "`self_signed_tls_client_auth`.",
            label="keys of the client",
            set_by=SetBy.REGISTRATION,
            rule=rules.require_key_set,
            usual=_nothing,
            usual_doc=_NONE,
        ),
    ] = None
    jwks_uri: Annotated[
        str | None,
        MemberDeclaration(
            doc="Where its public keys are fetched from, in place of `jwks`.",
            label="address of its keys",
            set_by=SetBy.REGISTRATION,
            rule=rules.require_jwks_uri,
            usual=_nothing,
            usual_doc=_NONE,
        ),
    ] = None
    tls_client_certificate_bound_access_tokens: Annotated[
        bool,
        MemberDeclaration(
            doc="Its access tokens are bound to its client certificate, and it gets none without one (RFC 8705, section 3).",
            label="certificate-bound tokens",
            set_by=SetBy.REGISTRATION,
            rule=require_one_binding,
            verbs=(
                Verb(
                    name="enable-certificate-bound-tokens",
                    doc="Bind access tokens to the certificate with which the client asks for them.\n\n"
                    "A request without a client certificate gets no token, so the client asks at the machines listener.",
                    said="Access tokens of {client} are bound to its certificate",
                    example="enable-certificate-bound-tokens billing",
                    value=True,
                ),
                Verb(
                    name="disable-certificate-bound-tokens",
                    doc="Give access tokens that anyone can use who has them.",
                    said="Access tokens of {client} are not bound to a certificate",
                    example="disable-certificate-bound-tokens billing",
                    value=False,
                ),
            ),
        ),
    ] = False
