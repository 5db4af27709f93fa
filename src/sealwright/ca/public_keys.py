"""Which public keys may be certified, and how a certificate holds them."""

from __future__ import annotations

from typing import cast

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sealwright.ca import der
from sealwright.ca.errors import PublicKeyRefused
from sealwright.ca.models import Curve, KeyKind, Profile, PublicKey
from sealwright.rsa_strength import weakness

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
        reason = weakness(cast("RSAPublicKey", key).public_numbers())
        if reason:
            raise PublicKeyRefused(reason)
    return cast("PublicKey", key)


def kind_of(key: PublicKey) -> KeyKind:
    """The kind of an accepted key."""
    kind = _KINDS[type(key)]
    if kind is None:
        raise TypeError(f"{type(key).__name__} is not an accepted kind of key")
    return kind


_CURVE_NAMES = {"secp256r1": Curve.P256, "secp384r1": Curve.P384, "secp521r1": Curve.P521}


def strength_fault(key: object, profile: Profile) -> str:
    """Why a key of an accepted kind is not as strong as `profile` asks for, in words; empty where it is."""
    if isinstance(key, EllipticCurvePublicKey):
        curve = _CURVE_NAMES.get(key.curve.name)
        return (
            "" if curve in profile.curves else f"the key lies on {curve or key.curve.name}, not on {' or '.join(profile.curves)}"
        )
    if isinstance(key, RSAPublicKey) and key.key_size < profile.shortest_rsa:
        return f"the RSA key has {key.key_size} bits; at least {profile.shortest_rsa} are asked for"
    return ""


def usual_form(key: PublicKey, given: bytes) -> bytes:
    """SubjectPublicKeyInfo as it goes into a certificate: `given` where it is in the usual form, else encoded anew."""
    start = _STARTS.get(len(given))
    return given if start is not None and given.startswith(start) else encoded(key)


def encoded(key: PublicKey) -> bytes:
    """SubjectPublicKeyInfo of a key, in the usual form."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _kind_in_words(key: object) -> str:
    return type(key).__name__.removesuffix("PublicKey").removeprefix("_") or "unknown"
