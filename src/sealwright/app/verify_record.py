"""Check an exported audit record without its server: the file, and the public keys that were kept beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from sealwright.audit import BrokenChain, ChainedRow, ChainVerifier, ExportedRow
from sealwright.cli.server_side import VerifiedRecord
from sealwright.clock import to_rfc3339
from sealwright.errors import InvalidInput
from sealwright.jose import JwkRefused, keys_of_jwks

_LONGEST_KEYS = 1_000_000


def verify_record(file: Path, key_file: Path) -> VerifiedRecord:
    """Check every row of an export of `GET /api/v1/audit/chains`; raises BrokenChain naming the first bad one."""
    with key_file.open("rb") as opened:
        try:
            keys = keys_of_jwks(opened.read(_LONGEST_KEYS))
        except JwkRefused as cause:
            raise InvalidInput(
                f"{key_file} is not a key set: {cause.detail}", hint="Make it with: sealwright audit keys"
            ) from cause
    if not keys:
        raise InvalidInput(f"{key_file} holds no key.", hint="The server makes its audit key with its first checkpoint.")
    verifier = ChainVerifier(keys)
    for row in _rows(file):
        verifier.learn(row)
    for row in _rows(file):
        verifier.check(row)
    found = verifier.finish()
    if not found.rows:
        raise InvalidInput(f"{file} holds no row of an audit record.", hint="Make it with: sealwright audit export --chains")
    return VerifiedRecord(
        rows=found.rows,
        chains=len(found.heads),
        checkpoints=found.checkpoints,
        signed_at=None if found.signed_at is None else to_rfc3339(found.signed_at),
        unsigned_rows=found.unsigned_rows,
        purged_chains=found.purged_chains,
    )


def _rows(file: Path) -> Iterator[ChainedRow]:
    decode = msgspec.json.Decoder(ExportedRow).decode
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                yield decode(line).row()
            except (msgspec.MsgspecError, ValueError) as cause:
                raise BrokenChain(f"{file}, line {number}: this is not a row of an audit record.") from cause
