"""The command `sealwright`: one module per noun, speaking to the server's API and to the wire of the certificate authority.

Owns: words, symbols, exit codes, files on the user's machine. Never imports the server; what runs on the server's machine
(`init`, `serve` and their like) is handed in by `__main__`.
"""

from __future__ import annotations

from sealwright.cli.program import run

__all__ = ["run"]
