"""The settings that this server was started with, and where each is decided: read only, for a file decides."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from sealwright.http import Response
from sealwright.identity import SignedIn
from sealwright.settings import Settings, declared
from sealwright.web.console.frame import context_of
from sealwright.web.page_request import PageRequest
from sealwright.web.pages import Pages

SETTINGS_PAGE: Final = "/ui/settings"


class SettingRow(Struct, frozen=True):
    """One setting."""

    key: str
    value: str
    is_default: bool
    about: str


class SettingsPages:
    """Shown to those who administer the whole server. A secret is said to be set, and never shown."""

    def __init__(self, pages: Pages, settings: Settings) -> None:
        self._pages = pages
        self._settings = settings

    async def show(self, page_request: PageRequest, person: SignedIn) -> Response:
        """Every setting by its section, with the file in which it is changed."""
        sections: dict[str, list[SettingRow]] = {}
        for each in declared():
            part = getattr(self._settings, each.section) if each.section else self._settings
            value = getattr(part, each.name)
            is_default = value == each.form(each.default)
            shown = ("set" if value else "not set") if each.secret else _text(value)
            sections.setdefault(each.section or "server", []).append(SettingRow(each.key, shown, is_default, each.description))
        return self._pages.console(
            "settings.html",
            context_of(page_request, person),
            sections=tuple((name, tuple(rows)) for name, rows in sections.items()),
            file=str(self._settings.home / "settings.toml"),
        )


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list | frozenset) and not hasattr(value, "_fields"):
        return ", ".join(map(str, value)) or "none"
    return "none" if value in (None, "") else str(value)
