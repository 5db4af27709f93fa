"""Actor, permission, role."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Permission(StrEnum):
    """`noun:verb`. Each covers all objects of its kind; access to one's own objects needs none."""

    PERSON_READ = "person:read"
    PERSON_WRITE = "person:write"
    GROUP_READ = "group:read"
    GROUP_WRITE = "group:write"
    CLIENT_READ = "client:read"
    CLIENT_WRITE = "client:write"
    PROVISIONER_READ = "provisioner:read"
    PROVISIONER_WRITE = "provisioner:write"
    ISSUER_WRITE = "issuer:write"
    CERTIFICATE_READ = "certificate:read"
    CERTIFICATE_REVOKE = "certificate:revoke"
    CERTIFICATE_ISSUE_ANY_NAME = "certificate:issue-any-name"
    """To have a certificate with any name, or to let others have one: by a provisioner, or by a name that one trusts."""
    SESSION_READ = "session:read"
    SESSION_REVOKE = "session:revoke"
    AUDIT_READ = "audit:read"


class Role(StrEnum):
    """A named set of permissions; groups hold roles."""

    ADMINISTRATOR = "administrator"
    PEOPLE_ADMINISTRATOR = "people_administrator"
    GROUP_ADMINISTRATOR = "group_administrator"
    CLIENT_ADMINISTRATOR = "client_administrator"
    CA_ADMINISTRATOR = "ca_administrator"
    AUDITOR = "auditor"


class Actor(msgspec.Struct, frozen=True):
    """The person or program on whose behalf something is done."""

    kind: str
    """``person``, ``service``, ``client``, ``node`` or ``nobody``."""
    id: str
    name: str
    permissions: frozenset[Permission] = frozenset()
    session_id: str = ""
    address: str = ""
    """IP address of the peer, where there is one."""


SYSTEM = Actor("node", "", "this server", frozenset(Permission))
"""The server itself, for what it does by its own schedule or from its own shell."""


def anonymous(address: str) -> Actor:
    """A peer that is not authenticated."""
    return Actor("nobody", "", "", address=address)
