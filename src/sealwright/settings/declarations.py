"""Every setting, once: name, default, form and description."""

# ruff: noqa: RUF009, FBT003 - `_declare` makes a dataclass field, and a default of false is one
from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from sealwright.settings.environment import DEFAULT_HOME
from sealwright.settings.forms import (
    UNPROTECTED,
    Address,
    Network,
    Rate,
    list_of,
    read_address,
    read_ascii,
    read_certificate_header,
    read_collector,
    read_contact,
    read_database,
    read_domain,
    read_duration,
    read_duration_or_zero,
    read_file,
    read_flag,
    read_host,
    read_https_origin,
    read_level,
    read_mail_address,
    read_mail_tls,
    read_name,
    read_network,
    read_origin,
    read_port,
    read_rate,
    read_share,
    read_text,
    read_workers,
)

T = TypeVar("T")


def _declare(default: Any, form: Callable[[Any], T], description: str, *, secret: bool = False) -> T:
    """Declare one setting. `default` is written as in the file; a secret one is never shown."""
    declaration = {"default": default, "form": form, "description": description, "secret": secret}
    made: T = field(default=form(default), repr=not secret, metadata=declaration)
    return made


@dataclass(frozen=True, slots=True)
class Listen:
    """Where the server listens, as HOST:PORT."""

    people: Address = _declare(
        "localhost:8443", read_address, "Browsers, the OpenID Connect provider, pages and the API (HTTPS)."
    )
    machines: Address = _declare(
        "localhost:9443", read_address, "The certificate authority for step, mutual TLS, agents (HTTPS)."
    )
    status: Address = _declare(
        "localhost:8080", read_address, "Health, and the certificates of the authorities (plain HTTP on purpose)."
    )


@dataclass(frozen=True, slots=True)
class Urls:
    """How the world reaches the listeners, where that differs from [listen]: behind a proxy or a port mapping."""

    people: str = _declare("", read_https_origin, "Default: https, the first of dns_names, and the port of listen.people.")
    machines: str = _declare("", read_https_origin, "Default: https, the first of dns_names, and the port of listen.machines.")
    status: str = _declare("", read_origin, "Default: http, the first of dns_names, and the port of listen.status.")


@dataclass(frozen=True, slots=True)
class Tls:
    """The server's own certificate. By default it comes from the server's own issuing CA and renews itself."""

    certificate: Path | None = _declare("", read_file, "PEM file with the certificate and its chain.")
    key: Path | None = _declare("", read_file, "PEM file with its private key.")
    look_every: timedelta = _declare(
        "30s", read_duration, "How often the server looks for changed files, or whether its own certificate is to be renewed."
    )
    strict_transport: timedelta = _declare(
        "8760h",
        read_duration_or_zero,
        "How long browsers shall reach the host by https only, on any port (Strict-Transport-Security). 0s makes them forget it."
        " Never said of localhost and IP addresses.",
    )


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """How long a sign-in holds."""

    idle: timedelta = _declare("1h", read_duration, "A session that is not used for this long ends.")
    absolute: timedelta = _declare("8h", read_duration, "A session ends this long after the last sign-in, used or not.")
    privileged: timedelta = _declare(
        "10m",
        read_duration,
        "This long after a sign-in, credentials, people and everything else can be changed without another one.",
    )


@dataclass(frozen=True, slots=True)
class OAuthSettings:
    """Lifetimes of what clients are given, and whether clients may register themselves."""

    request: timedelta = _declare("10m", read_duration, "How long a person may take to sign in and decide.")
    code: timedelta = _declare("1m", read_duration, "Authorization codes.")
    access_token: timedelta = _declare("15m", read_duration, "Access tokens.")
    client_credentials: timedelta = _declare("10m", read_duration, "Access tokens that a client gets for itself.")
    id_token: timedelta = _declare("15m", read_duration, "ID tokens.")
    refresh_token: timedelta = _declare("16h", read_duration, "Refresh tokens; each use gives a new one.")
    offline_access: timedelta = _declare(
        "720h",
        read_duration,
        "Refresh tokens with offline_access, which outlive the sign-in; each use gives a new one.",
    )
    open_registration: bool = _declare(
        False, read_flag, "Whether clients may register themselves with the root issuer without a registration token."
    )


@dataclass(frozen=True, slots=True)
class AssistantSettings:
    """Assistants that speak the Model Context Protocol over the network."""

    enabled: bool = _declare(False, read_flag, "Whether they are let in, at the path /mcp of the listener for people.")
    allow_changes: bool = _declare(False, read_flag, "Whether they are offered tools that change something.")


@dataclass(frozen=True, slots=True)
class BudgetSettings:
    """How much one party may ask for before it has to wait: NUMBER/TIME, or off. Each process of the server counts for itself."""

    authorizations_per_address: Rate | None = _declare(
        "1200/1m", read_rate, "Authorization requests from one address; of IPv6, from one /64 network."
    )
    authorizations_per_account: Rate | None = _declare(
        "120/1m", read_rate, "Authorization requests that are answered for one person."
    )
    token_failures_per_client: Rate | None = _declare(
        "60/1m", read_rate, "Refused token requests of one client from one address: wrong secrets, void codes and tokens."
    )
    user_codes_per_address: Rate | None = _declare(
        "30/1m", read_rate, "Codes of devices that were typed wrongly, from one address; of IPv6, from one /64 network."
    )
    token_failures_per_address: Rate | None = _declare(
        "300/1m",
        read_rate,
        "Refused token requests from one address, whichever clients they name; and as many tokens that are none of this server.",
    )
    emergencies_per_address: Rate | None = _declare(
        "5/1m", read_rate, "Attempts to use the break-glass password or the bootstrap token from one address."
    )
    registrations: Rate | None = _declare("600/1m", read_rate, "Clients that register themselves, from wherever.")
    registrations_per_address: Rate | None = _declare("60/1m", read_rate, "Clients that register themselves from one address.")
    certificate_failures_per_address: Rate | None = _declare(
        "300/1m", read_rate, "Refused requests to sign, renew, rekey and revoke from one address."
    )
    certificate_failures_per_account: Rate | None = _declare(
        "60/1m", read_rate, "Certificates that one person, or one provisioner from one address, was refused."
    )


@dataclass(frozen=True, slots=True)
class OutboundSettings:
    """Calls that the server makes by itself: to the identity providers that provisioners name."""

    allow_private: tuple[Network, ...] = _declare(
        [], list_of(read_network), "Private, loopback or link-local networks that it may call; no others of these kinds."
    )
    allow_http: bool = _declare(False, read_flag, "Whether it may call plain http:// addresses.")
    ca_file: Path | None = _declare("", read_file, "PEM file with roots to trust beside those of the operating system.")


@dataclass(frozen=True, slots=True)
class MailSettings:
    """The SMTP server that sends people their invitations and reset links. Without a host, links are only printed."""

    host: str = _declare("", read_domain, "Name or address of the SMTP server. Its certificate must be for it.")
    port: int = _declare(0, read_port, "Its port. 0 is the usual one: 587 with starttls, 465 with implicit, 25 with none.")
    tls: str = _declare(
        "starttls",
        read_mail_tls,
        "How it is reached: starttls, implicit (TLS from the first byte), or none for one on this machine. Another without TLS"
        f" takes {UNPROTECTED}.",
    )
    ca_file: Path | None = _declare("", read_file, "PEM file with roots to trust beside those of the operating system.")
    username: str = _declare("", read_ascii, "User name to authenticate with. Default: no authentication.")
    password_file: Path | None = _declare("", read_file, "File with the password, in one line, readable by its owner only.")
    from_address: str = _declare(
        "", read_mail_address, "The address that messages come from. The name beside it is that of the server."
    )
    reply_to: str = _declare("", read_mail_address, "The address that answers go to, where that is another.")

    @property
    def port_used(self) -> int:
        """The port to connect to."""
        return self.port or {"starttls": 587, "implicit": 465}.get(self.tls, 25)


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """The record of what happened."""

    keep: timedelta = _declare(
        "0s",
        read_duration_or_zero,
        "Events that are older are deleted, once a checkpoint has signed them. 0s keeps all of them.",
    )


@dataclass(frozen=True, slots=True)
class AccountSettings:
    """What people may change about themselves, beside their profile."""

    edit_own_mail: bool = _declare(
        False, read_flag, "Whether people may change their own mail addresses. A new one counts once it is confirmed by a link."
    )


@dataclass(frozen=True, slots=True)
class BootstrapSettings:
    """Who becomes the first administrator by signing in with an identity provider, while no one administers the server."""

    admin_groups: tuple[str, ...] = _declare([], list_of(read_text), "Groups there, as the provider writes them.")
    oidc_provider_id: str = _declare("", read_ascii, "Id of that provider; groups of others count for nothing.")


@dataclass(frozen=True, slots=True)
class BreakGlassSettings:
    """The password for emergencies, which opens the server as admin. It is set with sealwright break-glass set-password."""

    enabled: bool = _declare(False, read_flag, "Whether it can be used, at /break-glass. Otherwise there is no such page.")


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What is written to the log."""

    level: str = _declare("info", read_level, "The least important kind that is written: debug, info, warning or error.")


@dataclass(frozen=True, slots=True)
class TraceSettings:
    """Traces of requests, for a collector that speaks OpenTelemetry. It takes packages of its own: sealwright[traces]."""

    endpoint: str = _declare(
        "", read_collector, "Address of the collector (OTLP over HTTP), such as http://localhost:4318. Default: no traces."
    )
    sampling: float = _declare(1.0, read_share, "The share of the requests that are recorded, from 0 to 1.")
    follow_callers: bool = _declare(
        True,
        read_flag,
        "Whether a caller's traceparent says to which trace its request belongs and whether it is recorded; else each request"
        " begins a trace, with a link to the caller's.",
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set. Made by `load`, which fills in what follows from other settings."""

    name: str = _declare("Sealwright", read_name, "What the server is called on its pages and in its certificates.")
    domain: str = _declare("", read_domain, "Domain of account names, as in alice@example.org. Default: the first of dns_names.")
    contact: str = _declare(
        "",
        read_contact,
        "Whom people ask for help where something is refused: an e-mail address, an https:// URL, or words.",
    )
    database_url: str = _declare(
        "",
        read_database,
        "Storage: sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME; behind PgBouncer in transaction mode with"
        " ?pgbouncer=transaction at the end. sqlite:// alone: in memory, each start from what sealwright.db holds."
        " Default: sealwright.db in the home directory.",
        secret=True,
    )
    dns_names: tuple[str, ...] = _declare(
        ["localhost"], list_of(read_host), "Names and addresses by which clients reach the server; the first is the main one."
    )
    workers: int = _declare(0, read_workers, "Processes that answer requests; 0 means one for each processor.")
    trusted_proxies: tuple[Network, ...] = _declare(
        [],
        list_of(read_network),
        "Proxies that are believed about the address of a client (X-Forwarded-For).",
    )
    certificate_proxies: tuple[Network, ...] = _declare(
        [],
        list_of(read_network),
        "Proxies that are believed about the certificate of a client (Client-Cert, RFC 9440). Each must overwrite that header.",
    )
    certificate_header: str = _declare(
        "Client-Cert",
        read_certificate_header,
        "The header in which they tell it: Client-Cert (RFC 9440), X-Forwarded-Client-Cert (Envoy), X-SSL-Cert,"
        " X-SSL-Client-Cert, SSL-Client-Cert or X-Amzn-Mtls-Clientcert-Leaf. No other is read.",
    )
    listen: Listen = field(default_factory=Listen)
    urls: Urls = field(default_factory=Urls)
    tls: Tls = field(default_factory=Tls)
    sessions: SessionSettings = field(default_factory=SessionSettings)
    oauth: OAuthSettings = field(default_factory=OAuthSettings)
    assistants: AssistantSettings = field(default_factory=AssistantSettings)
    budgets: BudgetSettings = field(default_factory=BudgetSettings)
    outbound: OutboundSettings = field(default_factory=OutboundSettings)
    mail: MailSettings = field(default_factory=MailSettings)
    accounts: AccountSettings = field(default_factory=AccountSettings)
    audit: AuditSettings = field(default_factory=AuditSettings)
    bootstrap: BootstrapSettings = field(default_factory=BootstrapSettings)
    break_glass: BreakGlassSettings = field(default_factory=BreakGlassSettings)
    log: LogSettings = field(default_factory=LogSettings)
    traces: TraceSettings = field(default_factory=TraceSettings)
    home: Path = DEFAULT_HOME
    key: bytes | None = field(default=None, repr=False)
    """The key-encryption key, where SEALWRIGHT_KEY gives it."""
    bootstrap_token: str = field(default="", repr=False)
    """The token that makes the first administrator, where SEALWRIGHT_BOOTSTRAP_TOKEN gives one."""


SECTIONS: Mapping[str, type[Any]] = {
    "": Settings,
    "listen": Listen,
    "urls": Urls,
    "tls": Tls,
    "sessions": SessionSettings,
    "oauth": OAuthSettings,
    "assistants": AssistantSettings,
    "budgets": BudgetSettings,
    "outbound": OutboundSettings,
    "mail": MailSettings,
    "accounts": AccountSettings,
    "audit": AuditSettings,
    "bootstrap": BootstrapSettings,
    "break_glass": BreakGlassSettings,
    "log": LogSettings,
    "traces": TraceSettings,
}


@dataclass(frozen=True, slots=True)
class Declared:
    """One setting as declared, for the settings file and the reference."""

    section: str
    name: str
    default: Any
    """As written in the file."""
    description: str
    form: Callable[[Any], Any]
    secret: bool
    """May hold a password, so that its value is in no message."""

    @property
    def key(self) -> str:
        """Section and name, such as ``listen.people``."""
        return f"{self.section}.{self.name}" if self.section else self.name


def declared() -> tuple[Declared, ...]:
    """Every setting, in the order of the file."""
    return tuple(
        Declared(section=section, name=member.name, **member.metadata)
        for section, shape in SECTIONS.items()
        for member in dataclasses.fields(shape)
        if "form" in member.metadata
    )
