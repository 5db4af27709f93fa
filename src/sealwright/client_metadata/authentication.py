"""How a client may prove that it is this client, and what it has to register for each way. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any, Literal, NoReturn
from urllib.parse import urlsplit

import msgspec

from sealwright.client_metadata.distinguished_names import NameMalformed, parse_name
from sealwright.client_metadata.errors import ClientRefused
from sealwright.client_metadata.loopback import LONGEST_URI
from sealwright.hosts import HostRefused, address_of, canonical_host, canonical_mail

AuthenticationMethod = Literal[
    "none",
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "tls_client_auth",
    "self_signed_tls_client_auth",
]
"""IANA registry "OAuth Token Endpoint Authentication Methods", without what is not offered."""

SECRET_METHODS = frozenset({"client_secret_basic", "client_secret_post", "client_secret_jwt"})
"""Methods for which the client needs a secret."""
KEY_METHODS = frozenset({"private_key_jwt", "self_signed_tls_client_auth"})
"""Methods for which the client needs a key set."""
CERTIFICATE_METHODS = frozenset({"tls_client_auth", "self_signed_tls_client_auth"})
"""Methods that are proven in the TLS handshake."""

SUBJECT_MEMBERS = (
    "tls_client_auth_subject_dn",
    "tls_client_auth_san_dns",
    "tls_client_auth_san_uri",
    "tls_client_auth_san_ip",
    "tls_client_auth_san_email",
)
"""RFC 8705, section 2.1.2: a client has exactly one of them."""
AUTHENTICATION_MEMBERS = frozenset(
    {"token_endpoint_auth_method", "token_endpoint_auth_signing_alg", *SUBJECT_MEMBERS, "jwks", "jwks_uri"}
)
"""Members that have to fit together, so that they are judged as a whole."""

ASSERTION_ALGORITHMS = ("ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512", "EdDSA", "Ed25519")
"""What a client may sign its assertions with."""
SECRET_ALGORITHMS = ("HS256", "HS384", "HS512")

MOST_CLIENT_KEYS = 20
LARGEST_KEY_SET = 64 * 1024
"""Bytes, as JSON."""
LONGEST_SAN = 2_048

_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""Of a JWK (RFC 7518, sections 6.2.2, 6.3.2 and 6.4.1)."""


def require_method(method: str, client: Any) -> None:
    """Raise ClientRefused where a client of this kind cannot authenticate in this way."""
    if (method == "none") != client.is_public:
        kind = "public" if client.is_public else "confidential"
        can = "none" if client.is_public else "any method but none"
        _refuse(f"{client.name} is a {kind} client and cannot have the authentication method {method}.", hint=f"Use {can}.")


def require_subject_dn(text: str, _client: object = None) -> None:
    """Raise ClientRefused where a text is not a distinguished name."""
    try:
        parse_name(text)
    except NameMalformed as cause:
        _refuse_value(
            "tls_client_auth_subject_dn", text, str(cause), 'Write it as RFC 4514 does, such as "CN=billing,O=Example".'
        )


def require_san_dns(text: str, _client: object = None) -> None:
    """Raise ClientRefused where a text is not a host name; one with a wildcard is none."""
    try:
        canonical_host(text)
    except HostRefused as cause:
        _refuse_value("tls_client_auth_san_dns", text, str(cause), "Give one host name, with other letters in their xn-- form.")


def require_san_uri(text: str, _client: object = None) -> None:
    """Raise ClientRefused where a text is not a URI with a scheme."""
    try:
        scheme = urlsplit(text).scheme
    except ValueError:
        scheme = ""
    if not scheme or not text.isascii() or not text.isprintable() or " " in text or len(text) > LONGEST_SAN:
        hint = "Give the URI exactly as it stands in the certificate, such as spiffe://example.org/billing."
        _refuse_value("tls_client_auth_san_uri", text, "is not a URI", hint)


def require_san_ip(text: str, _client: object = None) -> None:
    """Raise ClientRefused where a text is not an IP address."""
    if address_of(text) is None:
        _refuse_value("tls_client_auth_san_ip", text, "is not an IP address", "Give one such as 192.0.2.7 or 2001:db8::7.")


def canonical_san_ip(text: str) -> str:
    """The usual text of an address; another text stays as it is, for the rule to refuse."""
    return text if address_of(text) is None else str(ipaddress.ip_address(text))


def require_san_email(text: str, _client: object = None) -> None:
    """Raise ClientRefused where a text is not a mail address. A name without @ is in certificates as a DNS name."""
    try:
        canonical_mail(text)
    except HostRefused as cause:
        reason = "is not a mail address: it has no @" if "@" not in text else str(cause)
        hint = "Give a mail address as it stands in the certificate."
        if "@" not in text:
            hint = (
                f'For a certificate that `step ca certificate {text[:64]}` made, register tls_client_auth_san_dns: "{text[:64]}".'
            )
        _refuse_value("tls_client_auth_san_email", text, reason, hint)


def require_key_set(document: Mapping[str, Any], _client: object = None) -> None:
    """Raise ClientRefused where a client's value is not a key set, or holds a private key."""
    require_public_keys(document, "jwks of a client")


def require_public_keys(document: Mapping[str, Any], what: str) -> None:
    """Raise ClientRefused where a value is not a set of public keys; `what`: what it is, for the words of the refusal."""
    keys = document.get("keys")
    if not isinstance(keys, list) or not keys or not all(isinstance(key, Mapping) for key in keys):
        _refuse(f'{what} has no list "keys" with a key in it.', hint="Give a JSON Web Key Set (RFC 7517, section 5).")
    if len(keys) > MOST_CLIENT_KEYS or len(msgspec.json.encode(document)) > LARGEST_KEY_SET:
        limits = f"{MOST_CLIENT_KEYS} keys and {LARGEST_KEY_SET // 1024} KiB"
        _refuse(f"{what} has {len(keys)} keys.", hint=f"At most {limits} are allowed: leave out keys that are over.")
    private = sorted({member for key in keys for member in key if member in _PRIVATE_MEMBERS})
    if private:
        _refuse(
            f"{what} holds a private or symmetric key: the member {private[0]!r}.",
            reasons=("a private key stays with its owner",),
            hint="Make a new key pair, and give the public key alone: this one is known to others now.",
        )


def require_jwks_uri(uri: str, _client: object = None) -> None:
    """Raise ClientRefused where a client's key set cannot be fetched from an address."""
    require_fetchable(uri, "jwks_uri of a client")


def require_fetchable(uri: str, what: str) -> None:
    """Raise ClientRefused where nothing can be fetched from an address; `what`: what it is, for the words of the refusal."""
    try:
        parts = urlsplit(uri)
        sound = parts.scheme in ("https", "http") and bool(parts.hostname) and not parts.fragment and "@" not in parts.netloc
    except ValueError:
        sound = False
    if not sound or len(uri) > LONGEST_URI or not uri.isascii() or not uri.isprintable() or " " in uri:
        _refuse(f"{what} is {uri[:200]!r}, which is not a URL.", hint="Give an https:// URL without a fragment.")


def require_complete_authentication(client: Any) -> None:
    """Raise ClientRefused where what a client registered does not fit its method."""
    method = client.token_endpoint_auth_method
    subjects = [member for member in SUBJECT_MEMBERS if getattr(client, member) is not None]
    if len(subjects) > 1:
        _refuse(f"{client.name} would have {' and '.join(subjects)}.", hint="Give exactly one of them (RFC 8705, section 2.1.2).")
    if method == "tls_client_auth" and not subjects:
        _refuse(
            f"{client.name} would authenticate by tls_client_auth, with no name that its certificate has to have.",
            hint=f"Give exactly one of {', '.join(SUBJECT_MEMBERS)}.",
        )
    if client.jwks is not None and client.jwks_uri is not None:
        _refuse(f"{client.name} would have both jwks and jwks_uri.", hint="Give one of them (RFC 7591, section 2).")
    if method in KEY_METHODS and client.jwks is None and client.jwks_uri is None:
        _refuse(f"{client.name} would authenticate by {method}, without a key.", hint="Give its public key as jwks, or jwks_uri.")
    _require_algorithm(client)


def _require_algorithm(client: Any) -> None:
    algorithm, method = client.token_endpoint_auth_signing_alg, client.token_endpoint_auth_method
    fitting = {"private_key_jwt": ASSERTION_ALGORITHMS, "client_secret_jwt": SECRET_ALGORITHMS}.get(method)
    if algorithm is not None and fitting is not None and algorithm not in fitting:
        _refuse(f"An assertion of {method} is not signed with {algorithm}.", hint=f"Use one of {', '.join(fitting)}.")


def _refuse_value(member: str, value: str, reason: str, hint: str) -> NoReturn:
    _refuse(f"{member} cannot be {value[:200]!r}: it {reason}.", hint=hint)


def _refuse(detail: str, *, hint: str, reasons: tuple[str, ...] = ()) -> NoReturn:
    raise ClientRefused(detail, reasons=reasons, hint=hint)
