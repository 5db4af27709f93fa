"""`sealwright certificate renew`: the old certificate proves itself over TLS, or by a signed token once it has expired."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sealwright.cli.durations import typed_duration
from sealwright.cli.errors import CommandFailed, RefusedByServer
from sealwright.cli.files import NewFile, already_there, read_bytes
from sealwright.cli.key_pair import common_name_of, read_certificates, read_private_key, same_key
from sealwright.cli.provisioner_key import key_for
from sealwright.cli.step_wire import Authority
from sealwright.jose import PrivateJwk, sign

AuthorityFor = Callable[[tuple[Path, Path] | None], Authority]
"""Makes an authority that is shown a certificate and its key when the connection is made, or none."""

_TOKEN_SECONDS = 300
_TOKEN_ISSUER = "step-ca-client/1.0"  # noqa: S105 - what the wire calls a client that renews


def due(certificate_file: Path, expires_in: str | None, now: datetime) -> timedelta | None:
    """None when the certificate is to be renewed now; else how long it is valid."""
    if expires_in is None:
        return None
    threshold = threshold_of(expires_in)
    left = read_certificates(read_bytes(certificate_file), certificate_file)[0].not_valid_after_utc - now
    return left if left > threshold else None


def threshold_of(expires_in: str) -> timedelta:
    """What ``--expires-in`` says."""
    return typed_duration("--expires-in", expires_in)


def renewed(
    authority_for: AuthorityFor, certificate_file: Path, key_file: Path, target: Path, now: datetime, *, replace: bool
) -> x509.Certificate:
    """Renew and write the new chain to `target`; the old file stays as it is until the new one is whole."""
    chain = read_certificates(read_bytes(certificate_file), certificate_file)
    key = read_private_key(read_bytes(key_file), key_file)
    if not same_key(chain[0], key):
        raise CommandFailed(f"{key_file} is not the key of {certificate_file}.")
    if not replace and target.exists():
        raise already_there(target)
    if chain[0].not_valid_after_utc > now:
        authority = authority_for((certificate_file, key_file))
        signed = authority.renew()
    else:
        authority = authority_for(None)
        signed = authority.renew(_token(authority.url, chain, key_for(key), now))
    made = read_certificates(signed.pem, target)[0]
    if not same_key(made, key):
        raise RefusedByServer(f"{authority.url} answered with a certificate for another key. It was not kept.")
    file = NewFile(target, signed.pem)
    try:
        file.place(replace=replace)
    finally:
        file.discard()
    return made


def _token(url: str, chain: list[x509.Certificate], key: PrivateJwk, now: datetime) -> str:
    """What stands for the TLS handshake that an expired certificate cannot make: a token signed with its key."""
    encoded_chain = [base64.b64encode(each.public_bytes(Encoding.DER)).decode() for each in chain]
    seconds = int(now.timestamp())
    claims = {
        "iss": _TOKEN_ISSUER,
        "sub": common_name_of(chain[0]),
        "aud": f"{url}/renew",
        "iat": seconds,
        "nbf": seconds,
        "exp": seconds + _TOKEN_SECONDS,
    }
    return sign(key, claims, header={"x5cInsecure": encoded_chain})
