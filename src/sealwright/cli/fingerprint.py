"""Trust in a server by the fingerprint of its root, for anyone who has no file with the root at hand."""

from __future__ import annotations

import hashlib
import json
import re
import ssl
from http import HTTPStatus

from sealwright.cli.dependencies import CommandDependencies
from sealwright.cli.errors import RefusedByServer, WrongUsage
from sealwright.cli.formatting import listed
from sealwright.cli.https import Transport, send

_PLACES = (("/api/v1/version", "roots"), ("/roots", "crts"))
"""Where a server tells its roots: beside the pages, and beside the certificate authority."""
_PREFIX = re.compile(r"sha-?256(?: ?fingerprint)?[:= ] *", re.IGNORECASE)
_DIGEST = re.compile(r"[0-9a-f]{64}")


def read_fingerprint(text: str) -> str:
    """SHA-256 in small letters, from hexadecimal with or without colons, blanks and what `openssl` writes before it."""
    plain = re.sub(r"[: ]", "", _PREFIX.sub("", text.strip(), count=1)).lower()
    if not _DIGEST.fullmatch(plain):
        raise WrongUsage(
            f"--fingerprint {text[:100]} is not a SHA-256 fingerprint, which is 64 hexadecimal digits.",
            hint="init printed it; on the server's machine: sealwright root",
        )
    return plain


def fingerprint_of(certificate_der: bytes) -> str:
    """SHA-256 of a certificate in small hexadecimal letters."""
    return hashlib.sha256(certificate_der).hexdigest()


def fetch_root(dependencies: CommandDependencies, url: str, fingerprint: str) -> str:
    """The root with this fingerprint, from the server at `url`, as PEM. Whatever else the server shows is refused."""
    tls = ssl.create_default_context()
    tls.check_hostname = False
    tls.verify_mode = ssl.CERT_NONE  # what comes is worth its fingerprint, and nothing is sent before that was compared
    by_fingerprint = {fingerprint_of(root): root for root in _told_roots(dependencies.transport(tls), url)}
    if fingerprint in by_fingerprint:
        return ssl.DER_cert_to_PEM_cert(by_fingerprint[fingerprint])  # the text that came could hold more than what was compared
    shown = listed(list(by_fingerprint)) if by_fingerprint else "none"
    raise RefusedByServer(
        f"{url} has another root than the one that is to be trusted.",
        reasons=(f"SHA-256 asked for: {fingerprint}", f"SHA-256 of its own:  {shown}"),
        hint="Check the address, and compare with what the server's administrator sees: sealwright root",
    )


def _told_roots(transport: Transport, url: str) -> list[bytes]:
    for path, member in _PLACES:
        answer = send(transport, "GET", url + path, headers={"accept": "application/json"}, known_by="--fingerprint")
        if answer.status >= HTTPStatus.BAD_REQUEST:
            continue
        try:
            roots = json.loads(answer.body)[member]
        except (ValueError, KeyError, TypeError):
            continue
        if isinstance(roots, list):
            return [der for root in roots if isinstance(root, str) and (der := _der_of(root))]
    return []


def _der_of(root: str) -> bytes:
    """A root in DER; empty where the text is not a certificate."""
    try:
        return ssl.PEM_cert_to_DER_cert(root.strip())
    except ValueError:
        return b""
