"""Which grant types a client may use: the one rule, for the authorization endpoint and for every grant. Pure."""

from __future__ import annotations

from sealwright.client_metadata import ClientMetadata

AUTHORIZATION_CODE = "authorization_code"
REFRESH_TOKEN = "refresh_token"  # noqa: S105 - a grant type
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


def is_registered_for(client: ClientMetadata, grant_type: str) -> bool:
    """True where the client's `grant_types` name it, or name none.

    The device grant is not the client's to register: anyone who talks a person into typing a code gets what they allow, so
    the administrator's switch alone decides.
    """
    if grant_type == DEVICE_CODE:
        return client.device_grant
    return not client.grant_types or grant_type in client.grant_types


def why_not_registered(client: ClientMetadata, grant_type: str) -> str:
    """Why a client may not use a grant type, and what changes that; empty where it may."""
    if is_registered_for(client, grant_type):
        return ""
    if grant_type == DEVICE_CODE:
        command = f"sealwright system oauth2 enable-device-flow {client.name}"
        return f"{client.name} may not sign people in on devices. To let it: {command}"
    return f"{client.name} is registered for {', '.join(client.grant_types)} alone, and not for the grant_type {grant_type}."


def registered_grant_types(client: ClientMetadata) -> list[str]:
    """The grant types that a client may use, of those that it registered; with the device grant where it is switched on."""
    named = dict.fromkeys((*client.grant_types, *((DEVICE_CODE,) if client.device_grant else ())))
    return [each for each in named if is_registered_for(client, each)]
