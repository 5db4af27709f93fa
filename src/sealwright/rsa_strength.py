"""Which RSA keys are strong enough: one rule for the keys in certificate requests, in JSON Web Keys and in files."""

from __future__ import annotations

from math import gcd, isqrt, prod
from typing import Protocol

SHORTEST_RSA = 2048
LONGEST_RSA = 8192
SMALLEST_EXPONENT = 65537
LARGEST_EXPONENT = 2**31 - 1
FERMAT_ROUNDS = 110


class PublicNumbers(Protocol):
    """The public numbers of an RSA key, as the cryptography library has them."""

    @property
    def n(self) -> int: ...

    @property
    def e(self) -> int: ...


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


def weakness(key: PublicNumbers) -> str:
    """Why the key is refused, as a sentence; empty for one that shows no weakness."""
    return _wrong_size(key) or _known_factors(key)


def _wrong_size(key: PublicNumbers) -> str:
    bits = key.n.bit_length()
    if not SHORTEST_RSA <= bits <= LONGEST_RSA:
        return f"The RSA key has {bits} bits; {SHORTEST_RSA} to {LONGEST_RSA} are accepted."
    if key.e % 2 == 0 or not SMALLEST_EXPONENT <= key.e <= LARGEST_EXPONENT:
        return f"The RSA key has the public exponent {key.e}; it must be odd and at least {SMALLEST_EXPONENT}."
    if bits % 8:
        return f"The RSA key has {bits} bits, which is not a whole number of bytes."
    return ""


def _known_factors(key: PublicNumbers) -> str:
    if gcd(key.n, _SMALL_PRIMES) != 1:
        return "The RSA key is broken: its modulus has a small factor."
    if all(key.n % prime in residues for prime, residues in _ROCA_RESIDUES.items()):
        return "The RSA key comes from a generator whose keys can be factored (ROCA, CVE-2017-15361)."
    if has_close_factors(key.n):
        return "The RSA key is broken: the two factors of its modulus are so close that they can be found."
    return ""


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
