"""What is kept about people beside names and mail addresses."""

from __future__ import annotations

from collections.abc import Mapping

from sealwright.access import Actor, Permission
from sealwright.api.operations import OWN, Call, Operation
from sealwright.api.persons import AttributesBody, ProfileView, SshKeyBody
from sealwright.identity import Account, Directory

_READ = f"{OWN}; for others {Permission.PERSON_READ}"
_WRITE = f"{OWN}; for others {Permission.PERSON_WRITE}"
_PROFILE = "/persons/{name}/profile"
_KEY = "/persons/{name}/ssh-public-keys/{tag}"


class ProfileOperations:
    """Operations about attributes and SSH public keys. Each returns the profile as it is then."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def operations(self) -> list[Operation]:
        """All of them."""
        view = ProfileView
        return [
            Operation(
                "get_profile", "GET", _PROFILE, "Show a person's attributes and SSH public keys.", _READ, self._get, returns=view
            ),
            Operation(
                "update_profile",
                "PATCH",
                _PROFILE,
                "Set attributes of a person.",
                _WRITE,
                self._update,
                returns=view,
                accepts=AttributesBody,
                owns=self._is_own,
            ),
            Operation(
                "add_ssh_key",
                "POST",
                _KEY,
                "Add an SSH public key of a person.",
                _WRITE,
                self._add_key,
                returns=view,
                accepts=SshKeyBody,
                owns=self._is_own,
            ),
            Operation(
                "delete_ssh_key",
                "DELETE",
                _KEY,
                "Delete an SSH public key of a person.",
                _WRITE,
                self._delete_key,
                returns=view,
            ),
        ]

    async def _is_own(self, actor: Actor, path: Mapping[str, str]) -> bool:
        account = await self._directory.find(path["name"])
        return account is not None and account.id == actor.id

    async def _get(self, call: Call) -> ProfileView:
        return await self._view(await self._directory.show_person(call.path("name"), actor=call.actor))

    async def _update(self, call: Call) -> ProfileView:
        body: AttributesBody = call.body
        return await self._view(await self._directory.set_attributes(call.path("name"), body.attributes, actor=call.actor))

    async def _add_key(self, call: Call) -> ProfileView:
        name, tag, key = call.path("name"), call.path("tag"), call.body.public_key
        return await self._view(await self._directory.add_ssh_key(name, tag, key, actor=call.actor))

    async def _delete_key(self, call: Call) -> ProfileView:
        return await self._view(await self._directory.delete_ssh_key(call.path("name"), call.path("tag"), actor=call.actor))

    async def _view(self, account: Account) -> ProfileView:
        attributes = await self._directory.attributes_of(account.id)
        keys = await self._directory.ssh_keys_of(account.id)
        return ProfileView(
            name=account.name,
            attributes={name: each.value for name, each in attributes.items()},
            ssh_public_keys={key.tag: key.public_key for key in keys},
        )
