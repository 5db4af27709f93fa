"""Hashes of passwords that other servers made: read, held within bounds, and verified until the first sign-in. Pure.

Each is kept in one form, whatever form it came in, so that what is stored was judged once.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping

import bcrypt
from argon2 import Parameters, Type, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import verify_secret

from sealwright.errors import InvalidInput

MOST_MEMORY = 65_536
"""KiB of an Argon2 hash."""
MOST_PASSES = 8
MOST_LANES = 4
MOST_ITERATIONS = 1_500_000
"""Of PBKDF2: about half a second of one core."""
DEAREST_BCRYPT = 14
LONGEST_HASH = 1_024
_BCRYPT_READS = 72
_SALT = range(4, 129)
_KEY = range(16, 129)
_LENGTHS = {"sha256": 32, "sha512": 64}

_BCRYPT = re.compile(r"\$2[abxy]\$([0-9]{2})\$[./A-Za-z0-9]{53}")
_LDAP = re.compile(r"\{([A-Za-z0-9-]{1,20})\}(.*)", re.DOTALL)
_PBKDF2 = re.compile(r"([1-9][0-9]{0,8})\$([^$]*)\$([^$]*)")
_DJANGO = re.compile(r"pbkdf2_(sha1|sha256|sha512)\$(.*)")
_DIGESTS = {"": "sha1", "-SHA1": "sha1", "-SHA256": "sha256", "-SHA512": "sha512"}


class HashRefused(InvalidInput):
    """A hash of a password is of no known kind, damaged, or too much work to verify."""

    code = "hash_refused"


def stored_form(text: str) -> bytes:
    """How a hash is kept; raises HashRefused, which does not repeat it."""
    given = text.strip()
    if not given.isascii() or len(given) > LONGEST_HASH:
        raise _refused("it is not a hash of a password")
    scheme = _LDAP.fullmatch(given)
    if scheme is not None:
        return _of_ldap(scheme[1].upper(), scheme[2])
    if given.startswith("$argon2"):
        return _argon2(given)
    if given.startswith("$2"):
        return _bcrypt(given)
    django = _DJANGO.fullmatch(given)
    if django is not None:
        return _pbkdf2(django[1], django[2], salt_of=str.encode)
    if given.startswith(("$pbkdf2-", "$ssha")):
        return _own(given)
    raise _refused("it begins with no kind of hash that is known here; a password itself is never imported")


def is_foreign(stored: bytes) -> bool:
    """Whether a stored hash is of this module's kinds, and no Argon2id of our own."""
    return not stored.startswith(b"$argon2id$")


def verify(stored: bytes, password: bytes) -> bool:
    """Whether `stored`, which `stored_form` made, is of this password."""
    kind = next((each for each in _VERIFY if stored.startswith(each)), None)
    try:
        return kind is not None and _VERIFY[kind](stored, password)
    except (ValueError, VerificationError, InvalidHashError):
        return False


def _of_ldap(scheme: str, rest: str) -> bytes:
    if scheme in ("ARGON2", "CRYPT"):
        return _argon2(rest) if scheme == "ARGON2" else _bcrypt(rest)
    if scheme.startswith("PBKDF2") and scheme.removeprefix("PBKDF2") in _DIGESTS:
        return _pbkdf2(_DIGESTS[scheme.removeprefix("PBKDF2")], rest, salt_of=_decoded)
    if scheme in ("SSHA256", "SSHA512"):
        digest = scheme.removeprefix("S").lower()
        raw, length = _decoded(rest), _LENGTHS[digest]
        return _salted(digest, raw[length:], raw[:length])
    raise _refused(
        f"the scheme {{{scheme}}} is not read here",
        hint="Leave it out and invite the person. {ARGON2}, {CRYPT} with bcrypt, {PBKDF2…}, {SSHA256} and {SSHA512} are read.",
    )


def _own(text: str) -> bytes:
    """The form in which hashes are kept here, as a reader of another server's export writes it."""
    parts = text.split("$")
    if len(parts) == 5 and parts[1] in ("pbkdf2-sha1", "pbkdf2-sha256", "pbkdf2-sha512"):  # noqa: PLR2004 - kind, i=, salt, key
        return _pbkdf2(parts[1].removeprefix("pbkdf2-"), "$".join((parts[2].removeprefix("i="), *parts[3:])), salt_of=_decoded)
    if len(parts) == 4 and parts[1] in ("ssha256", "ssha512"):  # noqa: PLR2004 - kind, salt, digest
        return _salted(parts[1].removeprefix("s"), _decoded(parts[2]), _decoded(parts[3]))
    raise _refused("it is damaged")


def _argon2(text: str) -> bytes:
    try:
        found: Parameters = extract_parameters(text)
    except (InvalidHashError, ValueError) as cause:
        raise _refused("it is not an Argon2 hash in PHC form") from cause
    if found.type is Type.D:
        raise _refused("Argon2d is not read here; Argon2id and Argon2i are")
    _within(found.memory_cost, MOST_MEMORY, "KiB of memory")
    _within(found.time_cost, MOST_PASSES, "passes")
    _within(found.parallelism, MOST_LANES, "lanes")
    if found.salt_len not in _SALT or found.hash_len not in _KEY:
        raise _refused("its salt or its key has a length that no server makes")
    return text.encode()


def _bcrypt(text: str) -> bytes:
    found = _BCRYPT.fullmatch(text)
    if found is None:
        raise _refused("it is not a bcrypt hash")
    if not 4 <= int(found[1]) <= DEAREST_BCRYPT:  # noqa: PLR2004 - the least that bcrypt has
        raise _refused(f"its cost is {int(found[1])}; 4 to {DEAREST_BCRYPT} are verified here")
    return f"$2b${text[4:]}".encode()


def _pbkdf2(digest: str, text: str, *, salt_of: Callable[[str], bytes]) -> bytes:
    found = _PBKDF2.fullmatch(text)
    if found is None:
        raise _refused("it is not a PBKDF2 hash: iterations, salt and key belong into it, with $ between them")
    iterations, salt, key = int(found[1]), salt_of(found[2]), _decoded(found[3])
    _within(iterations, MOST_ITERATIONS, "iterations")
    if len(salt) not in _SALT or len(key) not in _KEY:
        raise _refused("its salt or its key has a length that no server makes")
    return f"$pbkdf2-{digest}$i={iterations}${_encoded(salt)}${_encoded(key)}".encode()


def _salted(digest: str, salt: bytes, key: bytes) -> bytes:
    if len(key) != _LENGTHS[digest] or len(salt) not in _SALT:
        raise _refused("it is damaged: its salt or its digest is too short")
    return f"$s{digest}${_encoded(salt)}${_encoded(key)}".encode()


def _verify_argon2(stored: bytes, password: bytes) -> bool:
    return verify_secret(stored, password, Type.ID if stored.startswith(b"$argon2id$") else Type.I)


def _verify_bcrypt(stored: bytes, password: bytes) -> bool:
    return bcrypt.checkpw(password[:_BCRYPT_READS], stored)


def _verify_pbkdf2(stored: bytes, password: bytes) -> bool:
    _, kind, iterations, salt, key = stored.decode().split("$")
    wanted = _decoded(key)
    digest, rounds = kind.removeprefix("pbkdf2-"), int(iterations.removeprefix("i="))
    return hmac.compare_digest(hashlib.pbkdf2_hmac(digest, password, _decoded(salt), rounds, len(wanted)), wanted)


def _verify_salted(stored: bytes, password: bytes) -> bool:
    _, kind, salt, key = stored.decode().split("$")
    found = hashlib.new(kind.removeprefix("s"), password + _decoded(salt)).digest()
    return hmac.compare_digest(found, _decoded(key))


_VERIFY: Mapping[bytes, Callable[[bytes, bytes], bool]] = {
    b"$argon2": _verify_argon2,
    b"$2b$": _verify_bcrypt,
    b"$pbkdf2-": _verify_pbkdf2,
    b"$ssha": _verify_salted,
}


def _within(number: int, most: int, unit: str) -> None:
    if not 1 <= number <= most:
        raise _refused(f"it asks for {number} {unit}, and at most {most} are verified here")


def _decoded(text: str) -> bytes:
    """Base64 as LDAP servers write it: with ``.`` for ``+``, of either alphabet, with padding or without."""
    plain = text.replace(".", "+").replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError) as cause:
        raise _refused("a part of it is not base64") from cause


def _encoded(raw: bytes) -> str:
    return base64.b64encode(raw).rstrip(b"=").decode()


def _refused(why: str, hint: str = "Leave the hash out and invite the person, who chooses a new password.") -> HashRefused:
    return HashRefused("The hash of the password cannot be imported.", reasons=(why,), hint=hint)
