"""Client metadata: from the names of RFC 7591 to those of our table, and back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from sealwright.client_metadata import (
    CERTIFICATE_METHODS,
    SUBJECT_MEMBERS,
    ClientKind,
    ClientMetadata,
    ClientRefused,
    Row,
    SetBy,
    profile_members,
    require_complete_authentication,
    rows,
)
from sealwright.oauth.clients.called_urls import require_callable
from sealwright.oauth.clients.changes import require_allowed, with_members
from sealwright.oauth.errors import MalformedTokenRequest, MetadataRefused, RedirectUriRefused
from sealwright.oauth.grants import GRANTS
from sealwright.oauth.grants.registered import AUTHORIZATION_CODE, SWITCHES, registered_grant_types, switching_on
from sealwright.outbound import Outbound

MANAGED_MEMBERS = ("registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at")
"""Members that only the server sets (RFC 7592, section 2.2)."""
_BASICS = ("name", "display_name", "kind", "landing_url")
_SHOWN = 100


class RequestedClient(NamedTuple):
    """What a request says that a client is to be."""

    kind: ClientKind
    display_name: str
    landing_url: str
    members: Mapping[str, Any]
    """Everything else, by the names of the table."""


def requested_client(document: Mapping[str, Any], name: str) -> RequestedClient:
    """What `document` asks for; `name` is its client_id. What is not understood is ignored (RFC 7591, section 2).

    Raises MetadataRefused or RedirectUriRefused.
    """
    given = {member: value for member, value in document.items() if value not in (None, "")}
    method = given.get("token_endpoint_auth_method", "client_secret_basic")
    kind = ClientKind.PUBLIC if method == "none" else ClientKind.CONFIDENTIAL
    grants = _grant_types(given, kind)
    _require_response_types(given, grants)
    members: dict[str, Any] = {
        row.name: given[member]
        for row in rows().values()
        if (member := row.declared.registered_as or row.name) in given and is_open_to_registration(row)
    }
    members |= {"token_endpoint_auth_method": method, "grant_types": grants}
    if method != "tls_client_auth":  # no other method reads them
        members = {member: value for member, value in members.items() if member not in SUBJECT_MEMBERS}
    profile = "classic" if AUTHORIZATION_CODE in grants and kind is ClientKind.CONFIDENTIAL else "oauth2.1"
    redirects = members.get("redirect_uris", ())
    if AUTHORIZATION_CODE in grants and not redirects:
        raise RedirectUriRefused(
            "The grant type authorization_code needs an address to come back to: redirect_uris is empty or missing. Register one."
        )
    for member, expected in (("subject_type", ("public",)), ("application_type", ("web", "native"))):
        if member in given and given[member] not in expected:
            raise MetadataRefused(f"{member} cannot be {str(given[member])[:_SHOWN]!r}; give {' or '.join(expected)}.")
    display_name = given.get("client_name", name)
    landing_url = given.get("client_uri", "")
    for member, value in (("client_name", display_name), ("client_uri", landing_url)):
        if not isinstance(value, str):
            raise MetadataRefused(f"{member} is not a text.")
    return RequestedClient(kind, display_name, landing_url, {"profile": profile, **members})


def without_administrators_settings(requested: RequestedClient, client: ClientMetadata) -> RequestedClient:
    """The request for an existing client, without the members that only an administrator sets: those stay as they are."""
    kept = {member: value for member, value in requested.members.items() if is_open_to_registration(rows()[member])}
    algorithm = profile_members(client.profile, public=client.is_public)["id_token_signed_response_alg"]
    return requested._replace(members={"id_token_signed_response_alg": algorithm, **kept})


def is_open_to_registration(row: Row) -> bool:
    """Whether a client may set a member by itself, beside those that every client has."""
    return row.declared.set_by is SetBy.REGISTRATION and row.name not in _BASICS


def defaults_of_registration() -> dict[str, Any]:
    """The metadata of a client that registered none."""
    return {row.name: row.default for row in rows().values() if is_open_to_registration(row)}


def registered(base: ClientMetadata, requested: RequestedClient, outbound: Outbound) -> Any:
    """`base` with everything that was asked for, checked as a whole. Raises MetadataRefused or RedirectUriRefused."""
    redirects = {"redirect_uris": requested.members.get("redirect_uris", ())}
    try:
        with_members(base, redirects)
    except ClientRefused as refused:
        raise RedirectUriRefused(_as_text(refused)) from refused
    try:
        client = with_members(base, requested.members)
        for member in rows():
            if member != "landing_url" or client.landing_url:  # a program without pages has none
                require_allowed(client, member)
        require_complete_authentication(client)
        require_callable(client, requested.members, outbound)
    except ClientRefused as refused:
        raise MetadataRefused(_as_text(refused)) from refused
    return client


def registered_metadata(client: ClientMetadata) -> dict[str, Any]:
    """What a client registered, by the names of the standard; what is not set is left out."""
    members: dict[str, Any] = {"client_id": client.name, "client_name": client.display_name}
    if client.landing_url:
        members["client_uri"] = client.landing_url
    grants = registered_grant_types(client)
    for row in rows().values():
        value = getattr(client, row.name)
        if is_open_to_registration(row) and value is not None:
            members[row.declared.registered_as or row.name] = value
    if client.token_endpoint_auth_method in CERTIFICATE_METHODS or client.tls_client_certificate_bound_access_tokens:
        members["use_mtls_endpoint_aliases"] = True  # libraries ask there only where they are told to
    responses = ["code"] if AUTHORIZATION_CODE in grants else []
    return members | {"grant_types": grants, "response_types": responses, "subject_type": "public"}


def require_same_client(document: Mapping[str, Any], client: ClientMetadata, secret: str | None) -> None:
    """Raise MalformedTokenRequest where an update names another client, or what only the server says (RFC 7592, section 2.2)."""
    managed = [member for member in MANAGED_MEMBERS if member in document]
    if managed:
        raise MalformedTokenRequest(f"{managed[0]} is given by the server alone; leave it out of an update.")
    if document.get("client_id") != client.name:
        raise MalformedTokenRequest(f"client_id is {document.get('client_id')!r}; it has to be {client.name!r}."[:300])
    given = document.get("client_secret")
    if given is not None and given != secret:
        raise MalformedTokenRequest("client_secret is not the secret of the client; send the present one, or leave it out.")


def _grant_types(given: Mapping[str, Any], kind: ClientKind) -> tuple[str, ...]:
    default = [AUTHORIZATION_CODE]
    grants = given.get("grant_types", default)
    known = [grant.grant_type for grant in GRANTS if kind in grant.open_to]
    if not isinstance(grants, list) or not grants or not all(isinstance(each, str) for each in grants):
        raise MetadataRefused(f"grant_types is not a list of grant types; there are {', '.join(known)}.")
    unknown = [each for each in grants if each not in known]
    if SWITCHES.keys() >= set(grants):
        raise MetadataRefused(
            f"grant_types names {grants[0]} alone, which no client can register: an administrator switches it on. "
            f"Register another grant type, or ask an administrator for a client with {switching_on(grants[0])}."
        )
    if unknown:
        raise MetadataRefused(
            f"grant_types names {unknown[0][:_SHOWN]!r}, which a {kind} client cannot use here; there are {', '.join(known)}."
        )
    return tuple(dict.fromkeys(grants))


def _require_response_types(given: Mapping[str, Any], grants: tuple[str, ...]) -> None:
    offered = ["code"] if AUTHORIZATION_CODE in grants else []
    types = given.get("response_types", offered)
    if not isinstance(types, list) or not all(each in offered for each in types):
        shown = msgspec.json.encode(types).decode()[:_SHOWN]
        can = "only code" if offered else "none, because authorization_code is not among grant_types"
        raise MetadataRefused(f"response_types is {shown}; there can be {can}.")


def _as_text(refused: ClientRefused) -> str:
    reasons = (f"{reason[:1].upper()}{reason[1:].rstrip('.')}." for reason in refused.reasons)
    return " ".join(filter(None, (refused.detail, *reasons, refused.hint)))
