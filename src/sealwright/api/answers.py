"""From the nouns of the domain to what the API gives."""

from __future__ import annotations

from datetime import timedelta
from typing import overload

import msgspec

from sealwright.api import models
from sealwright.clock import Instant, to_rfc3339
from sealwright.identity import Account, Directory, Group, Session
from sealwright.oauth import ClientConfiguration


@overload
def moment(instant: Instant) -> str: ...
@overload
def moment(instant: None) -> None: ...
@overload
def moment(instant: Instant | None) -> str | None: ...
def moment(instant: Instant | None) -> str | None:
    """An instant as text, or None."""
    return None if instant is None else to_rfc3339(instant)


def account_summary(directory: Directory, account: Account) -> models.AccountSummary:
    """Who an account is."""
    return models.AccountSummary(
        id=account.id, name=account.name, spn=directory.spn_of(account), display_name=account.display_name
    )


def person(directory: Directory, account: Account, now: Instant) -> models.PersonAnswer:
    """An account in a list."""
    standing = account.standing(now)
    return models.PersonAnswer(
        id=account.id,
        kind=str(account.kind),
        name=account.name,
        spn=directory.spn_of(account),
        display_name=account.display_name,
        mails=[models.MailAnswer(address=mail.address, verified=mail.verified) for mail in account.mails],
        state="active" if standing.active else "disabled" if account.disabled_at is not None else "not valid",
        state_reason=standing.reason,
        valid_from=moment(account.valid_from),
        valid_until=moment(account.valid_until),
        created_at=moment(account.created_at),
        updated_at=moment(account.updated_at),
    )


def person_details(directory: Directory, account: Account, groups: tuple[Group, ...], now: Instant) -> models.PersonDetails:
    """An account with its groups."""
    shown = msgspec.structs.asdict(person(directory, account, now))
    return models.PersonDetails(**shown, groups=[group.name for group in groups])


def group(found: Group) -> models.GroupAnswer:
    """A group in a list."""
    return models.GroupAnswer(
        id=found.id,
        name=found.name,
        description=found.description,
        builtin=found.builtin,
        created_at=moment(found.created_at),
    )


def session(found: Session, current_id: str) -> models.SessionAnswer:
    """One sign-in; `current_id` is the session that asks."""
    return models.SessionAnswer(
        id=found.id,
        kind=str(found.kind),
        methods=found.methods,
        address=found.address,
        user_agent=found.user_agent,
        created_at=moment(found.created_at),
        last_seen_at=moment(found.last_seen_at),
        expires_at=moment(found.expires_at),
        current=found.id == current_id,
    )


def client(found: ClientConfiguration) -> models.ClientAnswer:
    """An OAuth client."""
    return models.ClientAnswer(
        name=found.name,
        display_name=found.display_name,
        kind=str(found.kind),
        landing_url=found.landing_url,
        redirect_urls=found.redirect_uris,
        localhost_redirects=found.localhost_redirects,
        http_redirects=found.http_redirects,
        scope_maps=[models.ScopeMapAnswer(group=each.group_name, scopes=each.scopes) for each in found.scope_maps],
        require_pkce=found.require_pkce,
        signing_algorithm=str(found.signing_algorithm),
        consent_prompt=found.consent_prompt,
        partial_scopes=found.partial_scopes,
        short_username=found.short_username,
        refresh_seconds=found.refresh_lifetime // timedelta(seconds=1),
        refresh_grace_seconds=found.refresh_grace // timedelta(seconds=1),
        issuer_url=found.issuer_url,
        discovery_url=found.configuration_url,
        created_at=moment(found.created_at),
        updated_at=moment(found.updated_at),
    )
