"""Comma-separated values (RFC 4180) that open in a spreadsheet as the text that they are."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_lines(rows: Iterable[Sequence[Any]]) -> bytes:
    """Lines with these cells; None is an empty one."""
    written = io.StringIO(newline="")
    csv.writer(written).writerows([_cell(each) for each in row] for row in rows)
    return written.getvalue().encode()


def _cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula: one that would begin like it gets an apostrophe before it (OWASP)."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
