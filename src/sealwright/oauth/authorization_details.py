"""`authorization_details`: what is asked for beyond what a scope can say (RFC 9396). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from sealwright import strict_json
from sealwright.oauth.models import Client
from sealwright.strict_json import JsonRefused

MOST_DETAILS = 20

Details = tuple[Mapping[str, Any], ...]


class DetailsMalformed(ValueError):
    """Why `authorization_details` are refused, as a sentence."""


def read_details(text: str | None, client: Client) -> tuple[dict[str, Any], ...]:
    """The objects of the parameter; raises DetailsMalformed where the client may not ask for them."""
    if text is None:
        return ()
    try:
        objects = strict_json.loads(text)
    except JsonRefused as cause:
        raise DetailsMalformed(f"The parameter 'authorization_details' {cause}.") from cause
    if not isinstance(objects, list) or not 0 < len(objects) <= MOST_DETAILS:
        raise DetailsMalformed(f"The parameter 'authorization_details' is not a list of 1 to {MOST_DETAILS} objects.")
    for each in objects:
        if not isinstance(each, dict) or not isinstance(each.get("type"), str):
            raise DetailsMalformed("An object in 'authorization_details' has no type.")
        if each["type"] not in client.authorization_details_types:
            raise DetailsMalformed(
                f"{client.name} may not ask for authorization_details of the type {each['type'][:64]}; "
                f"sealwright system oauth2 add-details-type {client.name} TYPE lets it."
            )
    return tuple(objects)


def within(asked: Details, granted: Details) -> bool:
    """True where each of the objects asked for is one of those granted. In Python 1 equals true, in JSON it does not."""
    known = {_canonical(each) for each in granted}
    return all(_canonical(each) in known for each in asked)


def allowed_details(granted: Details, client: Client) -> Details:
    """Those of the types that the client may still ask for."""
    return tuple(each for each in granted if each["type"] in client.authorization_details_types)


def _canonical(details: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(details, order="sorted")
