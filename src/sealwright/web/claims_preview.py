"""What the consent page says about an application and the claims it will receive. Pure.

It is made from the claims of the ID token itself, so that the page promises neither more nor less.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sealwright.clock import Instant, from_seconds
from sealwright.oauth import CHANGE_SCOPE, READ_SCOPE, PendingRequest, ScopeNeed, shown_user_code
from sealwright.web.client_images import image_url
from sealwright.web.formatting import host_text, origin_text
from sealwright.web.models import ClaimPreview, ClientPreview, DetailsPreview, MissingScope

_LABELS: Mapping[str, str] = {
    "preferred_username": "Your user name",
    "name": "Your name",
    "email": "Your e-mail address",
    "phone_number": "Your phone number",
    "address": "Your address",
    "given_name": "Your given name",
    "family_name": "Your family name",
    "middle_name": "Your middle name",
    "nickname": "Your nickname",
    "birthdate": "Your date of birth",
    "gender": "Your gender",
    "picture": "Your picture",
    "profile": "Your profile page",
    "website": "Your web site",
    "locale": "Your language",
    "zoneinfo": "Your time zone",
    "groups": "Your groups",
    "ssh_publickeys": "Your SSH public keys",
    "updated_at": "When your account was last changed",
    "sub": "An identifier of your account",
}
_SCOPES: Mapping[str, tuple[str, str]] = {
    "email": ("email", "you have none"),
    "address": ("address", "you have none here"),
    "phone": ("phone_number", "you have none here"),
    "ssh_publickeys": ("ssh_publickeys", "you have none"),
    "groups": ("groups", "you are in none"),
}
"""Scopes whose claim a person may lack, and what the page says then."""
_GROUP_FORMS = ("groups_name", "groups_spn", "groups_uuid")
_OF_THIS_SERVER: Mapping[str, tuple[str, str]] = {
    READ_SCOPE: ("Read at this server, as you", "people, groups, certificates, the audit record: whatever you may read"),
    CHANGE_SCOPE: ("Change this server, as you", "whatever you may change, for as long as your sign-in is recent"),
}
"""Scopes by which the application acts here (see `api_access`)."""
_KNOWN_SCOPES = frozenset(
    {
        *("openid", "profile", "email", "address", "phone", "groups", *_GROUP_FORMS, "ssh_publickeys", "offline_access"),
        *_OF_THIS_SERVER,
    }
)
_SCOPE_LABELS: Mapping[str, str] = {
    "openid": "Who you are",
    "profile": "Your profile",
    "email": "Your e-mail address",
    "address": "Your address",
    "phone": "Your phone number",
    **dict.fromkeys(("groups", *_GROUP_FORMS), "Your groups"),
    "ssh_publickeys": "Your SSH public keys",
    "offline_access": "Access while you are away",
    READ_SCOPE: "Read at this server, as you",
    CHANGE_SCOPE: "Change this server, as you",
}
_LISTED_SCOPES: Mapping[str, str] = {
    "openid": "user name and name",
    "profile": "profile, such as names and date of birth",
    "email": "e-mail address",
    "address": "address",
    "phone": "phone number",
    **dict.fromkeys(("groups", *_GROUP_FORMS), "groups"),
    "ssh_publickeys": "SSH public keys",
    "offline_access": "also while you are away",
    READ_SCOPE: "what you may read at this server",
    CHANGE_SCOPE: "changing this server as you",
}
"""In the order in which they are listed."""
_TECHNICAL = frozenset({"updated_at", "sub"})
_QUALIFIERS = frozenset({"email_verified", "phone_number_verified"})
"""Claims that are shown with another one."""


_WORD_BEGINS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def client_preview(pending: PendingRequest, image_digest: bytes | None = None) -> ClientPreview:
    """The client as the page shows it."""
    return ClientPreview(
        name=pending.client.display_name,
        host=host_text(pending.client.landing_url),
        returns_to=origin_text(pending.request.redirect_uri),
        on_this_computer=pending.returns_to_this_computer,
        user_code=shown_user_code(pending.request.user_code) if pending.request.user_code else "",
        image=image_url(image_digest),
    )


def claim_previews(claims: Mapping[str, Any], scopes: Collection[str]) -> tuple[ClaimPreview, ...]:
    """Every claim with its value, then requested claims that are absent, then scopes that only the client can explain."""
    names = [name for name in _LABELS if name in claims]
    names += [name for name in claims if name not in _LABELS and name not in _QUALIFIERS]
    previews = [
        ClaimPreview(_LABELS.get(name, name), _values(name, claims), _if_absent(name), name in _TECHNICAL) for name in names
    ]
    previews += [
        ClaimPreview(_LABELS[name], (), if_absent)
        for scope, (name, if_absent) in _SCOPES.items()
        if scope in scopes and name not in claims
    ]
    if "offline_access" in scopes:
        previews.append(ClaimPreview("Access while you are away", ("also after you have signed out, until you take it back",)))
    previews += [ClaimPreview(label, (meaning,)) for scope, (label, meaning) in _OF_THIS_SERVER.items() if scope in scopes]
    previews += [
        ClaimPreview(f"“{scope}”", ("what this means is up to the application",))
        for scope in scopes
        if scope not in _KNOWN_SCOPES
    ]
    return tuple(previews)


def details_previews(details: Collection[Mapping[str, Any]]) -> tuple[DetailsPreview, ...]:
    """Each of the authorization details (RFC 9396) with its members, in words as far as a program can."""
    return tuple(
        DetailsPreview(_in_words(each["type"]), tuple(_rows({name: value for name, value in each.items() if name != "type"})))
        for each in details
    )


def _rows(members: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in members.items():
        label = f"{before}{_in_words(name)}"
        if isinstance(value, dict):
            yield from _rows(value, f"{label}: ")
        elif isinstance(value, list) and any(isinstance(each, dict) for each in value):
            for number, each in enumerate(value, 1):
                yield from _rows(each if isinstance(each, dict) else {"": each}, f"{label} {number}: ")
        elif isinstance(value, list):
            yield label, ", ".join(map(_said, value))
        else:
            yield label, _said(value)


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "nothing" if value is None else str(value)


def _in_words(name: str) -> str:
    """`instructedAmount` and `payment_initiation` as one reads them."""
    text = _WORD_BEGINS.sub(" ", name).replace("_", " ").strip()
    return text[:1].upper() + text[1:].lower() if text.isascii() and "/" not in text and ":" not in text else name


def scope_labels(scopes: Collection[str]) -> tuple[str, ...]:
    """What scopes let an application know, in a few words."""
    known = dict.fromkeys(label for scope, label in _LISTED_SCOPES.items() if scope in scopes)
    return (*known, *(f"“{scope}”" for scope in scopes if scope not in _LISTED_SCOPES))


def missing_scopes(needs: Collection[ScopeNeed]) -> tuple[MissingScope, ...]:
    """What a person may not give an application, scopes of the same groups together."""
    by_groups: dict[tuple[str, ...], list[str]] = {}
    for need in needs:
        by_groups.setdefault(need.groups, []).append(_SCOPE_LABELS.get(need.scope, f"“{need.scope}”"))
    return tuple(MissingScope(", ".join(labels), groups) for groups, labels in by_groups.items())


def _values(name: str, claims: Mapping[str, Any]) -> tuple[str | Instant, ...]:
    value = claims[name]
    if name == "updated_at":
        return (from_seconds(value),)
    if name == "email" and not claims.get("email_verified", False):
        return (f"{value} (not verified)",)
    if name == "phone_number" and not claims.get("phone_number_verified", False):
        return (f"{value} (not verified)",)
    if isinstance(value, dict):
        return (", ".join(str(item) for item in value.values()),)
    if isinstance(value, list):
        return (", ".join(str(item) for item in value),) if value else ()
    return (str(value),)


def _if_absent(name: str) -> str:
    return next((text for claim, text in _SCOPES.values() if claim == name), "")
