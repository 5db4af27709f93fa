"""Which grant types a client may use: the one rule, for the authorization endpoint and for every grant. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sealwright.client_metadata import ClientMetadata, rows

AUTHORIZATION_CODE = "authorization_code"
REFRESH_TOKEN = "refresh_token"  # noqa: S105 - a grant type
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - a grant type
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SWITCHES: Mapping[str, str] = MappingProxyType(
    {DEVICE_CODE: "device_grant", TOKEN_EXCHANGE: "token_exchange", JWT_BEARER: "assertion_grant"}
)
"""The settings that alone open grant types which are not the client's to register.

Anyone who talks a person into typing a code gets what they allow, and tokens of others reach further than one client.
"""


def is_registered_for(client: ClientMetadata, grant_type: str) -> bool:
    """True where the client's `grant_types` name it, or name none; one that an administrator switches on, where that was done."""
    switch = SWITCHES.get(grant_type)
    if switch is not None:
        return bool(getattr(client, switch))
    return not client.grant_types or grant_type in client.grant_types


def why_not_registered(client: ClientMetadata, grant_type: str) -> str:
    """Why a client may not use a grant type, and what changes that; empty where it may."""
    if is_registered_for(client, grant_type):
        return ""
    switch = SWITCHES.get(grant_type)
    if switch is not None:
        letting = f"sealwright system oauth2 {switching_on(grant_type)} {client.name}"
        return f"{client.name} may not {_WHAT_IT_DOES[grant_type]}. To let it: {letting}"
    return f"{client.name} is registered for {', '.join(client.grant_types)} alone, and not for the grant_type {grant_type}."


_WHAT_IT_DOES = {
    DEVICE_CODE: "sign people in on devices",
    TOKEN_EXCHANGE: "exchange tokens",
    JWT_BEARER: "present tokens of trusted issuers",
}


def switching_on(grant_type: str) -> str:
    """The command below `system oauth2` that opens one of `SWITCHES`."""
    return next(verb.name for verb in rows()[SWITCHES[grant_type]].declared.verbs if verb.value is True)


def registered_grant_types(client: ClientMetadata) -> list[str]:
    """The grant types that a client may use, of those that it registered; with those that were switched on for it."""
    switched_on = (grant_type for grant_type, switch in SWITCHES.items() if getattr(client, switch))
    named = dict.fromkeys((*client.grant_types, *switched_on))
    return [each for each in named if is_registered_for(client, each)]
