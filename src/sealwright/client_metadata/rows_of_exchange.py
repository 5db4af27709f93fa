"""Which tokens the client may exchange for its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from sealwright.client_metadata import rules
from sealwright.client_metadata.declaration import MemberDeclaration, SetBy, Verb, VerbEffect


@dataclass(frozen=True, kw_only=True)
class ExchangeRows:
    """Which tokens the client may exchange for its own."""

    token_exchange: Annotated[
        bool,
        MemberDeclaration(
            doc="It may exchange API tokens of service accounts and access tokens for its own access tokens (RFC 8693).",
            label="token exchange",
            set_by=SetBy.ADMINISTRATOR,
            verbs=(
                Verb(
                    name="enable-token-exchange",
                    doc="Let the client exchange tokens that it was given for access tokens of its own (RFC 8693).\n\n"
                    "It takes API tokens of service accounts, and access tokens that were made for the client or are addressed "
                    "to it. What it gets is never wider, and ends with what it was made from.",
                    said="{client} may exchange tokens",
                    example="enable-token-exchange gateway",
                    value=True,
                ),
                Verb(
                    name="disable-token-exchange",
                    doc="Let the client exchange no tokens, as is the default.",
                    said="{client} may not exchange tokens",
                    example="disable-token-exchange gateway",
                    value=False,
                ),
            ),
        ),
    ] = False
    assertion_grant: Annotated[
        bool,
        MemberDeclaration(
            doc="It may present tokens of trusted issuers for its own access tokens, as their rules say (RFC 7523).",
            label="tokens of trusted issuers",
            set_by=SetBy.ADMINISTRATOR,
            verbs=(
                Verb(
                    name="enable-assertion-grant",
                    doc="Let the client present tokens of trusted issuers for access tokens of its own (RFC 7523).\n\n"
                    "Which tokens are taken, and what for, is said by system oauth2 trusted-issuer add-rule.",
                    said="{client} may present tokens of trusted issuers",
                    example="enable-assertion-grant deploy",
                    value=True,
                ),
                Verb(
                    name="disable-assertion-grant",
                    doc="Take no tokens of trusted issuers from the client, as is the default.",
                    said="{client} may not present tokens of trusted issuers",
                    example="disable-assertion-grant deploy",
                    value=False,
                ),
            ),
        ),
    ] = False
    own_resources: Annotated[
        tuple[str, ...],
        MemberDeclaration(
            doc="Its own addresses as a server that takes access tokens: it may exchange tokens that others were given for them.",
            label="own addresses",
            set_by=SetBy.ADMINISTRATOR,
            rule=rules.require_resource,
            verbs=(
                Verb(
                    name="add-own-resource",
                    doc="Say that access tokens for an address are for this client, so that it may exchange them (RFC 8693).",
                    said="Access tokens for {value} are for {client}",
                    example="add-own-resource gateway https://gateway.example.org/",
                    argument="url",
                    effect=VerbEffect.ADD,
                ),
                Verb(
                    name="remove-own-resource",
                    doc="Say that access tokens for an address are not for this client.",
                    said="Access tokens for {value} are not for {client}",
                    example="remove-own-resource gateway https://gateway.example.org/",
                    argument="url",
                    effect=VerbEffect.REMOVE,
                ),
            ),
        ),
    ] = ()
    may_act: Annotated[
        str | None,
        MemberDeclaration(
            doc="Who alone may act with its access tokens in an exchange: the `sub` of a client or service account (`may_act`).",
            label="may act",
            set_by=SetBy.ADMINISTRATOR,
            rule=rules.require_subject_id,
            usual=lambda _client, _defaults: None,
            usual_doc="anyone that may exchange them",
            verbs=(
                Verb(
                    name="set-may-act",
                    doc="Say who alone may act with access tokens of this client in an exchange (RFC 8693, section 4.4).\n\n"
                    "SUBJECT is the sub of a client or service account. Without it, anyone that may exchange them.",
                    said="Access tokens of {client} say who may act with them",
                    example="set-may-act wiki 0b9c8a52-3a55-4a36-9d35-6f0a2f0d1c11",
                    argument="subject",
                    optional=True,
                ),
            ),
        ),
    ] = None
