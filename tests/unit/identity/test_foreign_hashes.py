"""Hashes of other servers are read, bounded, and verified."""

import base64
import hashlib

import argon2
import bcrypt
import pytest

from sealwright.entropy import SeededEntropy
from sealwright.identity import Argon2Hashing
from sealwright.identity.foreign_hashes import HashRefused, is_foreign, stored_form, verify

WORD = b"velvet-orbit"
SALT = b"0123456789abcdef"


def b64(raw):
    return base64.b64encode(raw).decode()


def ab64(raw):
    return b64(raw).rstrip("=").replace("+", ".")


def pbkdf2(digest, rounds=1000, salt=SALT):
    return hashlib.pbkdf2_hmac(digest, WORD, salt, rounds)


HASHES = {
    "Argon2id": argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(WORD),
    "Argon2i": argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1, type=argon2.Type.I).hash(WORD),
    "Argon2 of LDAP": "{ARGON2}" + argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(WORD),
    "bcrypt": bcrypt.hashpw(WORD, bcrypt.gensalt(4)).decode(),
    "bcrypt of PHP": bcrypt.hashpw(WORD, bcrypt.gensalt(4)).decode().replace("$2b$", "$2y$"),
    "bcrypt of LDAP": "{CRYPT}" + bcrypt.hashpw(WORD, bcrypt.gensalt(4)).decode(),
    "PBKDF2 of Django": f"pbkdf2_sha256$1000${SALT.decode()}${b64(pbkdf2('sha256'))}",
    "PBKDF2 of OpenLDAP": f"{{PBKDF2-SHA256}}1000${ab64(SALT)}${ab64(pbkdf2('sha256'))}",
    "PBKDF2 with SHA-512": f"{{PBKDF2-SHA512}}1000${ab64(SALT)}${ab64(pbkdf2('sha512'))}",
    "PBKDF2 with SHA-1": f"{{PBKDF2}}1000${ab64(SALT)}${ab64(pbkdf2('sha1'))}",
    "SSHA512": "{SSHA512}" + b64(hashlib.sha512(WORD + SALT).digest() + SALT),
    "SSHA256": "{ssha256}" + b64(hashlib.sha256(WORD + SALT).digest() + SALT),
}


@pytest.mark.parametrize("kind", HASHES)
def test_right_password_is_told_from_a_wrong_one(kind):
    stored = stored_form(f" {HASHES[kind]}\n")
    assert verify(stored, WORD)
    assert not verify(stored, b"velvet-orbiu")
    assert stored_form(stored.decode()) == stored


@pytest.mark.parametrize(
    ("text", "password"),
    [
        ("pbkdf2_sha256$36000$xIEozuZVAoYm$uW1b35DUKyhvQAf1mBqMvoBDcqSD06juzyO/nmyV0+w=", b"eicieY7ahchaoCh0eeTa"),
        ("{PBKDF2-SHA256}10000$henZGfPWw79Cs8ORDeVNrQ$1dTJy73v6n3bnTmTZFghxHXHLsAzKaAy8SksDfZBPIw", b"password"),
        (
            "{SSHA512}JwrSUHkI7FTAfHRVR6KoFlSN0E3dmaQWARjZ+/UsShYlENOqDtFVU77HJLLrY2MuSp0jve52+pwtdVl2QUAHukQ0XUf5LDtM",
            b"password",
        ),
    ],
)
def test_hashes_that_other_servers_made_are_verified(text, password):
    assert verify(stored_form(text), password)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("hunter2", "a password itself"),
        ("{SSHA}abc", "is not read here"),
        ("{CLEARTEXT}hunter2", "is not read here"),
        ("$argon2id$v=19$m=1048576,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZg", "KiB of memory"),
        ("$argon2id$v=19$m=64,t=400,p=1$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZg", "passes"),
        ("$argon2id$v=19$m=6400,t=1,p=64$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZg", "lanes"),
        ("$argon2d$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZg", "Argon2d"),
        ("$argon2id$rubbish", "PHC"),
        ("$2b$31$" + "a" * 53, "cost is 31"),
        ("$2b$10$short", "not a bcrypt"),
        ("pbkdf2_sha256$99999999$saltsalt$" + b64(bytes(32)), "iterations"),
        ("pbkdf2_sha256$1000$saltsalt$%%%%", "base64"),
        ("pbkdf2_sha256$1000$saltsalt$" + b64(bytes(4)), "length"),
        ("pbkdf2_sha256$1000$saltsalt", "iterations, salt and key"),
        ("{SSHA512}" + b64(bytes(64)), "damaged"),
        ("{SSHA256}" + b64(bytes(30)), "damaged"),
        ("ünicode", "not a hash"),
        ("x" * 5_000, "not a hash"),
    ],
)
def test_what_is_no_hash_or_too_much_work_is_refused_and_not_repeated(text, why):
    with pytest.raises(HashRefused) as refusal:
        stored_form(text)
    told = f"{refusal.value.detail} {refusal.value.reasons} {refusal.value.hint}"
    assert why in told
    assert text not in told
    assert "hunter2" not in told


def test_damaged_row_has_no_password():
    for stored in (b"$pbkdf2-sha256$rubbish", b"$ssha512$$", b"$2b$", b"nothing", b"$argon2id$"):
        assert not verify(stored, WORD)


async def test_hash_of_another_server_is_verified_by_ours_and_is_outdated():
    hashing = Argon2Hashing(SeededEntropy(3), threads=1)
    try:
        for text in HASHES.values():
            stored = stored_form(text)
            assert await hashing.verify(stored, WORD.decode())
            assert not await hashing.verify(stored, "velvet-orbiu")
            assert hashing.is_outdated(stored)
            assert is_foreign(stored) == (not stored.startswith(b"$argon2id$"))
    finally:
        hashing.close()
