"""What the authorization server needs to know of people and their sessions. `identity` implements it."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from sealwright.access import Actor
from sealwright.db import Database, Transaction
from sealwright.identity import Account, ApiToken, Group, PersonAttribute, Session, SessionKind, SignedIn, SshKey


class PeopleLookup(Protocol):
    """Accounts and groups as they are now."""

    async def account(self, account_id: str) -> Account | None:
        """The account, or None."""
        ...

    async def find(self, name_or_spn_or_id: str, /) -> Account | None:
        """The account that is called so, or None."""
        ...

    async def groups_of(self, account_id: str) -> tuple[Group, ...]:
        """Every group that the account is in, directly or through nested groups."""
        ...

    async def find_group(self, name_or_spn_or_id: str, /) -> Group | None:
        """The group that is called so, or None."""
        ...

    async def attributes_of(self, account_id: str) -> dict[str, PersonAttribute]:
        """What is kept about the person beside names and mail addresses, by name."""
        ...

    async def ssh_keys_of(self, account_id: str) -> tuple[SshKey, ...]:
        """The person's SSH public keys, by tag."""
        ...

    def spn_of(self, account: Account) -> str:
        """``alice@example.org``."""
        ...


class ApiTokenLookup(Protocol):
    """API tokens of service accounts as they are now."""

    async def resolve(self, api_token: str, address: str) -> SignedIn | None:
        """Who holds the token, where it and its account are valid now."""
        ...

    async def with_account(self, token_id: str) -> tuple[ApiToken, Account] | None:
        """The token with an id and the account whose it is, whether they are valid or not."""
        ...


class AccountAuthority(Protocol):
    """Whether someone may decide about an account: not about one that may do more than they may themselves."""

    async def require_over_account(self, reader: Database | Transaction, actor: Actor, account: Account, verb: str, /) -> None:
        """Raise NotPermitted unless the actor holds every permission that the account has."""
        ...


class SessionLookup(Protocol):
    """Sessions as they are now."""

    async def resolve(
        self, session_token: str, address: str, *, kind: SessionKind, even_restricted: bool = False, touch: bool = True
    ) -> SignedIn | None:
        """Who is behind a session cookie, where the session is valid."""
        ...

    async def with_account(self, session_id: str) -> tuple[Session, Account] | None:
        """One session and the account whose it is, whether they hold or not."""
        ...


class IdentityLookups(Struct, frozen=True):
    """All of them."""

    directory: PeopleLookup
    """`identity.Directory`."""
    sessions: SessionLookup
    """`identity.Sessions`."""
    api_tokens: ApiTokenLookup
    """`identity.ApiTokens`."""
    authority: AccountAuthority
    """`identity.AuthorizedChanges`."""
