"""What can be set, where it is read from, and the only place that reads the environment.

Every setting is declared once (`declarations`): the settings file that `init` writes and the reference page are made from the
same declarations. What is unknown or cannot be used is refused by name, value, file and line. Never opens a database, never
holds a secret other than the key-encryption key that the environment may give.
"""

from __future__ import annotations

from sealwright.settings.declarations import (
    DEFAULT_HOME,
    SECTIONS,
    Declared,
    Listen,
    LogSettings,
    OAuthSettings,
    OutboundSettings,
    SessionSettings,
    Settings,
    Tls,
    Urls,
    declared,
)
from sealwright.settings.environment import ENVIRONMENT, Environment, read_environment
from sealwright.settings.errors import SettingsRefused
from sealwright.settings.forms import Address, Network
from sealwright.settings.load import FILE_NAME, home_directory, line_of, load, parse
from sealwright.settings.write import render

__all__ = [
    "DEFAULT_HOME",
    "ENVIRONMENT",
    "FILE_NAME",
    "SECTIONS",
    "Address",
    "Declared",
    "Environment",
    "Listen",
    "LogSettings",
    "Network",
    "OAuthSettings",
    "OutboundSettings",
    "SessionSettings",
    "Settings",
    "SettingsRefused",
    "Tls",
    "Urls",
    "declared",
    "home_directory",
    "line_of",
    "load",
    "parse",
    "read_environment",
    "render",
]
