"""What kind of thing an event is about. `category` of the API and of the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from sealwright.audit.described import Described
from sealwright.audit.events import Event


class Category(Described):
    """One of three."""

    CERTIFICATES = "cert_lifecycle", "Certificates: decided, signed, refused, revoked."
    ACCESS = (
        "auth",
        "Who people and programs are, how they prove it, and what they may do: accounts, credentials, sessions, roles.",
    )
    CONFIGURATION = "config", "How the server is set up: clients, provisioners, authorities, settings, the record itself."


CATEGORY_OF_NOUN: Mapping[str, Category] = {
    "certificate": Category.CERTIFICATES,
    **dict.fromkeys(
        (
            *("access", "session", "account", "person", "service_account", "api_key", "api_token", "group", "credential", "role"),
            *(
                "bootstrap",
                "break_glass",
                "oidc_provider",
                "group_mapping",
                "oidc_login",
                "oidc_logout",
                "authorization",
                "consent",
                "code",
                "token",
            ),
        ),
        Category.ACCESS,
    ),
    **dict.fromkeys(
        (
            *("server", "backup", "settings", "mail", "client", "oauth_issuer", "registration_token", "trusted_issuer"),
            *("provisioner", "profile", "issuer", "audit", "approval"),
        ),
        Category.CONFIGURATION,
    ),
}
"""What the name of an event begins with → the category of the event."""


def category_of(event: str) -> Category:
    """The category of an event; that of one that this version does not know is `config`."""
    return CATEGORY_OF_NOUN.get(event.partition(".")[0], Category.CONFIGURATION)


def events_in(category: Category) -> tuple[Event, ...]:
    """The events of a category."""
    return tuple(event for event in Event if category_of(event) is category)
