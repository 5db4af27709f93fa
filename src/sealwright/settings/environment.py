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
from sealwright.settings.forms import read_ascii, read_database, read_file, read_level, read_origin
from sealwright.settings.paths import expanded

T = TypeVar("T")

KEY_LENGTH = 32
DEFAULT_HOME = Path("~/.local/share/sealwright")

ENVIRONMENT: Mapping[str, str] = {
    "SEALWRIGHT_HOME": "The home directory, when --dir is not given.",
    "SEALWRIGHT_DATABASE_URL": "Takes the place of database_url.",
    "SEALWRIGHT_KEY": "The key-encryption key: 32 bytes in base64. Takes the place of secrets/key-encryption.key.",
    "SEALWRIGHT_MAIL_PASSWORD_FILE": "Takes the place of mail.password_file.",
    "SEALWRIGHT_BOOTSTRAP_TOKEN": "At least 32 characters that make the first administrator, once: POST /api/v1/auth/bootstrap.",
    "SEALWRIGHT_BOOTSTRAP_ADMIN_GROUPS": "Takes the place of bootstrap.admin_groups, with commas between the groups.",
    "SEALWRIGHT_BOOTSTRAP_OIDC_PROVIDER_ID": "Takes the place of bootstrap.oidc_provider_id.",
    "SEALWRIGHT_BREAK_GLASS_ENABLED": "Takes the place of break_glass.enabled: true or false.",
    "SEALWRIGHT_LOG_LEVEL": "Takes the place of log.level.",
    "SEALWRIGHT_URL": "The server that the commands speak to, when --url is not given.",
    "SEALWRIGHT_CA": "PEM file with the roots that the commands trust, when --ca is not given.",
    "SEALWRIGHT_API_KEY": "An API key that the commands show in place of a sign-in, when --name is not given.",
    "NOTIFY_SOCKET": "Where systemd wants to hear how the server is; set by systemd.",
    "WATCHDOG_USEC": "How often systemd wants a sign of life, in microseconds; set by systemd.",
}
"""Variable → what it does."""
ALIASES: Mapping[str, str] = {
    "CERTCTL_BOOTSTRAP_TOKEN": "SEALWRIGHT_BOOTSTRAP_TOKEN",
    "CERTCTL_BOOTSTRAP_ADMIN_GROUPS": "SEALWRIGHT_BOOTSTRAP_ADMIN_GROUPS",
    "CERTCTL_BOOTSTRAP_OIDC_PROVIDER_ID": "SEALWRIGHT_BOOTSTRAP_OIDC_PROVIDER_ID",
    "CERTCTL_BREAKGLASS_ENABLED": "SEALWRIGHT_BREAK_GLASS_ENABLED",
}
"""Names of another control plane, whose guides people follow → ours, which counts where both are given."""
SHORTEST_TOKEN = 32


@dataclass(frozen=True, slots=True)
class Environment:
    """What the environment says. An empty variable counts as not given."""

    home: Path | None = None
    database_url: str | None = None
    key: bytes | None = field(default=None, repr=False)
    mail_password_file: Path | None = None
    log_level: str | None = None
    bootstrap_token: str | None = field(default=None, repr=False)
    bootstrap_admin_groups: tuple[str, ...] | None = None
    bootstrap_oidc_provider_id: str | None = None
    break_glass_enabled: bool | None = None
    url: str | None = None
    ca: Path | None = None
    api_key: str | None = field(default=None, repr=False)
    notify_socket: str | None = None
    watchdog: timedelta | None = None


def read_environment(variables: Mapping[str, str] | None = None) -> Environment:
    """Read the variables of `ENVIRONMENT`; what cannot be used raises SettingsRefused naming the variable."""
    given = {name: value for name, value in (os.environ if variables is None else variables).items() if value}
    given = {ours: given[alias] for alias, ours in ALIASES.items() if alias in given} | given

    def read(name: str, form: Callable[[Any], T]) -> T | None:
        if name not in given:
            return None
        try:
            return form(given[name])
        except ValueError as cause:
            value = "" if name in _SECRET else shown(given[name])
            raise SettingsRefused(name, value, str(cause)) from None

    return Environment(
        home=read("SEALWRIGHT_HOME", read_file),
        database_url=read("SEALWRIGHT_DATABASE_URL", read_database),
        key=read("SEALWRIGHT_KEY", _key),
        mail_password_file=read("SEALWRIGHT_MAIL_PASSWORD_FILE", read_file),
        log_level=read("SEALWRIGHT_LOG_LEVEL", read_level),
        bootstrap_token=read("SEALWRIGHT_BOOTSTRAP_TOKEN", _token),
        bootstrap_admin_groups=read("SEALWRIGHT_BOOTSTRAP_ADMIN_GROUPS", _groups),
        bootstrap_oidc_provider_id=read("SEALWRIGHT_BOOTSTRAP_OIDC_PROVIDER_ID", read_ascii),
        break_glass_enabled=read("SEALWRIGHT_BREAK_GLASS_ENABLED", _flag),
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


_SECRET = frozenset({"SEALWRIGHT_KEY", "SEALWRIGHT_DATABASE_URL", "SEALWRIGHT_BOOTSTRAP_TOKEN"})
"""Their values are in no message."""


def _token(value: Any) -> str:
    text = str(value).strip()
    if len(text) < SHORTEST_TOKEN:
        raise ValueError(f"must have at least {SHORTEST_TOKEN} characters")
    return text


def _groups(value: Any) -> tuple[str, ...]:
    return tuple(filter(None, (each.strip() for each in value.split(","))))


def _flag(value: Any) -> bool:
    text = str(value).strip().lower()
    if text not in ("true", "false"):
        raise ValueError("must be true or false")
    return text == "true"


def _key(value: Any) -> bytes:
    try:
        key = base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_LENGTH:
        raise ValueError("must be 32 bytes in base64")
    return key
