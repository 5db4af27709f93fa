"""The facts about a person that go into tokens, read at each use and only as far as the scopes need them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sealwright.identity import Account, Group, PersonAttribute
from sealwright.oauth import policy
from sealwright.oauth import store as oauth_store
from sealwright.oauth.claims import ATTRIBUTE_SCOPES, GROUP_SCOPES, AskedClaim, Subject, grantable
from sealwright.oauth.claims_request import Values
from sealwright.oauth.client_scopes import scopes_of_client
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.lookups import PeopleLookup
from sealwright.oauth.maps import store
from sealwright.oauth.maps.rules import mapped_claims
from sealwright.oauth.models import Client


class SubjectLookup:
    """The one place where ID tokens, userinfo and the consent page get their facts from."""

    def __init__(self, dependencies: OAuthDependencies, directory: PeopleLookup) -> None:
        self._db = dependencies.db
        self._directory = directory

    async def scopes_still_granted(
        self, account: Account, client: Client, scopes: tuple[str, ...]
    ) -> tuple[tuple[str, ...], tuple[Group, ...]]:
        """The scopes that the person may grant now, and their groups: anyone who left a group lost its scopes with it."""
        groups = await self._directory.groups_of(account.id)
        held = await oauth_store.held_scopes_by_group(self._db, client.id)
        return policy.still_granted(scopes, policy.available_scopes(held, {group.id for group in groups})), groups

    async def scopes_that_count(self, client: Client, account: Account | None, held: tuple[str, ...]) -> tuple[str, ...]:
        """Of the scopes of an access token, those that its person may grant now, or that the maps of the client name."""
        if account is not None:
            return (await self.scopes_still_granted(account, client, held))[0]
        open_to_it = await scopes_of_client(self._db, client)
        return tuple(scope for scope in held if scope in open_to_it)

    async def subject_of(
        self,
        account: Account,
        client: Client,
        scopes: Collection[str],
        *,
        groups: tuple[Group, ...] | None = None,
        asked: Mapping[str, Values] | None = None,
    ) -> Subject:
        """The person as one client with these scopes may know them. `groups`: the person's, where they are known already.

        `asked`: claims that the client was granted one by one; they are in the tokens as long as the person may grant them.
        """
        single_claims: tuple[AskedClaim, ...] = ()
        if asked:
            groups = groups if groups is not None else await self._directory.groups_of(account.id)
            single_claims = await self.grantable(client, groups, asked)
            scopes = {*scopes, *(each.scope for each in single_claims)}
        if groups is None and (client.has_claim_maps or not GROUP_SCOPES.isdisjoint(scopes)):
            groups = await self._directory.groups_of(account.id)
        mapped = {}
        if client.has_claim_maps:
            maps = await store.claim_maps(self._db, client.id)
            mapped = mapped_claims(maps, {group.id for group in groups or ()})
        attributes: dict[str, PersonAttribute] = {}
        keys: tuple[str, ...] = ()
        if not ATTRIBUTE_SCOPES.isdisjoint(scopes):
            attributes = await self._directory.attributes_of(account.id)
        if "ssh_publickeys" in scopes:
            keys = tuple(key.public_key for key in await self._directory.ssh_keys_of(account.id))
        return Subject(account, groups or (), self._directory.spn_of(account), mapped, attributes, keys, single_claims)

    async def grantable(self, client: Client, groups: tuple[Group, ...], asked: Mapping[str, Values]) -> tuple[AskedClaim, ...]:
        """Of claims that are asked for one by one, those that a member of these groups may grant to the client."""
        held = await oauth_store.held_scopes_by_group(self._db, client.id) if asked else {}
        return grantable(asked, policy.available_scopes(held, {group.id for group in groups}))
