"""What can be set on a client, row by row of the table of client metadata. Used by the script `reference`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING
from typing import Any, get_args

from sealwright.client_metadata import ClientKind, Row, rows

CLIENTS = """
Everything that can be set on an OAuth client, as `sealwright system oauth2 get NAME --output json` and the API tell it. The
commands are those of `sealwright system oauth2`; `PATCH /api/v1/oauth2/clients/{name}` changes any of them in one request, all
or none, and `null` brings a default back. Names are those of RFC 7591 and OpenID Connect Dynamic Client Registration where
these have one; where it is another, it stands in brackets.
""".strip()

HEADING = ("member", "value", "default", "who sets it", "what it is", "commands")


def clients() -> Iterator[tuple[str, ...]]:
    """One line of the table for each row."""
    for row in rows().values():
        declared = row.declared
        registered = f" (`{declared.registered_as}`)" if declared.registered_as else ""
        verbs = ", ".join(f"[`{verb.name}`](commands.md#sealwright-system-oauth2-{verb.name})" for verb in declared.verbs)
        yield f"`{row.name}`{registered}", _value(row), _default(row), str(declared.set_by), declared.doc, verbs


def _value(row: Row) -> str:
    if row.is_list:
        return "list"
    choices = row.choices or (tuple(ClientKind) if row.type is ClientKind else ())
    if choices:
        return " or ".join(f"`{choice}`" for choice in choices)
    kinds: dict[Any, str] = {bool: "true or false", int: "whole number", str: "text", dict[str, Any]: "JSON object"}
    return kinds[next(iter(get_args(row.type)), row.type)]


def _default(row: Row) -> str:
    if row.default is MISSING:
        return "given at creation"
    if row.default is None:
        return row.declared.usual_doc
    if row.is_list:
        return "none"
    return f"`{str(row.default).lower() if isinstance(row.default, bool) else row.default}`"
