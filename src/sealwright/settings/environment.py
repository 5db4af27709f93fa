"""The only place that reads the environment."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from sealwright.settings.errors import SettingsRefused, shown
from sealwright.settings.forms import read_database, read_file, read_level, read_origin
from sealwright.settings.paths import expanded

T = TypeVar("T")

KEY_LENGTH = 32
DEFAULT_HOME = Path("~/.local/share/sealwright")

ENVIRONMENT: Mapping[str, str] = {
    "SEALWRIGHT_HOME": "The home directory, when --dir is not given.",
    "SEALWRIGHT_DATABASE_URL": "Takes the place of database_url.",
    "SEALWRIGHT_KEY": "The key-encryption key: 32 bytes in base64. Takes the place of secrets/key-encryption.key.",
    "SEALWRIGHT_MAIL_PASSWORD_FILE": "Takes the place of mail.password_file.",
    "SEALWRIGHT_LOG_LEVEL": "Takes the place of log.level.",
    "SEALWRIGHT_URL": "The server that the commands speak to, when --url is not given.",
    "SEALWRIGHT_CA": "PEM file with the roots that the commands trust, when --ca is not given.",
    "SEALWRIGHT_API_KEY": "An API key that the commands show in place of a sign-in, when --name is not given.",
    "NOTIFY_SOCKET": "Where systemd wants to hear how the server is; set by systemd.",
    "WATCHDOG_USEC": "How often systemd wants a sign of life, in microseconds; set by systemd.",
}
"""Variable → what it does."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What the environment says. An empty variable counts as not given."""

    home: Path | None = None
    database_url: str | None = None
    key: bytes | None = field(default=None, repr=False)
    mail_password_file: Path | None = None
    log_level: str | None = None
    url: str | None = None
    ca: Path | None = None
    api_key: str | None = field(default=None, repr=False)
    notify_socket: str | None = None
    watchdog: timedelta | None = None


def read_environment(variables: Mapping[str, str] | None = None) -> Environment:
    """Read the variables of `ENVIRONMENT`; what cannot be used raises SettingsRefused naming the variable."""
    given = {name: value for name, value in (os.environ if variables is None else variables).items() if value}

    def read(name: str, form: Callable[[Any], T]) -> T | None:
        if name not in given:
            return None
        try:
            return form(given[name])
        except ValueError as cause:
            value = "" if name in ("SEALWRIGHT_KEY", "SEALWRIGHT_DATABASE_URL") else shown(given[name])
            raise SettingsRefused(name, value, str(cause)) from None

    return Environment(
        home=read("SEALWRIGHT_HOME", read_file),
        database_url=read("SEALWRIGHT_DATABASE_URL", read_database),
        key=read("SEALWRIGHT_KEY", _key),
        mail_password_file=read("SEALWRIGHT_MAIL_PASSWORD_FILE", read_file),
        log_level=read("SEALWRIGHT_LOG_LEVEL", read_level),
        url=read("SEALWRIGHT_URL", read_origin),
        ca=read("SEALWRIGHT_CA", read_file),
        api_key=given.get("SEALWRIGHT_API_KEY"),
        notify_socket=given.get("NOTIFY_SOCKET"),
        watchdog=read("WATCHDOG_USEC", _microseconds),
    )


def home_directory(given: str | Path | None, environment: Environment) -> Path:
    """The home directory: as given, else of the environment, else the default."""
    try:
        return expanded(given or environment.home or DEFAULT_HOME).absolute()
    except ValueError as cause:
        hint = "Name the directory with --dir or SEALWRIGHT_HOME, or set HOME."
        raise SettingsRefused("the home directory", "", str(cause), hint=hint) from None


def _microseconds(value: Any) -> timedelta:
    if not value.isascii() or not value.isdigit() or len(value) > 15:  # noqa: PLR2004 - thirty years
        raise ValueError("must be a number of microseconds")
    return timedelta(microseconds=int(value))


def _key(value: Any) -> bytes:
    try:
        key = base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_LENGTH:
        raise ValueError("must be 32 bytes in base64")
    return key
