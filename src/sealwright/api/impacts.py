"""What a deletion would end, counted before it is confirmed."""

from __future__ import annotations

from msgspec import Struct

from sealwright.access import Permission, require
from sealwright.api.operations import Call, Operation
from sealwright.ca import Inventory, ProvisionerRegistry
from sealwright.identity import Credentials, Directory
from sealwright.oauth import ClientRegistry


class PersonImpact(Struct, frozen=True, kw_only=True):
    """What ends with a person."""

    name: str
    sessions: int
    certificates: int
    """Valid ones. They stay valid until they expire, and cannot be renewed."""
    consents: int
    authorizations: int
    """Authorizations of applications that hold tokens for the person."""


class GroupImpact(Struct, frozen=True, kw_only=True):
    """What ends with a group."""

    members: int
    """People and groups that are in it directly."""
    used_by: list[str]
    """Scope maps of clients, and provisioners, in words."""


class ClientImpact(Struct, frozen=True, kw_only=True):
    """What ends with a client."""

    scope_maps: int
    redirect_urls: int
    consents: int
    authorizations: int
    used_by: list[str]
    """Provisioners that trust it, in words."""


class ProvisionerImpact(Struct, frozen=True, kw_only=True):
    """What a provisioner vouched for."""

    certificates: int
    """Valid ones. They stay valid until they expire, and cannot be renewed."""


class ImpactOperations:
    """Operations that count. Each needs the permission of the deletion."""

    def __init__(
        self,
        directory: Directory,
        credentials: Credentials,
        clients: ClientRegistry,
        provisioners: ProvisionerRegistry,
        inventory: Inventory,
    ) -> None:
        self._directory = directory
        self._credentials = credentials
        self._clients = clients
        self._provisioners = provisioners
        self._inventory = inventory

    def operations(self) -> list[Operation]:
        """All of them."""
        return [
            Operation(
                "get_person_impact",
                "GET",
                "/persons/{name}/impact",
                "Count what ends when a person is deleted, disabled, or given another password.",
                str(Permission.PERSON_WRITE),
                self._person,
                returns=PersonImpact,
            ),
            Operation(
                "get_group_impact",
                "GET",
                "/groups/{name}/impact",
                "Count what ends when a group is deleted.",
                str(Permission.GROUP_WRITE),
                self._group,
                returns=GroupImpact,
            ),
            Operation(
                "get_client_impact",
                "GET",
                "/oauth2/clients/{name}/impact",
                "Count what ends when a client is deleted.",
                str(Permission.CLIENT_WRITE),
                self._client,
                returns=ClientImpact,
            ),
            Operation(
                "get_provisioner_impact",
                "GET",
                "/provisioners/{name}/impact",
                "Count the certificates that are not renewed any more when a provisioner is removed.",
                str(Permission.PROVISIONER_WRITE),
                self._provisioner,
                returns=ProvisionerImpact,
            ),
        ]

    async def _person(self, call: Call) -> PersonImpact:
        account, sessions = await self._directory.impact_of_deletion_of_person(call.path("name"), actor=call.actor)
        grants = await self._clients.access_given_by(account.id, actor=call.actor)
        return PersonImpact(
            name=self._directory.spn_of(account),
            sessions=sessions,
            certificates=await self._credentials.certificates_of(account.id),
            consents=grants.consents,
            authorizations=grants.authorizations,
        )

    async def _group(self, call: Call) -> GroupImpact:
        members, used_by = await self._directory.impact_of_deletion_of_group(call.path("name"), actor=call.actor)
        return GroupImpact(members=members, used_by=used_by)

    async def _client(self, call: Call) -> ClientImpact:
        client, grants, used_by = await self._clients.impact_of_deletion(call.path("name"), actor=call.actor)
        return ClientImpact(
            scope_maps=len(client.scope_maps),
            redirect_urls=len(client.redirect_uris),
            consents=grants.consents,
            authorizations=grants.authorizations,
            used_by=list(used_by),
        )

    async def _provisioner(self, call: Call) -> ProvisionerImpact:
        require(call.actor, Permission.PROVISIONER_WRITE)
        found = await self._provisioners.named(call.path("name"))
        return ProvisionerImpact(certificates=await self._inventory.count_by(call.actor, found.id))
