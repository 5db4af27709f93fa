"""Whom an OIDC provisioner names: what `admins` and `groups` mean, and which names carry authority by it. Pure.

An entry is a mail address or the name of a group, as for `step-ca`. Of the people of this server it may also be
``account:ID`` or ``group:ID``: what has the id keeps it, whatever it is called later.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from sealwright.access import NamedAuthority, NameKind, Permission
from sealwright.ca.provisioners.models import OidcDefinition

ACCOUNT, GROUP = "account:", "group:"


class Bearer(Struct, frozen=True):
    """What is known of a person when a provisioner is asked whether it names them."""

    mail: str
    """The address that counts, or empty."""
    groups: frozenset[str]
    """Names of groups."""
    account_id: str = ""
    """Of an account of this server, or empty: then no entry means the person by an id."""
    group_ids: frozenset[str] = frozenset()


def mentions(entries: Iterable[str], person: Bearer) -> bool:
    """Whether one of `entries` means the person."""
    ids = {f"{ACCOUNT}{person.account_id}", *(f"{GROUP}{each}" for each in person.group_ids)} if person.account_id else set()
    mail = folded(person.mail)
    return any((mail and folded(entry) == mail) or entry in person.groups or entry in ids for entry in entries)


def asks_for_group_ids(definition: OidcDefinition) -> bool:
    """Whether an entry can only be judged by the ids of a person's groups, which no token tells."""
    return any(entry.startswith(GROUP) for entry in (*definition.admins, *definition.groups))


def folded(mail: str) -> str:
    """A mail address for comparison: the domain in small letters, what stands before it as it is."""
    local, at, domain = mail.rpartition("@")
    return f"{local}{at}{domain.lower()}" if at else mail


def named_by(definition: OidcDefinition, own_client: str | None) -> tuple[NamedAuthority, ...]:
    """The names that carry authority because of a provisioner.

    `own_client`: the client of this server whose issuer it trusts, empty where that is an issuer that clients share; None for
    another provider, whose people are not ours.

    `admins` and the client carry any name: who is sent the client's tokens can be anyone who signs in. `groups` carries
    nothing more than a certificate with one's own names, so that it is managed as the groups of every application are.
    """
    if own_client is None:
        return ()
    who = f"the provisioner {definition.name}"
    any_name = frozenset({Permission.CERTIFICATE_ISSUE_ANY_NAME})
    clients = dict.fromkeys(filter(None, (own_client, definition.client_id)))
    return (
        *(NamedAuthority(who, "clientID", NameKind.CLIENT, client, any_name) for client in clients),
        *(NamedAuthority(who, "admins", *_meant(entry), any_name) for entry in definition.admins),
        *(NamedAuthority(who, "groups", *_meant(entry)) for entry in definition.groups),
    )


def _meant(entry: str) -> tuple[NameKind, str]:
    if entry.startswith(ACCOUNT):
        return NameKind.ACCOUNT_ID, entry.removeprefix(ACCOUNT)
    if entry.startswith(GROUP):
        return NameKind.GROUP_ID, entry.removeprefix(GROUP)
    return (NameKind.MAIL if "@" in entry else NameKind.GROUP_NAME), entry
