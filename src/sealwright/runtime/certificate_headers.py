"""How a proxy sends on a client certificate: by RFC 9440, or by one of the headers that came before it. Pure.

Which header is read is a setting, and never guessed: a proxy takes out of requests only the header that it writes itself.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping

from sealwright.errors import InvalidInput
from sealwright.http import percent_decoded

USUAL_HEADER = "client-cert"
CHAIN_HEADER = "client-cert-chain"
"""Never read: the issuers of our own certificates are known."""
_LONGEST = 16_384
_PEM = re.compile(r"\s*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*")
_XFCC_CERTIFICATE = re.compile(r'(?:^|;)\s*Cert="([^"]*)"', re.IGNORECASE)


def certificate_in(header: str, value: str) -> bytes:
    """The certificate in the value of a header, in DER; raises InvalidInput where the header is not of its form."""
    if len(value) > _LONGEST:
        raise InvalidInput(f"The {header.title()} header is longer than the {_LONGEST} characters that are read here.")
    return CERTIFICATE_HEADERS[header](value)


def _structured(value: str) -> bytes:
    """A byte sequence of RFC 8941: base64 between colons."""
    malformed = "The Client-Cert header is not what RFC 9440 asks for: a certificate in base64 between colons."
    if not (value.startswith(":") and value.endswith(":")):
        raise InvalidInput(malformed)
    try:
        return base64.b64decode(value[1:-1], validate=True)
    except ValueError as cause:
        raise InvalidInput(malformed) from cause


def _escaped_pem(value: str) -> bytes:
    """PEM whose line ends are percent-encoded; a header that comes twice is joined by a comma, which PEM does not have."""
    malformed = "The header with the client certificate is not one certificate in percent-encoded PEM."
    try:
        found = _PEM.fullmatch(percent_decoded(value))
        if found is None:
            raise InvalidInput(malformed)
        return base64.b64decode("".join(found[1].split()), validate=True)
    except ValueError as cause:
        raise InvalidInput(malformed) from cause


def _forwarded(value: str) -> bytes:
    """X-Forwarded-Client-Cert of Envoy: one element, whose member Cert holds percent-encoded PEM."""
    found = _XFCC_CERTIFICATE.findall(value)
    if len(found) != 1 or "," in _XFCC_CERTIFICATE.sub("", value):
        raise InvalidInput("The X-Forwarded-Client-Cert header does not hold exactly one element with one Cert.")
    return _escaped_pem(found[0])


CERTIFICATE_HEADERS: Mapping[str, Callable[[str], bytes]] = {
    USUAL_HEADER: _structured,
    "x-forwarded-client-cert": _forwarded,
    "x-ssl-cert": _escaped_pem,
    "x-ssl-client-cert": _escaped_pem,
    "ssl-client-cert": _escaped_pem,
    "x-amzn-mtls-clientcert-leaf": _escaped_pem,
}
"""Header, in lower case → how its value is read."""
