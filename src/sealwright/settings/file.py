"""Read the settings file; the environment overrides it."""

from __future__ import annotations

import dataclasses
import difflib
import os
import re
import ssl
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sealwright.clock import format_duration
from sealwright.hosts import is_this_machine
from sealwright.secret_files import read_secret_line
from sealwright.settings.declarations import SECTIONS, Declared, Settings, Urls, declared
from sealwright.settings.environment import Environment, home_directory, read_environment
from sealwright.settings.errors import SEE_ALL, SettingsRefused, shown
from sealwright.settings.forms import IN_MEMORY, UNPROTECTED, Address
from sealwright.settings.write import written

FILE_NAME = "settings.toml"
DATABASE_FILE = "sealwright.db"
MEMORY = "run/memory"
"""In a home directory: the way to a database in memory, while a server runs on it."""
_HEADER = re.compile(r"\s*+\[\[?([^\[\]]++)\]")
_NAME = re.compile(r"([A-Za-z0-9_.\"'\s-]++)=")


def load(home: str | Path | None = None, environment: Environment | None = None) -> Settings:
    """Settings of the server that lives in `home`, with the environment's overrides. Raises SettingsRefused."""
    environment = read_environment() if environment is None else environment
    place = home_directory(home, environment)
    file = place / FILE_NAME
    try:
        text = _text_of(file)
    except FileNotFoundError:
        raise SettingsRefused(
            FILE_NAME, "", f"is missing in {place}", hint="Make a home directory with: sealwright init, or name one with --dir."
        ) from None
    except OSError as cause:
        hint = "Make it a file that the user may read as whom the server runs."
        raise SettingsRefused("the file", "", f"cannot be read: {cause.strerror}", file=file, hint=hint) from cause
    given = parse(text, file)
    settings = _complete(given, place, environment)
    for section in ("outbound", "mail"):
        named, path = getattr(given, section).ca_file, getattr(settings, section).ca_file
        if path is not None and (problem := _no_roots(path)):
            raise _refusal(f"{section}.ca_file", named.as_posix(), problem, text, file)
    _check_mail(settings, text, file, environment)
    return settings


def _text_of(file: Path) -> str:
    content = file.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        line = content.count(b"\n", 0, cause.start) + 1
        raise SettingsRefused("the file", "", "is not text in UTF-8", file=file, line=line, hint="Save it as UTF-8.") from cause


def _no_roots(file: Path) -> str:
    """Why `file` has no roots to trust, as the end of a sentence; empty where it has."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        file.open("rb").close()
        context.load_verify_locations(cafile=file)
    except ssl.SSLError:
        return "is not a file of certificates in PEM"
    except OSError as cause:
        return f"cannot be read: {cause.strerror}"
    return "" if context.cert_store_stats()["x509"] else "is not a file of certificates in PEM"


def parse(text: str, file: Path) -> Settings:
    """The settings that a file's `text` holds, before the environment and the home directory are looked at."""
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as cause:
        line, problem = _fault_of(text, cause)
        raise SettingsRefused("the file", "", problem, file=file, line=line) from cause
    sections: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    sections[""] = {name: value for name, value in document.items() if name not in SECTIONS}
    for section in SECTIONS:
        if section in document:
            if not isinstance(document[section], dict):
                raise _refusal(section, document[section], f"is a section; write [{section}] above its settings", text, file)
            sections[section] = document[section]
    typed: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    known = {each.key: each for each in declared()}
    for section, members in sections.items():
        for name, value in members.items():
            key = f"{section}.{name}" if section else name
            if key not in known:
                raise _refusal(key, value, "is not a setting", text, file, hint=_nearest(key, known))
            try:
                typed[section][name] = known[key].form(value)
            except ValueError as cause:
                raise _refusal(key, None if known[key].secret else value, str(cause), text, file) from None
    parts = {section: shape(**typed[section]) for section, shape in SECTIONS.items() if section}
    settings = Settings(**typed[""], **parts)
    _check_together(settings, text, file)
    return settings


def _fault_of(text: str, cause: Exception) -> tuple[int, str]:
    """The line at which `text` stops being TOML, and why: a setting or section that was there before, or what the reader says."""
    if isinstance(cause, RecursionError):
        return 1, "is nested too deeply"
    lines = text.splitlines()
    sound, document = _sound_beginning(lines)
    section = ""
    for line in lines[:sound]:
        if header := _HEADER.match(line):
            section = _plain(header[1])
    following = lines[sound] if sound < len(lines) else ""
    if (header := _HEADER.match(following)) and _holds(document, _plain(header[1])):
        return sound + 1, f"has [{_plain(header[1])}] twice"
    if (name := _NAME.match(following)) and _holds(document, f"{section}.{_plain(name[1])}".removeprefix(".")):
        return sound + 1, f"sets {_plain(name[1])} twice"
    return sound + 1, f"is not TOML: {cause}"


def _sound_beginning(lines: list[str]) -> tuple[int, dict[str, Any]]:
    """How many lines from the first on are TOML, and what they hold."""
    for count in range(len(lines), 0, -1):
        try:
            return count, tomllib.loads("\n".join(lines[:count]))
        except (ValueError, RecursionError):
            continue
    return 0, {}


def _holds(document: Any, path: str) -> bool:
    for name in path.split("."):
        if not isinstance(document, dict) or name not in document:
            return False
        document = document[name]
    return True


def _check_together(settings: Settings, text: str, file: Path) -> None:
    if (settings.tls.certificate is None) != (settings.tls.key is None):
        given = "certificate" if settings.tls.key is None else "key"
        missing = "key" if given == "certificate" else "certificate"
        raise _refusal(f"tls.{given}", getattr(settings.tls, given).as_posix(), f"needs tls.{missing} beside it", text, file)
    taken: dict[Address, str] = {}
    for listener in ("people", "machines", "status"):
        address = getattr(settings.listen, listener)
        if address in taken:
            raise _refusal(f"listen.{listener}", str(address), f"is the address of listen.{taken[address]} too", text, file)
        taken[address] = listener
    if not settings.dns_names:
        raise _refusal("dns_names", [], "must name at least one host", text, file)
    if settings.sessions.idle > settings.sessions.absolute:
        value = format_duration(settings.sessions.idle)
        limit = format_duration(settings.sessions.absolute)
        raise _refusal("sessions.idle", value, f"must not be longer than sessions.absolute ({limit})", text, file)


def _check_mail(settings: Settings, text: str, file: Path, environment: Environment) -> None:
    """What the settings of mail ask of each other, and of the password's file."""
    mail = settings.mail
    if not mail.host:
        if mail.from_address or mail.username:
            key = "from_address" if mail.from_address else "username"
            raise _refusal(f"mail.{key}", getattr(mail, key), "needs mail.host beside it", text, file)
        return
    if not mail.from_address:
        raise _refusal("mail.host", mail.host, "needs mail.from_address beside it", text, file)
    nearby = is_this_machine(mail.host)
    if mail.tls == "none" and not nearby:
        problem = f"would let anyone on the way to {mail.host} read the links"
        hint = f'Use starttls or implicit. If that cannot be: tls = "{UNPROTECTED}".'
        raise _refusal("mail.tls", mail.tls, problem, text, file, hint=hint)
    if mail.username and mail.tls == UNPROTECTED and not nearby:
        raise _refusal("mail.username", mail.username, "would send its password without TLS", text, file)
    if bool(mail.username) != (mail.password_file is not None):
        given, missing = ("username", "password_file") if mail.username else ("password_file", "username")
        raise _refusal(f"mail.{given}", str(getattr(mail, given)), f"needs mail.{missing} beside it", text, file)
    if mail.password_file is not None:
        _check_mail_password(mail.password_file, text, file, environment)


def _check_mail_password(path: Path, text: str, file: Path, environment: Environment) -> None:
    try:
        password = read_secret_line(path)
    except ValueError as cause:
        problem = str(cause)
    else:
        problem = "" if password.isascii() else "holds a letter that is not ASCII, which SMTP servers do not read alike"
    if problem and environment.mail_password_file is not None:
        raise SettingsRefused("SEALWRIGHT_MAIL_PASSWORD_FILE", path.as_posix(), problem)
    if problem:
        raise _refusal("mail.password_file", path.as_posix(), problem, text, file)


def _complete(settings: Settings, home: Path, environment: Environment) -> Settings:
    """Fill in what follows from other settings, the home directory and the environment."""
    main = settings.dns_names[0]

    def url(given: str, scheme: str, address: Address) -> str:
        usual = address.port == (443 if scheme == "https" else 80)
        return given or f"{scheme}://{f'[{main}]' if ':' in main else main}{'' if usual else f':{address.port}'}"

    listen = settings.listen
    urls = Urls(
        people=url(settings.urls.people, "https", listen.people),
        machines=url(settings.urls.machines, "https", listen.machines),
        status=url(settings.urls.status, "http", listen.status),
    )

    def within(path: Path | None) -> Path | None:
        return None if path is None else home / path

    return dataclasses.replace(
        settings,
        home=home,
        key=environment.key,
        domain=settings.domain or main,
        database_url=_database(environment.database_url or settings.database_url or f"sqlite:///{DATABASE_FILE}", home),
        workers=settings.workers or len(os.sched_getaffinity(0)),
        urls=urls,
        tls=dataclasses.replace(settings.tls, certificate=within(settings.tls.certificate), key=within(settings.tls.key)),
        outbound=dataclasses.replace(settings.outbound, ca_file=within(settings.outbound.ca_file)),
        mail=dataclasses.replace(
            settings.mail,
            ca_file=within(settings.mail.ca_file),
            password_file=within(environment.mail_password_file or settings.mail.password_file),
        ),
        bootstrap_token=environment.bootstrap_token or "",
        bootstrap=dataclasses.replace(
            settings.bootstrap,
            admin_groups=environment.bootstrap_admin_groups or settings.bootstrap.admin_groups,
            oidc_provider_id=environment.bootstrap_oidc_provider_id or settings.bootstrap.oidc_provider_id,
        ),
        break_glass=dataclasses.replace(
            settings.break_glass,
            enabled=settings.break_glass.enabled if environment.break_glass_enabled is None else environment.break_glass_enabled,
        ),
        log=dataclasses.replace(settings.log, level=environment.log_level or settings.log.level),
    )


def _database(url: str, home: Path) -> str:
    """A SQLite file that is not named from the root on lies in the home directory."""
    if url == IN_MEMORY:
        url = f"sqlite:///{MEMORY}/{DATABASE_FILE}"
    scheme, separator, path = url.partition("sqlite:///")
    return f"{separator}{home / path}" if separator and not scheme else url


def _refusal(key: str, value: Any, problem: str, text: str, file: Path, *, hint: str = "") -> SettingsRefused:
    given = "" if value is None or isinstance(value, dict) else shown(written(value))
    return SettingsRefused(key, given, problem, file=file, line=_line_of(key, text), hint=hint)


def _nearest(key: str, known: Mapping[str, Declared]) -> str:
    close = difflib.get_close_matches(key, [*known, *filter(None, SECTIONS)], n=1, cutoff=0.6) or [
        each for each in known if each.rpartition(".")[2] == key.rpartition(".")[2]
    ]
    return f"Perhaps {close[0]} was meant." if close else SEE_ALL


def line_of(key: str, file: Path) -> int:
    """The line of `file` that sets `key`, or its section's; 0 where neither is there."""
    return _line_of(key, _text_of(file))


def _line_of(key: str, text: str) -> int:
    """The line that sets `key`: as ``name =`` below its section's header, dotted, or in an inline table; else the header's."""
    section, header_line, open_quote, best = "", 0, "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if open_quote:
            open_quote = "" if line.count(open_quote) % 2 else open_quote
            continue
        header = _HEADER.match(line)
        if header:
            section, header_line = _plain(header[1]), number
            best = number if not best and section == key.partition(".")[0] else best
            if section == key:
                return header_line
            continue
        name = _NAME.match(line)
        if name:
            path = _plain(name[1])
            full = f"{section}.{path}" if section else path
            if full == key:
                return number
            best = number if key.startswith(f"{full}.") else best
        open_quote = next((quote for quote in ('"""', "'''") if line.count(quote) % 2), "")
    return best


def _plain(name: str) -> str:
    """A name, dotted or not, without quotes and spaces."""
    return re.sub(r"[\"'\s]", "", name)
