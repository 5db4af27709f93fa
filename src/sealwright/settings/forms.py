"""Forms of values: each turns what TOML or the environment holds into a typed value.

What does not fit raises ValueError with the end of the sentence "<key> = <value> …".
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from sealwright.clock import parse_duration
from sealwright.hosts import HostRefused, address_of, canonical_host_or_address, canonical_mail
from sealwright.settings.paths import expanded

T = TypeVar("T")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

HIGHEST_PORT = 65_535
MOST_WORKERS = 256
LONGEST_CONTACT = 200
LONGEST_NAME = 40
_LONGEST_COUNT = 10
IN_MEMORY = "sqlite://"
"""The URL of a database in memory, which ends with the server."""
TRANSACTION_POOLING = "transaction"
"""What the parameter ``pgbouncer`` of a database URL says where each transaction may get another connection."""
UNPROTECTED = "none-and-links-can-be-read-on-the-way"
"""What `mail.tls` says where links, each of which is worth a password, are to be sent over a network without protection."""
MAIL_TLS = ("starttls", "implicit", "none", UNPROTECTED)
LEVELS = ("debug", "info", "warning", "error")

_DATABASE_HOST = re.compile(r"(?:/.*|\[[^\[\]@]+\]|[^\[\]:@/]*)(?::(.*))?", re.DOTALL)


class Address(NamedTuple):
    """Where to listen: a host name or IP address, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Rate(NamedTuple):
    """At most `most` in each period of `every`."""

    most: int
    every: timedelta


def read_text(value: Any) -> str:
    """One line of text."""
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError("must be a text in quotes, on one line")
    return value


def read_ascii(value: Any) -> str:
    """One line of text without other letters than those of ASCII."""
    if not read_text(value).isascii():
        raise ValueError("must be ASCII")
    return str(value)


def read_address(value: Any) -> Address:
    """HOST:PORT, with brackets around an IPv6 address."""
    host, _, port = read_text(value).rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if ":" in host and not bracketed:
        raise ValueError("must be HOST:PORT with brackets around an IPv6 address, such as [::1]:8443")
    host = host[1:-1] if bracketed else host
    if not _is_port(port):
        raise ValueError("must be HOST:PORT with a port from 1 to 65535")
    return Address(host.lower() if address_of(host) else _host(host), int(port))  # 0.0.0.0 is where to listen, and no name


def _host(text: str) -> str:
    """A host name or address by which clients reach the server, so that it can stand in the server's certificate."""
    try:
        return canonical_host_or_address(text)
    except HostRefused as cause:
        raise ValueError(str(cause)) from cause


def read_host(value: Any) -> str:
    """A host name or an IP address, in lower case."""
    return _host(read_text(value))


def read_domain(value: Any) -> str:
    """A host name; empty text stays empty."""
    return "" if value == "" else read_host(value)


def read_name(value: Any) -> str:
    """What something is called, in 1 to 40 characters: words follow it in the common name of a certificate."""
    if not 1 <= len(read_text(value).strip()) <= LONGEST_NAME:
        raise ValueError(f"must have 1 to {LONGEST_NAME} characters")
    return str(value).strip()


def read_contact(value: Any) -> str:
    """Whom to ask, in one line of at most 200 characters; empty text stays empty."""
    text = read_text(value).strip()
    if len(text) > LONGEST_CONTACT or not text.isprintable():
        raise ValueError(f"must be one line of at most {LONGEST_CONTACT} characters")
    return text


def read_origin(value: Any) -> str:
    """The scheme, host and port of a public address, such as https://id.example.org; empty text stays empty."""
    text = read_text(value).removesuffix("/")
    if not text:
        return ""
    parts = urlsplit(text)
    try:
        plain = parts.scheme in ("http", "https") and parts.hostname is not None and parts.port != 0
    except ValueError:
        plain = False
    if not plain or text != f"{parts.scheme}://{parts.netloc}" or "@" in parts.netloc:
        raise ValueError("must be a scheme and a host, such as https://id.example.org, without a path")
    _host(parts.hostname or "")
    return text.lower()


def read_https_origin(value: Any) -> str:
    """The host and port of a public https address, such as https://id.example.org; empty text stays empty."""
    origin = read_origin(value)
    if origin.startswith("http:"):
        raise ValueError("must begin with https://, also where a proxy ends TLS: it is what clients see")
    return origin


def read_database(value: Any) -> str:
    """The URL of a SQLite file or a PostgreSQL database, or sqlite:// for memory; empty text stays empty."""
    text = read_text(value)
    if text.startswith("postgres://"):
        text = text.replace("postgres://", "postgresql://", 1)
    if text.startswith("postgresql://"):
        _check_postgresql(text)
    elif text == "sqlite:///":
        raise ValueError("names no file: it must be sqlite:///FILE")
    elif text not in ("", IN_MEMORY) and not text.startswith("sqlite:///"):
        raise ValueError("must begin with sqlite:/// or postgresql://, or be sqlite:// alone")
    return text


def _check_postgresql(url: str) -> None:
    """Read hosts and ports as the driver does. No part is repeated in a message: what is misplaced may be a password."""
    percent = "; in a user name or password, signs such as @ : / ? # must be percent-encoded"
    try:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True)) if parts.query else {}
    except ValueError:
        raise ValueError(f"must be postgresql://USER:PASSWORD@HOST:PORT/NAME{percent}") from None
    if query.get("pgbouncer", TRANSACTION_POOLING) != TRANSACTION_POOLING:
        raise ValueError(f"has the parameter pgbouncer, which must be {TRANSACTION_POOLING} or left out")
    hosts = parts.netloc.partition("@")[2] if "@" in parts.netloc else parts.netloc
    ports = query.get("port", "").split(",")
    for each in [place for places in (hosts, query.get("host")) if places for place in places.split(",")]:
        read = _DATABASE_HOST.fullmatch(each)
        if read is None or not each:
            raise ValueError(f"names a host that cannot be read{percent}")
        ports.append(unquote(read[1] or ""))
    if any(port and not _is_port(port) for port in ports):
        raise ValueError(f"names a port that is not a number from 1 to {HIGHEST_PORT}{percent}")


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= HIGHEST_PORT


def read_collector(value: Any) -> str:
    """An address of http:// or https://, with the path that OTLP has by default where it gives none; empty text stays empty."""
    text = read_text(value).strip()
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) <= HIGHEST_PORT
        sound = sound and not ("@" in parts.netloc or parts.fragment or parts.query)
    except ValueError:
        sound = False
    if not sound or not text.isascii() or not text.isprintable():
        raise ValueError("must be an address such as http://localhost:4318, without user name, query and fragment")
    return text if parts.path not in ("", "/") else f"{text.rstrip('/')}/v1/traces"


def read_share(value: Any) -> float:
    """A number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("must be a number from 0 to 1, such as 0.05")
    return float(value)


def read_duration(value: Any) -> timedelta:
    """A duration of at least a second, such as 30d, 8h or 1h30m."""
    try:
        duration = parse_duration(read_text(value))
    except ValueError as cause:
        raise ValueError("must be a duration in quotes, such as 30d, 8h or 1h30m") from cause
    if duration < timedelta(seconds=1):
        raise ValueError("must be at least 1s")
    return duration


def read_duration_or_zero(value: Any) -> timedelta:
    """A duration of at least a second, such as 30d, 8h or 1h30m, or 0s."""
    return timedelta() if value == "0s" else read_duration(value)


def read_workers(value: Any) -> int:
    """A number of processes, from 0 to 256."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_WORKERS:
        raise ValueError("must be a whole number from 0 to 256")
    return value


def read_flag(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004 - a ValueError is the contract of a form
    return value


def read_file(value: Any) -> Path | None:
    """A path; empty text is none."""
    return expanded(read_text(value)) if value != "" else None


CERTIFICATE_HEADERS = (
    "Client-Cert",
    "X-Forwarded-Client-Cert",
    "X-SSL-Cert",
    "X-SSL-Client-Cert",
    "SSL-Client-Cert",
    "X-Amzn-Mtls-Clientcert-Leaf",
)


def read_level(value: Any) -> str:
    """A kind of log line: debug, info, warning or error."""
    if value not in LEVELS:
        raise ValueError(f"must be one of {', '.join(LEVELS)}")
    return str(value)


def read_certificate_header(value: Any) -> str:
    """The name of a header in which proxies tell of client certificates."""
    known = {each.lower(): each for each in CERTIFICATE_HEADERS}
    if not isinstance(value, str) or value.lower() not in known:
        raise ValueError(f"must be one of {', '.join(CERTIFICATE_HEADERS)}")
    return value.lower()


def read_port(value: Any) -> int:
    """A port; 0 is the usual one."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= HIGHEST_PORT:
        raise ValueError(f"must be a whole number from 0 to {HIGHEST_PORT}")
    return value


def read_mail_address(value: Any) -> str:
    """An e-mail address; empty text stays empty."""
    text = read_text(value).strip()
    try:
        return canonical_mail(text) if text else ""
    except HostRefused as cause:
        raise ValueError(str(cause)) from cause


def read_mail_tls(value: Any) -> str:
    """starttls, implicit, or none."""
    if value not in MAIL_TLS:
        raise ValueError("must be starttls, implicit or none")
    return str(value)


def read_network(value: Any) -> Network:
    """An IP network; a single address is a network of one."""
    try:
        return ipaddress.ip_network(read_text(value), strict=False)
    except ValueError as cause:
        raise ValueError("must be an IP address or a network such as 10.0.0.0/8") from cause


def read_rate(value: Any) -> Rate | None:
    """How many in how long, such as 60/1m; or off, for no limit."""
    text = read_text(value)
    if text == "off":
        return None
    most, slash, every = text.partition("/")
    try:
        rate = Rate(int(most) if most.isascii() and most.isdigit() and len(most) < _LONGEST_COUNT else 0, parse_duration(every))
    except ValueError:
        rate = Rate(0, timedelta())
    if not slash or rate.most < 1 or not timedelta(seconds=1) <= rate.every <= timedelta(days=1):
        raise ValueError('must be a number and a time of 1s to 24h, such as "60/1m", or "off"')
    return rate


def list_of(form: Callable[[Any], T]) -> Callable[[Any], tuple[T, ...]]:
    """A list whose entries all have `form`."""

    def entry(value: Any) -> T:
        try:
            return form(value)
        except ValueError as cause:
            raise ValueError(f"holds {json.dumps(value, ensure_ascii=False, default=str)}, which {cause}") from cause

    def read(value: Any) -> tuple[T, ...]:
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise ValueError('must be a list, such as ["…", "…"]')  # noqa: TRY004 - the same
        return tuple(map(entry, value))

    read.__doc__ = f"A list. Each entry: {form.__doc__}"
    return read
