"""What an exchange may make of the tokens that are presented. Pure decisions; each refusal says what decided."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sealwright.oauth import policy
from sealwright.oauth.confirmation import Confirmation
from sealwright.oauth.errors import MalformedTokenRequest, ScopeRefused, TargetRefused
from sealwright.oauth.exchange.models import PresentedParty
from sealwright.oauth.models import Client, TokenOrigin
from sealwright.oauth.requested_scopes import require_open

MOST_EXCHANGES = 4
"""That may follow one another: each use of the last token looks at all before it."""
_NEVER_GRANTED = frozenset({"openid"}) | policy.PROTOCOL_SCOPES
"""There is no ID token and no refresh token in an exchange."""


def require_subject(client: Client, subject: PresentedParty) -> None:
    """Raise MalformedTokenRequest where a client may not exchange this token."""
    if subject.client is None:
        return
    if subject.exchanges >= MOST_EXCHANGES:
        raise MalformedTokenRequest(
            f"The subject_token was exchanged {subject.exchanges} times already, which is the most. Exchange one from before."
        )
    if subject.client.id == client.id or is_addressed_to(client, subject):
        return
    if client.is_public:
        raise MalformedTokenRequest(
            f"{client.name} is a public client, whose name proves nothing: it exchanges no tokens of {subject.client.name}. Use "
            "a confidential client."
        )
    raise MalformedTokenRequest(
        f"The subject_token was made for {subject.client.name} and is addressed to {', '.join(subject.audience)[:200]}, not to "
        f"{client.name}. To let it be exchanged: sealwright system oauth2 add-own-resource {client.name} URL"
    )


def is_addressed_to(client: Client, subject: PresentedParty) -> bool:
    """Whether a client is among those for whom the token is. Only one that proves itself takes tokens of others."""
    if subject.client is not None and subject.client.id == client.id:
        return client.name in subject.audience
    return not client.is_public and any(each in client.own_resources for each in subject.audience)


def require_actor(client: Client, subject: PresentedParty, actor: PresentedParty | None) -> None:
    """Raise MalformedTokenRequest where the one who acts may not act for the subject."""
    if actor is not None and actor.client is not None and actor.client.id != client.id:
        raise MalformedTokenRequest(
            f"The actor_token was made for {actor.client.name}, not for {client.name}. Present a token of {client.name}, or an "
            "API token."
        )
    if actor is not None and actor.subject == subject.subject:
        raise MalformedTokenRequest(f"The actor_token is of {actor.name}, who is the subject already. Leave actor_token out.")
    allowed = None if subject.may_act is None else subject.may_act.get("sub")
    acting = client.id if actor is None else actor.subject
    if subject.may_act is not None and allowed != acting:
        raise MalformedTokenRequest(
            f"The subject_token lets {str(allowed)[:64]} act alone (may_act), and {acting} wants to. Present an actor_token of "
            "that one."
        )


def require_key(client: Client, party: PresentedParty, shown: Confirmation | None) -> None:
    """Raise MalformedTokenRequest where a bound token would be used without its key, or become one that anyone can use."""
    if party.confirmation is None:
        return
    if party.client is not None and party.client.id == client.id:
        if shown is None or shown.text != party.confirmation.text:
            raise MalformedTokenRequest(
                "The token that is exchanged is bound to a key. Ask with a DPoP proof by that key, or with that certificate."
            )
    elif shown is None:
        raise MalformedTokenRequest(
            f"The token that is exchanged is bound to a key, so what {client.name} gets for it has to be bound, too. Send a DPoP "
            f"proof, or: sealwright system oauth2 enable-certificate-bound-tokens {client.name}"
        )


def resources_of(client: Client, subject: PresentedParty, asked: Collection[str]) -> tuple[str, ...]:
    """Whom the new token is for, none where it is the client itself; raises TargetRefused.

    A client that holds a token for others may narrow it to some of them. One that the token is addressed to may go on to
    what is registered for it.
    """
    refused = policy.refused_resource(client, asked)
    if refused:
        raise TargetRefused(refused)
    if subject.client is None or is_addressed_to(client, subject):
        return tuple(asked)
    beyond = [each for each in asked if each not in subject.audience]
    if beyond:
        raise TargetRefused(
            f"The subject_token is for {', '.join(subject.audience)[:200]}, and cannot become one for {beyond[0][:200]}. Ask for "
            "one of those."
        )
    return tuple(asked) or subject.audience


def scopes_of(reached: Collection[str], subject: PresentedParty, asked: str | None) -> tuple[str, ...]:
    """The scopes of the new token; raises ScopeRefused. `reached`: what the subject may have at the client now."""
    before = reached if subject.client is None else subject.scopes
    open_to_it = tuple(sorted(scope for scope in before if scope in reached and scope not in _NEVER_GRANTED))
    if asked is None:
        if not open_to_it and (subject.holder is not None or subject.scopes):
            raise ScopeRefused(
                f"{subject.name} may have no scope here: none that its token has is given to its groups by a scope map of the "
                "client. See the maps: sealwright system oauth2 get."
            )
        return open_to_it
    return require_open(asked, open_to_it, "The scope {} is not open to this exchange, which never widens.")


def origin_of(subject: PresentedParty, actor: PresentedParty | None) -> TokenOrigin:
    """What the new token is made from, with the chain of those who act: the newest is outermost (RFC 8693, section 4.1)."""
    act: Mapping[str, Any] | None = subject.act
    if actor is not None:
        named = {} if actor.client is None else {"client_id": actor.client.name}
        act = {"sub": actor.subject, **named, **({} if subject.act is None else {"act": subject.act})}
    exchanges = 1 + max(subject.exchanges, 0 if actor is None else actor.exchanges)
    sources = (subject.source,) if actor is None else (subject.source, actor.source)
    return TokenOrigin(subject.subject, sources, act, exchanges)
