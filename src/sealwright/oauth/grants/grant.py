"""What a grant type is."""

from __future__ import annotations

from typing import ClassVar, Protocol

from msgspec import Struct

from sealwright.access import Actor
from sealwright.client_metadata import ClientKind
from sealwright.oauth.access_tokens import AccessTokens
from sealwright.oauth.client_authentication.key_sets import ClientKeySets
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.grants.grant_result import CompleteGrant, GrantResult
from sealwright.oauth.lookups import ApiTokenLookup, PeopleLookup
from sealwright.oauth.models import Client
from sealwright.oauth.token_families import TokenFamilies
from sealwright.oauth.token_request import TokenRequest


class GrantDependencies(Struct, frozen=True):
    """What a grant type may need."""

    oauth: OAuthDependencies
    families: TokenFamilies
    directory: PeopleLookup
    access_tokens: AccessTokens
    api_tokens: ApiTokenLookup
    key_sets: ClientKeySets


class Grant(Protocol):
    """One grant type; `GRANTS` lists all of them."""

    grant_type: ClassVar[str]
    standard: ClassVar[str]
    """Where it is defined, for the reference."""
    open_to: ClassVar[frozenset[ClientKind]]

    def __init__(self, dependencies: GrantDependencies) -> None:
        """Every grant type is built alike."""
        ...

    async def redeem(self, client: Client, request: TokenRequest, actor: Actor, complete: CompleteGrant) -> GrantResult:
        """Use up what the client presents, once `complete` has added what the tokens need; raises TokenRequestRefused."""
        ...
