"""Where people come back to after they sign out, and how the client learns that a session ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from sealwright.client_metadata.declaration import MemberDeclaration, SetBy, Verb, VerbEffect
from sealwright.client_metadata.redirect_uris import (
    require_backchannel_uri,
    require_clients_redirect_uri,
    require_frontchannel_uri,
)


@dataclass(frozen=True, kw_only=True)
class LogoutRows:
    """Where people come back to after they sign out, and how the client learns that a session ended."""

    post_logout_redirect_uris: Annotated[
        tuple[str, ...],
        MemberDeclaration(
            doc="Addresses that people may come back to after the client sent them to sign out, compared exactly.",
            label="post-logout redirect URLs",
            set_by=SetBy.REGISTRATION,
            rule=require_clients_redirect_uri,
            verbs=(
                Verb(
                    name="add-post-logout-redirect-url",
                    doc="Allow an address that people may come back to after they signed out.",
                    said="{client} may have people sent to {value} after they sign out",
                    example="add-post-logout-redirect-url wiki https://wiki.example.org/goodbye",
                    argument="url",
                    effect=VerbEffect.ADD,
                ),
                Verb(
                    name="remove-post-logout-redirect-url",
                    doc="No longer allow an address after signing out.",
                    said="{client} may no longer have people sent to {value} after they sign out",
                    example="remove-post-logout-redirect-url wiki https://wiki.example.org/goodbye",
                    argument="url",
                    effect=VerbEffect.REMOVE,
                ),
            ),
        ),
    ] = ()
    backchannel_logout_uri: Annotated[
        str | None,
        MemberDeclaration(
            doc="Address to which the server posts a logout token when a session of the client ends.",
            label="back-channel logout URL",
            set_by=SetBy.REGISTRATION,
            rule=require_backchannel_uri,
            usual=lambda _client, _defaults: "",
            usual_doc="none: the client is not notified",
            verbs=(
                Verb(
                    name="set-backchannel-logout-url",
                    doc="Say where this server posts a logout token when a session ends; without URL nowhere.\n\n"
                    "The server calls this address itself: a private network must be listed under outbound.allow_private.",
                    said="The back-channel logout URL of {client} is changed",
                    example="set-backchannel-logout-url wiki https://wiki.example.org/backchannel-logout",
                    argument="url",
                    optional=True,
                ),
            ),
        ),
    ] = None
    backchannel_logout_session_required: Annotated[
        bool,
        MemberDeclaration(
            doc="The client needs `sid` in logout tokens. They always have it.",
            label="back-channel logout needs sid",
            set_by=SetBy.REGISTRATION,
        ),
    ] = False
    frontchannel_logout_uri: Annotated[
        str | None,
        MemberDeclaration(
            doc="Address that the browser loads in a hidden frame when the person signs out in it.",
            label="front-channel logout URL",
            set_by=SetBy.REGISTRATION,
            rule=require_frontchannel_uri,
            usual=lambda _client, _defaults: "",
            usual_doc="none: the browser loads nothing",
            verbs=(
                Verb(
                    name="set-frontchannel-logout-url",
                    doc="Say which address of the client the browser loads when a person signs out; without URL none.",
                    said="The front-channel logout URL of {client} is changed",
                    example="set-frontchannel-logout-url wiki https://wiki.example.org/frontchannel-logout",
                    argument="url",
                    optional=True,
                ),
            ),
        ),
    ] = None
    frontchannel_logout_session_required: Annotated[
        bool,
        MemberDeclaration(
            doc="The front-channel logout URL is loaded with `iss` and `sid`.",
            label="front-channel logout sends sid",
            set_by=SetBy.REGISTRATION,
            verbs=(
                Verb(
                    name="enable-frontchannel-logout-session",
                    doc="Load the front-channel logout URL with iss and sid.",
                    said="The front-channel logout URL of {client} is loaded with iss and sid",
                    example="enable-frontchannel-logout-session wiki",
                    value=True,
                ),
                Verb(
                    name="disable-frontchannel-logout-session",
                    doc="Load the front-channel logout URL as it is.",
                    said="The front-channel logout URL of {client} is loaded without iss and sid",
                    example="disable-frontchannel-logout-session wiki",
                    value=False,
                ),
            ),
        ),
    ] = False
