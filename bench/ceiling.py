"""What this machine could do at most: three P-256 verifications and one signature per request, and nothing else.

A token and a certificate request are verified, and the certificate before it is given out; `step-ca` makes the same three.
"""

from __future__ import annotations

import os
import re
import subprocess

VERIFICATIONS = 3


def signatures_ceiling() -> dict[str, float]:
    """Operations per second on all cores by `openssl speed`, and the requests per second that they allow."""
    cores = os.cpu_count() or 1
    printed = subprocess.run(
        ["openssl", "speed", "-seconds", "2", "-multi", str(cores), "ecdsap256"], capture_output=True, text=True, check=True
    ).stdout
    row = re.search(r"256 bits? ecdsa \(nistp256\)\s+\S+\s+\S+\s+([\d.]+)\s+([\d.]+)", printed)
    if row is None:
        raise RuntimeError(f"openssl speed printed something unknown: {printed[-300:]}")
    sign, verify = float(row.group(1)), float(row.group(2))
    allowed = 1 / (VERIFICATIONS / verify + 1 / sign)
    return {"cores": cores, "sign_per_s": sign, "verify_per_s": verify, "requests_per_s": allowed}


def ceiling_line(ceiling: dict[str, float]) -> str:
    """The ceiling as a run prints it first."""
    return f"Ceiling (three P-256 verifications and a signature): {ceiling['requests_per_s']:,.0f}/s"
