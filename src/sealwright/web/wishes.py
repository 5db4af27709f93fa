"""What the consent page says of an application and of what it gets to know. Pure.

It is made from the very claims that the application's ID token will hold, so that it can promise neither more nor less.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sealwright.clock import Instant, from_seconds
from sealwright.oauth import PendingRequest, ScopeNeed
from sealwright.web.models import Application, Lack, Wish
from sealwright.web.words import host_text, origin_text

_LABELS: Mapping[str, str] = {
    "preferred_username": "Your user name",
    "name": "Your name",
    "email": "Your e-mail address",
    "groups": "Your groups",
    "updated_at": "When your account was last changed",
    "sub": "An identifier of your account",
}
_SCOPES: Mapping[str, tuple[str, str]] = {
    "email": ("email", "you have none"),
    "groups": ("groups", "you are in none"),
}
"""Scopes with a claim that a person may lack, and what is said then."""
_KNOWN_SCOPES = frozenset({"openid", "profile", "email", "groups", "offline_access"})
_LACKS: Mapping[str, str] = {
    "openid": "Who you are",
    "profile": "Your name",
    "email": "Your e-mail address",
    "groups": "Your groups",
}
_TECHNICAL = frozenset({"updated_at", "sub"})
_QUALIFIERS = frozenset({"email_verified"})
"""Claims that are told beside another one."""


def application_of(pending: PendingRequest) -> Application:
    """The client as a person is told of it."""
    return Application(
        name=pending.client.display_name,
        host=host_text(pending.client.landing_url),
        returns_to=origin_text(pending.request.redirect_uri),
        on_this_computer=pending.returns_to_this_computer,
    )


def wishes_of(claims: Mapping[str, Any], scopes: Collection[str]) -> tuple[Wish, ...]:
    """Every claim with its value, then what was asked for and is not there, then scopes whose meaning only the client knows."""
    told = [name for name in _LABELS if name in claims]
    told += [name for name in claims if name not in _LABELS and name not in _QUALIFIERS]
    wishes = [Wish(_LABELS.get(name, name), _values(name, claims), _without(name), name in _TECHNICAL) for name in told]
    wishes += [
        Wish(_LABELS[name], (), without) for scope, (name, without) in _SCOPES.items() if scope in scopes and name not in claims
    ]
    if "offline_access" in scopes:
        wishes.append(Wish("Access while you are away", ("until your sign-in ends",)))
    wishes += [
        Wish(f"“{scope}”", ("what this means is up to the application",)) for scope in scopes if scope not in _KNOWN_SCOPES
    ]
    return tuple(wishes)


def scope_labels(scopes: Collection[str]) -> tuple[str, ...]:
    """What scopes let an application know, in a few words."""
    names = ["user name and name"]
    names += [label for scope, label in (("email", "e-mail address"), ("groups", "groups")) if scope in scopes]
    return (*names, *(f"“{scope}”" for scope in scopes if scope not in _KNOWN_SCOPES))


def lacks_of(needs: Collection[ScopeNeed]) -> tuple[Lack, ...]:
    """What a person may not give an application, scopes of the same groups together."""
    by_groups: dict[tuple[str, ...], list[str]] = {}
    for need in needs:
        by_groups.setdefault(need.groups, []).append(_LACKS.get(need.scope, f"“{need.scope}”"))
    return tuple(Lack(", ".join(labels), groups) for groups, labels in by_groups.items())


def _values(name: str, claims: Mapping[str, Any]) -> tuple[str | Instant, ...]:
    value = claims[name]
    if name == "updated_at":
        return (from_seconds(value),)
    if name == "email" and not claims.get("email_verified", False):
        return (f"{value} (not verified)",)
    if isinstance(value, list):
        return (", ".join(str(item) for item in value),) if value else ()
    return (str(value),)


def _without(name: str) -> str:
    return next((without for claim, without in _SCOPES.values() if claim == name), "")
