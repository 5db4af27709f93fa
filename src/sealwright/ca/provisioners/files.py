"""Provisioners that an administrator keeps as JSON files beside the settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sealwright import strict_json
from sealwright.ca.models import Claims
from sealwright.ca.provisioners.definitions import parse_definition
from sealwright.ca.provisioners.errors import DefinitionRefused
from sealwright.ca.provisioners.provisioner import Provisioner
from sealwright.strict_json import JsonRefused

MOST_BYTES = 1_000_000


def read_files(directory: Path, *, defaults: Claims, origin: str = "") -> tuple[Provisioner, ...]:
    """Every provisioner of the ``*.json`` files in `directory`, which may be missing.

    A file holds one definition or a list of them. The first file that is wrong raises DefinitionRefused with the file, the
    member, and for broken JSON the line.
    """
    found: list[Provisioner] = []
    for path in sorted(directory.glob("*.json")):
        found.extend(_read(path, defaults, origin))
    for attribute in ("name", "id"):
        seen: dict[str, str] = {}
        for provisioner in found:
            value = getattr(provisioner, attribute)
            if value in seen:
                raise DefinitionRefused(
                    f"{provisioner.source}: a provisioner with the {attribute} {value!r} is in {seen[value]} too."
                )
            seen[value] = provisioner.source
    return tuple(found)


def parse_json(text: str | bytes) -> Any:
    """JSON, without members that are given twice. What is broken raises DefinitionRefused with the line."""
    try:
        return strict_json.loads(text)
    except JsonRefused as cause:
        raise DefinitionRefused(f"it {cause}.") from cause


def _read(path: Path, defaults: Claims, origin: str) -> list[Provisioner]:
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as cause:
        raise DefinitionRefused(f"{path.name} cannot be read: {cause.strerror}.") from cause
    if len(content) > MOST_BYTES:
        raise DefinitionRefused(f"{path.name} is larger than {MOST_BYTES} bytes.")
    try:
        document = parse_json(content)
        definitions = document if isinstance(document, list) else [document]
        return [parse_definition(each, defaults=defaults, source=path.name, origin=origin) for each in definitions]
    except DefinitionRefused as cause:
        raise DefinitionRefused(f"{path.name}: {cause.detail}", hint=cause.hint, remedy=cause.remedy) from cause
