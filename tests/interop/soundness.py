"""Holds every certificate that the tests had issued against pkilint and against openssl in strict mode."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.interop.stock import openssl
from tests.pkilinting import pkilint

_MOST_FILES = 400


@dataclass(frozen=True)
class Issued:
    """What one server has signed."""

    authorities: tuple[bytes, ...]
    """The root, then those that issue."""
    leaves: tuple[bytes, ...]


def issued_below(directory: Path) -> list[Issued]:
    """What all servers on SQLite whose homes are somewhere below `directory` have signed; copies of a home count once."""
    found: dict[bytes, set[bytes]] = {}
    authorities: dict[bytes, tuple[bytes, ...]] = {}
    for file in directory.rglob("home/sealwright.db"):
        try:
            with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
                cas = tuple(row[0] for row in database.execute("SELECT certificate_der FROM issuers ORDER BY created_at, rowid"))
                leaves = {row[0] for row in database.execute("SELECT der FROM certificates WHERE der IS NOT NULL")}
        except sqlite3.Error:  # a database that a test has broken on purpose
            continue
        roots = [each for each in cas if _is_root(each)]
        if len(roots) == 1:
            authorities[roots[0]] = (roots[0], *(each for each in cas if each != roots[0]))
            found.setdefault(roots[0], set()).update(leaves)
    return [Issued(authorities[root], tuple(sorted(leaves))) for root, leaves in found.items()]


def _is_root(der: bytes) -> bool:
    certificate = x509.load_der_x509_certificate(der)
    return certificate.issuer == certificate.subject


def shape_of(der: bytes) -> tuple[object, ...]:
    """What two certificates have in common when a linter cannot tell them apart but for their values."""
    certificate = x509.load_der_x509_certificate(der)
    key = certificate.public_key()
    extensions = []
    for each in certificate.extensions:
        value = each.value
        names = sorted({type(name).__name__ for name in value}) if isinstance(value, x509.SubjectAlternativeName) else None
        usages = value if isinstance(value, x509.KeyUsage | x509.ExtendedKeyUsage | x509.BasicConstraints) else None
        extensions.append((each.oid.dotted_string, each.critical, str(names), str(usages)))
    attributes = tuple(each.oid.dotted_string for each in certificate.subject)
    return (type(key).__name__, getattr(key, "key_size", 0), certificate.signature_algorithm_oid, attributes, tuple(extensions))


def check(issued: Iterable[Issued], scratch: Path) -> int:
    """Raise AssertionError where anything is wrong; answers how many certificates were looked at."""
    linted: set[tuple[object, ...]] = set()
    count = 0
    for number, server in enumerate(issued):
        place = scratch / f"server-{number}"
        place.mkdir(parents=True)
        for der in (*server.authorities, *server.leaves):
            shape = shape_of(der)
            if shape not in linted:
                linted.add(shape)
                found = pkilint(der)
                assert found == {}, f"{found}\n{x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM).decode()}"
        root, *others = (_write(place / f"ca-{at}.pem", der) for at, der in enumerate(server.authorities))
        untrusted = place / "untrusted.pem"
        untrusted.write_bytes(b"".join(each.read_bytes() for each in others))
        files = [_write(place / f"{at}.pem", der) for at, der in enumerate(server.leaves)]
        chain = ("-x509_strict", "-no_check_time", "-CAfile", root, "-untrusted", untrusted)
        for at in range(0, len(files), _MOST_FILES):
            openssl("verify", *chain, *files[at : at + _MOST_FILES])
        count += len(server.authorities) + len(files)
    return count


def _write(file: Path, der: bytes) -> Path:
    file.write_bytes(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM))
    return file
