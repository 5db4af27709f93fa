"""What the FAPI 2.0 Security Profile asks of a client's settings. Pure."""

from __future__ import annotations

from typing import Any

from sealwright.client_metadata.errors import ClientRefused
from sealwright.errors import Action, Remedy

FAPI_ALGORITHMS = frozenset({"PS256", "ES256", "EdDSA", "Ed25519"})
"""Section 5.4: what assertions, request objects and DPoP proofs are signed with."""
_METHODS = frozenset({"private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth"})


def require_fapi(client: Any) -> None:
    """Raise ClientRefused, naming everything at once, where a client lacks what the profile asks for."""
    lacking = [
        (client.token_endpoint_auth_method in _METHODS, "it authenticates by private_key_jwt or by its client certificate"),
        (
            client.token_endpoint_auth_signing_alg in (None, *FAPI_ALGORITHMS),
            f"its assertions are signed with one of {', '.join(sorted(FAPI_ALGORITHMS))}",
        ),
        (client.id_token_signed_response_alg in FAPI_ALGORITHMS, "its ID tokens are signed with ES256"),
        (client.require_pushed_authorization_requests, "it pushes its authorization requests"),
        (client.require_pkce, "it uses PKCE"),
        (
            client.dpop_bound_access_tokens or client.tls_client_certificate_bound_access_tokens,
            "its access tokens are bound to a key (DPoP) or to its certificate",
        ),
        (not client.http_redirects, "it has no redirects over plain http"),
    ]
    reasons = tuple(text for fulfilled, text in lacking if not fulfilled)
    if reasons:
        raise ClientRefused(
            f"{client.name} cannot be a client by the FAPI 2.0 Security Profile as it is.",
            reasons=tuple(f"the profile asks that {text}" for text in reasons),
            remedy=Remedy(Action.SET_UP_FAPI, client.name),
        )
