"""Profiles: what is set on a client at once, by the name of a standard, and what a client asks of the application. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sealwright.client_metadata.fapi import FAPI_ALGORITHMS

OAUTH_2_1 = "oauth2.1"
CLASSIC = "classic"
FAPI_2 = "fapi2"

PROFILES: Mapping[str, Mapping[str, Any]] = {
    OAUTH_2_1: {"require_pkce": True, "id_token_signed_response_alg": "ES256"},
    CLASSIC: {"require_pkce": False, "id_token_signed_response_alg": "RS256"},
    FAPI_2: {
        "require_pkce": True,
        "id_token_signed_response_alg": "ES256",
        "require_pushed_authorization_requests": True,
        "dpop_bound_access_tokens": True,
    },
}
"""What each profile sets. A member that is given beside the profile comes before what the profile says of it."""

_NEEDS_PKCE_ANYWHERE = (
    ("Authlib", 'code_challenge_method="S256"'),
    ("requests-oauthlib", 'pkce="S256"'),
    ("go-oidc with x/oauth2", "oauth2.S256ChallengeOption(verifier)"),
)
_NEEDS_PKCE_WITH_A_SECRET = (
    ("oauth2-proxy", "--code-challenge-method=S256"),
    ("mod_auth_openidc", "OIDCPKCEMethod S256"),
    ("Grafana", "use_pkce = true"),
    ("Spring Security", "OAuth2AuthorizationRequestCustomizers.withPkce()"),
    ("mozilla-django-oidc", "OIDC_USE_PKCE = True"),
    ("Flask-OIDC and passport-openidconnect", "have no PKCE; here: sealwright system oauth2 set-profile NAME classic"),
)
_FAPI = (
    ("openid-client", "PrivateKeyJwt(key), buildAuthorizationUrlWithPAR(), and { DPoP: getDPoPHandle(configuration, keyPair) }"),
    ("oauth4webapi", "PrivateKeyJwt(key), pushedAuthorizationRequest(), and { DPoP: DPoP(client, keyPair) }"),
    ("Spring Security", "NimbusJwtClientAuthenticationParametersConverter, and a repository of your own that pushes requests"),
)
_NEEDS_ALGORITHM = (
    ("Spring Security", "OidcIdTokenDecoderFactory.setJwsAlgorithmResolver(client -> SignatureAlgorithm.{algorithm})", "RS256"),
    ("mozilla-django-oidc", 'OIDC_RP_SIGN_ALGO = "{algorithm}"', "HS256"),
)
"""Library, what to set, and the algorithm that it expects where nothing is set."""


_AUTHENTICATION = {
    None: "It sends its secret to the token endpoint, as client_secret_basic or client_secret_post.",
    "none": "It sends its client_id and no secret.",
    "client_secret_basic": "It sends its secret to the token endpoint in the Authorization header (client_secret_basic).",
    "client_secret_post": "It sends its secret to the token endpoint in the form (client_secret_post).",
    "client_secret_jwt": "It sends an assertion that is signed with its secret (client_secret_jwt).",
    "private_key_jwt": "It sends an assertion that is signed with its private key (private_key_jwt).",
    "tls_client_auth": "It connects with its client certificate to the machines listener, and sends its client_id.",
    "self_signed_tls_client_auth": "It connects with its own certificate to the machines listener, and sends its client_id.",
}


def profile_members(profile: str, *, public: bool) -> dict[str, Any]:
    """What a profile sets on a client. A public one uses PKCE in every profile."""
    members = dict(PROFILES[profile])
    if public:
        members["require_pkce"] = True
    return members


def asked_of(client: Mapping[str, Any]) -> Iterator[str]:
    """What the application has to do, in sentences; `client` has the members that hold for it."""
    yield _AUTHENTICATION[client["token_endpoint_auth_method"]]
    if client["tls_client_certificate_bound_access_tokens"]:
        yield "It asks for tokens, and uses them, with its client certificate."
    if client["dpop_bound_access_tokens"]:
        nonce = " with the nonce of the server" if client["require_dpop_nonce"] else ""
        yield f"It sends a DPoP proof{nonce} with each request for tokens, and with each use of one."
    if client["require_signed_request_object"]:
        yield "It signs its authorization requests with its private key (RFC 9101)."
    if client["require_pushed_authorization_requests"]:
        yield "It pushes its authorization requests to the server (RFC 9126), and sends the browser with the handle that it gets."
    if client["profile"] == FAPI_2:
        yield f"It signs with one of {', '.join(sorted(FAPI_ALGORITHMS))}, and addresses assertions to the issuer alone."
    if client["require_pkce"]:
        yield "It uses PKCE with S256."
    else:
        yield "It may use PKCE with S256 and need not."
    yield f"It accepts tokens signed with {client['id_token_signed_response_alg']}."
    yield "It sends its redirect URI exactly as it is registered."


def library_settings(client: Mapping[str, Any], name: str) -> Iterator[tuple[str, str]]:
    """Library, and what has to be set in it because its default is something else."""
    if client["profile"] == FAPI_2:
        yield from _FAPI
    elif client["require_pkce"]:
        yield from _NEEDS_PKCE_ANYWHERE
        if client["kind"] != "public":
            yield from ((library, text.replace("NAME", name)) for library, text in _NEEDS_PKCE_WITH_A_SECRET)
    algorithm = client["id_token_signed_response_alg"]
    for library, text, default in () if client["kind"] == "public" else _NEEDS_ALGORITHM:
        if algorithm != default:
            yield library, text.format(algorithm=algorithm)
