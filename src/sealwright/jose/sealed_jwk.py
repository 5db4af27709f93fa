"""Private keys of JWK provisioners, encrypted with a password as `step` does: compact JWE, PBES2-HS256+A128KW and A256GCM.

The encryption is `joserfc`'s, which takes a tenth of a second to import: it is imported where it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from sealwright.jose.encoding import base64url, decode_base64url, decode_object
from sealwright.jose.errors import JwkNotOpened, JwkRefused, TokenMalformed
from sealwright.jose.jwk import jwk_of, private_key_from_jwk
from sealwright.jose.key_types import algorithm_of, thumbprint
from sealwright.jose.models import PrivateJwk
from sealwright.jose.signatures import algorithms_of
from sealwright.password_strength import FEWEST_ITERATIONS, ITERATIONS, MOST_ITERATIONS

if TYPE_CHECKING:
    from joserfc.jwe import JWERegistry

_LONGEST = 8_192
_ALG = "PBES2-HS256+A128KW"
_ENC = "A256GCM"
_SIZE = 32


def encrypt_private_jwk(private_key: ec.EllipticCurvePrivateKey, password: bytes, *, iterations: int = ITERATIONS) -> str:
    """The private JWK of a P-256 key as a JWE that `password` opens. Takes a tenth of a second of computing, on purpose."""
    if private_key.curve.name != "secp256r1":
        raise JwkRefused("The key of a JWK provisioner is on the curve P-256.")
    if not password:
        raise JwkRefused("The key of a JWK provisioner needs a password.")
    from joserfc.jwe import encrypt_compact
    from joserfc.jwk import OctKey

    public_key = private_key.public_key()
    secret = base64url(private_key.private_numbers().private_value.to_bytes(_SIZE))
    jwk = {**jwk_of(public_key, thumbprint(public_key), "ES256"), "d": secret}
    header = {"alg": _ALG, "cty": "jwk+json", "enc": _ENC, "p2c": iterations}  # the salt, `p2s`, is added
    return encrypt_compact(header, msgspec.json.encode(jwk), OctKey(password, password), registry=_registry())


def new_sealed_jwk(password: bytes) -> tuple[dict[str, str], str]:
    """A new P-256 key as `step ca init` makes one for a JWK provisioner: its public JWK, and the private one as a JWE."""
    private_key = ec.generate_private_key(ec.SECP256R1())
    public_key = private_key.public_key()
    return jwk_of(public_key, thumbprint(public_key), "ES256"), encrypt_private_jwk(private_key, password)


def decrypt_private_jwk(jwe: str, password: bytes) -> PrivateJwk:
    """The private key in a JWE; a wrong password raises JwkNotOpened, a foreign form or number of iterations JwkRefused."""
    if len(jwe) > _LONGEST or jwe.count(".") != 4 or not jwe.isascii():  # noqa: PLR2004 - five segments
        raise JwkRefused("The encrypted key is not a JWE of five parts.")
    try:
        parts = [decode_base64url(part, "JWE") for part in jwe.encode().split(b".")]
        _require_form(decode_object(parts[0], "header"))
        return _private_jwk(decode_object(_decrypted(jwe, password), "key"))
    except (TokenMalformed, ValueError) as cause:
        raise JwkRefused("The encrypted key is malformed.") from cause


def _decrypted(jwe: str, password: bytes) -> bytes:
    """The content of a JWE whose header and encoding were checked: from here on only its password can be wrong."""
    from joserfc.errors import JoseError
    from joserfc.jwe import decrypt_compact
    from joserfc.jwk import OctKey

    try:
        return decrypt_compact(jwe, OctKey(password, password), registry=_registry()).plaintext or b""
    except JoseError as cause:
        raise JwkNotOpened("The encrypted key does not open: the password is wrong, or the key was changed.") from cause


def _registry() -> JWERegistry:
    """The two algorithms of `step`, and our bounds instead of joserfc's, which refuses more than 300,000 iterations."""
    from joserfc.jwe import JWERegistry

    class StepKeys(JWERegistry):
        def check_header(self, header: dict[str, Any], check_more: bool = False) -> None:
            _require_form(header, salted=check_more)

    return StepKeys(algorithms=(_ALG, _ENC))


def _require_form(header: dict[str, Any], *, salted: bool = True) -> None:
    """Raise JwkRefused unless the header is of the form that `step` writes; a header to be encrypted with has no salt yet."""
    if header.get("alg") != _ALG or header.get("enc") != _ENC or "crit" in header or "zip" in header:
        raise JwkRefused(f"The encrypted key must use {_ALG} and {_ENC}.")
    iterations, salt = header.get("p2c"), header.get("p2s")
    if isinstance(iterations, bool) or not isinstance(iterations, int) or (salted and not isinstance(salt, str)):
        raise JwkRefused("The encrypted key does not say how its password is stretched.")
    if not FEWEST_ITERATIONS <= iterations <= MOST_ITERATIONS:
        raise JwkRefused(
            f"The encrypted key uses {iterations} iterations; {FEWEST_ITERATIONS} to {MOST_ITERATIONS} are accepted."
        )
    decode_base64url(str(salt or "").encode(), "salt")


def _private_jwk(jwk: dict[str, Any]) -> PrivateJwk:
    private_key = private_key_from_jwk(jwk)
    public_key = private_key.public_key()
    key_id, algorithm = jwk.get("kid") or thumbprint(public_key), jwk.get("alg") or algorithm_of(public_key)
    if not isinstance(key_id, str) or algorithm not in algorithms_of(public_key):
        raise JwkRefused(f"The encrypted key says that it signs with {str(algorithm)[:32]!r}, which its kind of key does not do.")
    return PrivateJwk(key_id, algorithm, private_key)
