"""Which server to speak to, and which roots to trust for it."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from sealwright.cli.errors import WrongUsage
from sealwright.cli.files import read_bytes, typed_path
from sealwright.cli.saved_sessions import SavedSessions
from sealwright.errors import Refused
from sealwright.settings import Environment, home_directory, read_environment

ROOT_FILE = Path("certs") / "root_ca.crt"
ADDRESSES_FILE = Path("run") / "addresses.json"


class Server(NamedTuple):
    """A server and how it was found."""

    url: str
    """Origin of its listener for people, where the API is."""
    roots_pem: str
    """The roots to trust; empty for those of the operating system."""
    origin: str
    """Where the address comes from, for messages."""
    machines_url: str = ""
    """Origin of the certificate authority, where that is known beforehand."""
    name: str = ""
    """Who signed in there last."""


class _Home(NamedTuple):
    """A home directory on this machine, as far as its public side goes."""

    people: str
    machines: str
    roots_pem: str


def find_server(url: str | None, ca: str | None, environ_variables: Mapping[str, str]) -> Server:
    """The server: by option, environment, last sign-in or home directory, in this order. None of them is wrong usage."""
    found = known_server(url, ca, environ_variables)
    if found is None:
        raise WrongUsage(
            "no server is known.",
            hint="Name one with --url https://HOST:PORT (and --ca FILE for its root), or set SEALWRIGHT_URL and SEALWRIGHT_CA.",
        )
    return found


def given_roots_pem(ca: str | None, environ_variables: Mapping[str, str]) -> str:
    """The roots that the option or the environment names; empty where neither does."""
    return _roots_of(typed_path(ca) if ca else read_environment(environ_variables).ca)


def known_server(url: str | None, ca: str | None, environ_variables: Mapping[str, str]) -> Server | None:
    """The same, or None where no server is known."""
    environment = read_environment(environ_variables)
    saved = SavedSessions(environ_variables)
    given_roots = given_roots_pem(ca, environ_variables)
    given = url or environment.url
    if given:
        origin = "--url" if url else "SEALWRIGHT_URL"
        named = _origin(given, origin)
        last = saved.server(named)
        home = None if given_roots or last else _home(environment)
        found = home if home and home.people == named else None
        roots = given_roots or (last.roots_pem if last else "") or (found.roots_pem if found else "")
        return Server(named, roots, origin, found.machines if found else "", last.name if last else "")
    last = saved.server()
    if last:
        return Server(last.url, given_roots or last.roots_pem, "your last sign-in", name=last.name)
    home = _home(environment)
    if home:
        place = home_directory(None, environment)
        return Server(home.people, given_roots or home.roots_pem, f"the home directory {place}", home.machines)
    return None


def tls_context(roots_pem: str, *, and_system: bool = False) -> ssl.SSLContext:
    """TLS that verifies: against the given roots, or those of the operating system, or with `and_system` against both."""
    try:
        if and_system:
            context = ssl.create_default_context()
            if roots_pem:
                context.load_verify_locations(cadata=roots_pem)
        else:
            context = ssl.create_default_context(cadata=roots_pem or None)
    except ssl.SSLError as cause:
        raise WrongUsage("the file with the roots (--ca) holds no certificate that can be read.") from cause
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _origin(url: str, given_by: str) -> str:
    try:
        origin = read_environment({"SEALWRIGHT_URL": url}).url or ""
    except Refused:
        origin = ""
    if not origin.startswith("https://"):
        raise WrongUsage(f"{given_by} {url} is not an address such as https://id.example.org:8443.")
    return origin


def _roots_of(file: Path | None) -> str:
    if file is None:
        return ""
    text = read_bytes(file).decode("ascii", "replace")
    if "-----BEGIN CERTIFICATE-----" not in text:
        raise WrongUsage(f"{file} holds no certificate.", hint="--ca takes a PEM file with one or more root certificates.")
    return text


def server_at(place: Path, environ_variables: Mapping[str, str]) -> Server:
    """The server whose home directory is at `place`, whether it runs or not. A failure says why there is none."""
    roots = _roots_of(place / ROOT_FILE)
    people, machines = _urls(place, read_environment(environ_variables))
    return Server(people, roots, f"the home directory {place}", machines)


def root_file_here(roots_pem: str, environ_variables: Mapping[str, str]) -> Path | None:
    """The file of this root in the home directory of this machine, where it is there."""
    environment = read_environment(environ_variables)
    found = _home(environment)
    return home_directory(None, environment) / ROOT_FILE if found and found.roots_pem == roots_pem else None


def _home(environment: Environment) -> _Home | None:
    try:
        place = home_directory(None, environment)
    except Refused:  # its place is unknown
        return None
    try:
        roots = (place / ROOT_FILE).read_text(encoding="ascii")
        return _Home(*_urls(place, environment), roots)
    except (OSError, UnicodeDecodeError, Refused):
        return None


def _urls(place: Path, environment: Environment) -> tuple[str, str]:
    """Where people and machines reach the server of a home directory."""
    try:
        running = json.loads((place / ADDRESSES_FILE).read_text(encoding="utf-8"))
        return running["people"], running["machines"]
    except (OSError, ValueError, KeyError, TypeError):
        pass  # not running, or not ours to read: the settings say where it would be
    from sealwright.settings import load

    urls = load(place, environment).urls
    return urls.people, urls.machines
