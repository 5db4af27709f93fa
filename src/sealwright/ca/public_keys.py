"""Which public keys may be certified, and cheap looks at whether somebody could guess the private half."""

from __future__ import annotations

from math import gcd, isqrt, prod
from typing import cast

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealwright.ca import der
from sealwright.ca.errors import PublicKeyRefused
from sealwright.ca.models import KeyKind, PublicKey

SHORTEST_RSA = 2048
LONGEST_RSA = 8192
SMALLEST_EXPONENT = 65537
LARGEST_EXPONENT = 2**31 - 1
FERMAT_ROUNDS = 110

ACCEPTED = "EC on P-256, P-384 or P-521, RSA of 2048 to 8192 bits, or Ed25519"

_EC = der.oid("1.2.840.10045.2.1")


def _uncompressed(curve: str, coordinate_length: int) -> tuple[bytes, int]:
    """The beginning of a SubjectPublicKeyInfo with an uncompressed point, and its whole length."""
    algorithm = der.sequence(_EC, der.oid(curve))
    bits = der.header(der.BIT_STRING, 2 + 2 * coordinate_length) + b"\x00\x04"
    length = len(algorithm) + len(bits) + 2 * coordinate_length
    start = der.header(der.SEQUENCE, length) + algorithm + bits
    return start, len(start) + 2 * coordinate_length


PLAIN_FORMS = {
    "secp256r1": _uncompressed("1.2.840.10045.3.1.7", 32),
    "secp384r1": _uncompressed("1.3.132.0.34", 48),
    "secp521r1": _uncompressed("1.3.132.0.35", 66),
    "ed25519": (bytes.fromhex("302a300506032b6570032100"), 44),
}
"""Per curve: how the usual SubjectPublicKeyInfo begins, and how long it is."""
_STARTS = {length: start for start, length in PLAIN_FORMS.values()}


def _primes(below: int) -> list[int]:
    sieve = bytearray([1]) * below
    for number in range(2, isqrt(below) + 1):
        if sieve[number]:
            sieve[number * number :: number] = bytes(len(range(number * number, below, number)))
    return [number for number in range(2, below) if sieve[number]]


_SMALL_PRIMES = prod(_primes(2000))
_ROCA_PRIMES = _primes(168)[1:]
_ROCA_RESIDUES = {prime: frozenset(pow(65537, power, prime) for power in range(prime)) for prime in _ROCA_PRIMES}
_SQUARES_MOD_64 = frozenset(number * number % 64 for number in range(64))
_SQUARES_MOD_3465 = frozenset(number * number % 3465 for number in range(3465))


class _Kinds(dict[type, KeyKind | None]):
    """The kind of keys of each type, None where they are not accepted. Kept, because the abstract classes answer slowly."""

    def __missing__(self, key_type: type) -> KeyKind | None:
        kinds = {EllipticCurvePublicKey: KeyKind.EC, Ed25519PublicKey: KeyKind.ED25519, RSAPublicKey: KeyKind.RSA}
        kind = next((kind for known, kind in kinds.items() if issubclass(key_type, known)), None)
        self[key_type] = kind
        return kind


_KINDS = _Kinds()


def accept(key: object) -> PublicKey:
    """`key` when it is of an accepted kind and shows no weakness; else PublicKeyRefused, naming what is wrong."""
    kind = _KINDS[type(key)]
    if kind is None:
        raise PublicKeyRefused(f"A key of the kind {_kind_in_words(key)} is not accepted; accepted are {ACCEPTED}.")
    if kind is KeyKind.EC:
        curve = cast("EllipticCurvePublicKey", key).curve.name
        if curve not in PLAIN_FORMS:
            raise PublicKeyRefused(f"The key lies on the curve {curve}; accepted are {ACCEPTED}.")
    elif kind is KeyKind.RSA:
        _refuse_weak_rsa(cast("RSAPublicKey", key))
    return cast("PublicKey", key)


def kind_of(key: PublicKey) -> KeyKind:
    """The kind of an accepted key."""
    kind = _KINDS[type(key)]
    if kind is None:
        raise TypeError(f"{type(key).__name__} is no accepted kind of key")
    return kind


def usual_form(key: PublicKey, given: bytes) -> bytes:
    """SubjectPublicKeyInfo as it goes into a certificate: `given` where it is in the usual form, else encoded anew."""
    start = _STARTS.get(len(given))
    return given if start is not None and given.startswith(start) else encoded(key)


def encoded(key: PublicKey) -> bytes:
    """SubjectPublicKeyInfo of a key, in the usual form."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _kind_in_words(key: object) -> str:
    return type(key).__name__.removesuffix("PublicKey").removeprefix("_") or "unknown"


def _refuse_weak_rsa(key: RSAPublicKey) -> None:
    bits = key.key_size
    if not SHORTEST_RSA <= bits <= LONGEST_RSA:
        raise PublicKeyRefused(f"The RSA key has {bits} bits; {SHORTEST_RSA} to {LONGEST_RSA} are accepted.")
    numbers = key.public_numbers()
    if numbers.e % 2 == 0 or not SMALLEST_EXPONENT <= numbers.e <= LARGEST_EXPONENT:
        raise PublicKeyRefused(
            f"The RSA key has the public exponent {numbers.e}; it must be odd and at least {SMALLEST_EXPONENT}."
        )
    if bits % 8:
        raise PublicKeyRefused(f"The RSA key has {bits} bits, which is not a whole number of bytes.")
    if gcd(numbers.n, _SMALL_PRIMES) != 1:
        raise PublicKeyRefused("The RSA key is broken: its modulus has a small factor.")
    if all(numbers.n % prime in residues for prime, residues in _ROCA_RESIDUES.items()):
        raise PublicKeyRefused("The RSA key comes from a generator whose keys can be factored (ROCA, CVE-2017-15361).")
    if has_close_factors(numbers.n):
        raise PublicKeyRefused("The RSA key is broken: the two factors of its modulus are so close that they can be found.")


def has_close_factors(modulus: int, rounds: int = FERMAT_ROUNDS) -> bool:
    """Whether Fermat's method factors `modulus` within `rounds` steps."""
    root = isqrt(modulus)
    if root * root < modulus:
        root += 1
    for candidate in range(root, root + rounds):
        rest = candidate * candidate - modulus
        if rest % 64 not in _SQUARES_MOD_64 or rest % 3465 not in _SQUARES_MOD_3465:
            continue
        if isqrt(rest) ** 2 == rest:
            return True
    return False
