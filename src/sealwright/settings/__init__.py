"""The settings, where they are read from, and the only place that reads the environment.

Every setting is declared once (`declarations`): the settings file that `init` writes and the reference page are made from the
same declarations. What is unknown or cannot be used is refused by name, value, file and line. Never opens a database, never
holds a secret other than the key-encryption key that the environment may give.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from sealwright.settings.environment import DEFAULT_HOME, ENVIRONMENT, Environment, home_directory, read_environment
from sealwright.settings.errors import SettingsRefused
from sealwright.settings.forms import Address, Network, Rate
from sealwright.settings.paths import expanded

if TYPE_CHECKING:
    from sealwright.settings.declarations import (
        SECTIONS,
        AccountSettings,
        AssistantSettings,
        BootstrapSettings,
        BreakGlassSettings,
        BudgetSettings,
        Declared,
        Listen,
        LogSettings,
        MailSettings,
        OAuthSettings,
        OutboundSettings,
        SessionSettings,
        Settings,
        Tls,
        TraceSettings,
        Urls,
        declared,
    )
    from sealwright.settings.file import DATABASE_FILE, FILE_NAME, MEMORY, line_of, load, parse
    from sealwright.settings.write import render
else:

    def __getattr__(name: str) -> object:
        """Load what reads a settings file when it is first asked for: a command that speaks to a server reads none."""
        for part in ("declarations", "file", "write") if name in __all__ else ():
            module = import_module(f"{__name__}.{part}")
            if hasattr(module, name):
                return getattr(module, name)
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)


__all__ = [
    "DATABASE_FILE",
    "DEFAULT_HOME",
    "ENVIRONMENT",
    "FILE_NAME",
    "MEMORY",
    "SECTIONS",
    "AccountSettings",
    "Address",
    "AssistantSettings",
    "BootstrapSettings",
    "BreakGlassSettings",
    "BudgetSettings",
    "Declared",
    "Environment",
    "Listen",
    "LogSettings",
    "MailSettings",
    "Network",
    "OAuthSettings",
    "OutboundSettings",
    "Rate",
    "SessionSettings",
    "Settings",
    "SettingsRefused",
    "Tls",
    "TraceSettings",
    "Urls",
    "declared",
    "expanded",
    "home_directory",
    "line_of",
    "load",
    "parse",
    "read_environment",
    "render",
]
