"""How settings are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sealwright.errors import Refused

_SHOWN = 80
SEE_ALL = "See all settings with: sealwright help settings"


class SettingsRefused(Refused):
    """The settings hold something that is unknown or cannot be used."""

    code = "settings_refused"

    def __init__(self, key: str, value: str, problem: str, *, file: Path | None = None, line: int = 0, hint: str = "") -> None:
        """`key` with its section, `value` as given, `problem` as the end of a sentence; no `file` means the environment."""
        where = "" if file is None else f"{file}{f', line {line}' if line else ''}: "
        usual = "Unset it, or give it another value." if file is None else f"Correct it there. {SEE_ALL}"
        super().__init__(f"{where}{key}{f' = {value}' if value else ''} {problem}.", hint=hint or usual)
        self.key = key
        self.value = value
        self.problem = problem
        self.file = file
        self.line = line


def shown(value: Any) -> str:
    """`value` as text for a message, cut where it is long."""
    text = str(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
