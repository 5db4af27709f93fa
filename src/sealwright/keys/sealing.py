"""Secrets at rest: sealed with a key that the database does not hold.

A sealed value is a version byte, a nonce of 12 bytes, and AES-256-GCM's ciphertext with its tag. The context (which row the
secret belongs to) is authenticated, so that a value that is moved to another row does not open there.
"""

from __future__ import annotations

import base64
import binascii
import grp
import os
import shlex
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sealwright.entropy import Entropy
from sealwright.keys.errors import KeyFileRefused, SealBroken
from sealwright.secret_files import beyond_own_group

KEY_LENGTH = 32
KEY_FILE = Path("secrets") / "key-encryption.key"
_VERSION = b"\x01"
_NONCE_LENGTH = 12
_SHORTEST = len(_VERSION) + _NONCE_LENGTH + 16
_PURPOSE = b"sealwright sealing 1"


class Sealer:
    """Seals and opens secrets."""

    def __init__(self, key: bytes, entropy: Entropy) -> None:
        """`key`: the key-encryption key, 32 random bytes."""
        if len(key) != KEY_LENGTH:
            raise KeyFileRefused(f"The key-encryption key has {KEY_LENGTH} bytes, not {len(key)}.")
        self._key = key
        self._cipher = AESGCM(self._derive(_PURPOSE))
        self._entropy = entropy

    def seal(self, secret: bytes, context: str) -> bytes:
        """Seal `secret`; it opens only with the same `context`, such as ``signing_keys:<kid>``."""
        nonce = self._entropy.bytes(_NONCE_LENGTH)
        return _VERSION + nonce + self._cipher.encrypt(nonce, secret, _bound(context))

    def derive(self, purpose: str) -> bytes:
        """A key of 32 bytes for another use than sealing what is stored; the same on every node, another for each `purpose`."""
        return self._derive(b"sealwright derived 1 " + purpose.encode())

    def _derive(self, info: bytes) -> bytes:
        return HKDF(algorithm=SHA256(), length=KEY_LENGTH, salt=None, info=info).derive(self._key)

    def open(self, sealed: bytes, context: str) -> bytes:
        """The secret that was sealed for `context`; raises SealBroken."""
        if len(sealed) < _SHORTEST or not sealed.startswith(_VERSION):
            raise SealBroken(
                "A sealed secret in the database has a form that this version does not know.",
                hint="Start the version that wrote it, or bring the database back from your backup.",
            )
        nonce = sealed[len(_VERSION) : len(_VERSION) + _NONCE_LENGTH]
        try:
            return self._cipher.decrypt(nonce, sealed[len(_VERSION) + _NONCE_LENGTH :], _bound(context))
        except InvalidTag as cause:
            cause.add_note(f"sealed for {context}")  # for who looks with --debug
            raise SealBroken(
                "The key-encryption key does not open a secret in the database: it is another than that which sealed it,"
                " or the secret was changed.",
                hint=f"Bring back the key that the server was made with: {KEY_FILE} from your backup, or SEALWRIGHT_KEY.",
            ) from cause


def _bound(context: str) -> bytes:
    return _VERSION + context.encode()


def readers_of_key_file(home: Path) -> str:
    """A sentence on who may read the file of the key-encryption key."""
    status = (home / KEY_FILE).stat()
    if not stat.S_IMODE(status.st_mode) & 0o070:
        return "its owner only"
    return f"its owner and the group {_group_name(status.st_gid)}, which the server runs with"


def _group_name(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def create_key_encryption_key(home: Path, entropy: Entropy) -> bytes:
    """Make a key-encryption key and write it to its file, readable by the owner only. An existing file is never replaced."""
    file = home / KEY_FILE
    key = entropy.bytes(KEY_LENGTH)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as cause:
        raise KeyFileRefused(f"{file} is there already; a new key would make every sealed secret unreadable.") from cause
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(base64.b64encode(key) + b"\n")
        stream.flush()
        os.fsync(stream.fileno())
    return key


def load_key_encryption_key(home: Path, environment_value: bytes | None) -> bytes:
    """The key-encryption key: of the environment where it gives one, else of its file. Raises KeyFileRefused."""
    if environment_value is not None:
        if len(environment_value) != KEY_LENGTH:
            raise KeyFileRefused(f"SEALWRIGHT_KEY holds {len(environment_value)} bytes and must hold {KEY_LENGTH}.")
        return environment_value
    file = home / KEY_FILE
    try:
        with file.open("rb") as stream:
            status = os.fstat(stream.fileno())
            text = stream.read(200)
    except FileNotFoundError:
        raise KeyFileRefused(
            f"The key-encryption key {file} is missing.",
            hint="Bring the file back from your backup, or give the key in SEALWRIGHT_KEY. Without it no secret can be opened.",
        ) from None
    except OSError as cause:
        raise KeyFileRefused(f"The key-encryption key {file} cannot be read: {cause.strerror}.") from cause
    if beyond_own_group(status):
        raise KeyFileRefused(
            f"The key-encryption key {file} can be read or changed by others (mode {stat.S_IMODE(status.st_mode):04o}).",
            hint=f"Run: chmod 600 {shlex.quote(str(file))}",
        )
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_LENGTH:
        raise KeyFileRefused(f"The file {file} does not hold a key: it must be {KEY_LENGTH} bytes in base64.")
    return key
