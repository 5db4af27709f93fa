"""What the commands on a server's own machine call, and what they are given back; the program hands the functions in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol


class InitOptions(NamedTuple):
    """What `init` was asked for. What was not said is None, or not there."""

    home: Path
    settings: Mapping[str, object]
    """What was said of settings."""
    provisioner: str | None
    provisioner_password: str | None
    defaults: str | None
    """What the client and the provisioner of `certificate issue` are called, where they are wanted."""


class NewServer(Protocol):
    """What `init` made."""

    @property
    def home(self) -> Path: ...
    @property
    def settings_file(self) -> Path: ...
    @property
    def root_name(self) -> str: ...
    @property
    def root_key(self) -> str:
        """In words: ``EC P-256``."""
        ...

    @property
    def root_until(self) -> datetime: ...
    @property
    def root_fingerprint(self) -> str:
        """SHA-256 of the root's DER in lower-case hexadecimal."""
        ...

    @property
    def issuing_name(self) -> str: ...
    @property
    def issuing_until(self) -> datetime: ...
    @property
    def machines_url(self) -> str: ...
    @property
    def provisioner(self) -> str | None:
        """Name of the first provisioner, where one was made."""
        ...

    @property
    def sign_in(self) -> str | None:
        """Name of the client and the provisioner of `certificate issue`, where they were made."""
        ...


class ServingServer(Protocol):
    """What serves, as soon as it does."""

    @property
    def home(self) -> Path: ...
    @property
    def database(self) -> str:
        """In words: ``SQLite``."""
        ...

    @property
    def workers(self) -> int: ...
    @property
    def urls(self) -> Mapping[str, str]:
        """Listener → where clients reach it."""
        ...

    @property
    def welcome(self) -> str | None:
        """The link that makes the first administrator, where there is none yet."""
        ...

    @property
    def welcome_until(self) -> datetime | None:
        """When the link ends."""
        ...


class CheckResult(Protocol):
    """One thing that `doctor` looked at."""

    @property
    def subject(self) -> str:
        """What was looked at: ``settings``, ``database``, …"""
        ...

    @property
    def ok(self) -> bool: ...
    @property
    def detail(self) -> str: ...
    @property
    def hint(self) -> str: ...


class NewIssuer(Protocol):
    """An issuing CA that was made."""

    @property
    def name(self) -> str: ...
    @property
    def until(self) -> datetime: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def file(self) -> Path: ...


class BackupSummary(Protocol):
    """What is in a backup."""

    @property
    def file(self) -> Path: ...
    @property
    def made(self) -> str:
        """When, in RFC 3339."""
        ...

    @property
    def version(self) -> str: ...
    @property
    def schema(self) -> str: ...
    @property
    def server(self) -> str: ...
    @property
    def rows(self) -> int: ...
    @property
    def size(self) -> int:
        """In bytes."""
        ...

    @property
    def has_key(self) -> bool: ...
    @property
    def key_file(self) -> Path | None: ...


class VerifiedRecord(NamedTuple):
    """What was found of an audit record that is in order."""

    rows: int
    chains: int
    checkpoints: int
    signed_at: str | None
    """When the newest checkpoint was signed, in RFC 3339."""
    unsigned_rows: int
    purged_chains: int


class ServerSide(NamedTuple):
    """The functions behind these commands."""

    init: Callable[[InitOptions], NewServer]
    """Make a home directory."""
    serve: Callable[[Path, Callable[[ServingServer], None]], None]
    """Serve until a signal stops it; prints one line once it serves."""
    doctor: Callable[[Path], Sequence[CheckResult]]
    """Check a home directory."""
    recover_account: Callable[[Path, str, str | None, bool], tuple[str, int]]
    """Set a password, made up where none is given, and with True end certificates; returns it, and how many ended."""
    set_break_glass_password: Callable[[Path, str | None], str]
    """Set the break-glass password, made up where none is given; returns it."""
    remove_break_glass_password: Callable[[Path], bool]
    """Remove it; false where there was none."""
    recover_approval: Callable[[Path, str], None]
    """Remove the approval rule of something."""
    export_root_key: Callable[[Path, Path], Path]
    """Move the root's private key out of the home directory; returns the file."""
    rotate_issuer: Callable[[Path, Path | None], NewIssuer]
    """Make another issuing CA, with the root's key of a file where one is named."""
    create_backup: Callable[[Path, Path, bool], BackupSummary]
    """Write a backup of a home directory to a file or into a directory, with the key-encryption key or without."""
    check_backup: Callable[[Path], BackupSummary]
    """Read a whole backup."""
    restore_backup: Callable[[Path, Path, Path | None], BackupSummary]
    """Make a home directory of a backup, with the key-encryption key of a file where one is named."""
    verify_record: Callable[[Path, Path], VerifiedRecord]
    """Check an exported audit record with the public keys of a file."""
