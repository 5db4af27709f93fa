"""The settings file that a new home directory gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sealwright.settings.declarations import SECTIONS, declared


def written(value: Any) -> str:
    """`value` as TOML."""
    import tomlkit  # noqa: PLC0415 - only who writes a settings file needs it, and every command reads one

    try:
        return str(tomlkit.item(value).as_string())
    except (TypeError, ValueError):
        return str(value)


def render(given: Mapping[str, Any] | None = None) -> str:
    """A settings file with a comment for every setting; `given` (key → value as in the file) is set, the rest commented out."""
    chosen = dict(given or {})
    lines = ["# Settings of this server. Lines that begin with # show the defaults."]
    section = None
    for each in declared():
        if each.section != section:
            section = each.section
            if section:
                lines += ["", f"# {(SECTIONS[section].__doc__ or '').strip()}", f"[{section}]"]
        value = chosen.pop(each.key, each.default)
        mark = "" if given and each.key in given else "# "
        lines += ([""] if not section else []) + [f"# {each.description}", f"{mark}{each.name} = {written(value)}"]
    if chosen:
        raise KeyError(f"not a setting: {', '.join(chosen)}")
    return "\n".join(lines) + "\n"
