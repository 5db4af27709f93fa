"""Write a manifest, always the same bytes for the same content. Written piece by piece: a server may have many people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from sealwright.manifest.shape import VERSION


class _Dumper(yaml.SafeDumper):  # type: ignore[misc] # not annotated upstream
    """Lists are indented below their key, and nothing is an alias."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:  # noqa: ARG002 - as upstream calls it
        return super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - as upstream calls it
        return True


def write_heading() -> str:
    """The beginning of every manifest."""
    return f"version: {VERSION}\n"


def write_kind(kind: str) -> str:
    """The line below which the entries of a kind stand."""
    return f"{kind}:\n"


def write_entry(name: str, entry: Mapping[str, Any]) -> str:
    """One person, group, client or provisioner."""
    text: str = yaml.dump(
        {name: dict(entry)}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=1_000_000
    )
    return "".join(f"  {line}" if line.strip() else line for line in text.splitlines(keepends=True))
