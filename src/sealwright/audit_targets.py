"""What the targets of audit events are called, and which targets a name stands for, also of what is gone."""

from __future__ import annotations

from collections.abc import Iterable

from sealwright.access import Actor
from sealwright.audit import Audit
from sealwright.ca import ProvisionerRegistry, serial_in, serial_text
from sealwright.db import Database
from sealwright.identity import Directory
from sealwright.oauth import ClientRegistry

_ACCOUNTS = ("person", "service")
MOST_NAMES_OF_GONE = 20
"""Things that are gone whose names one page looks for in the record: there is no index for it."""


class AuditTargets:
    """For readers of the record; the callers check that they are."""

    def __init__(self, db: Database, directory: Directory, clients: ClientRegistry, provisioners: ProvisionerRegistry) -> None:
        self._db = db
        self._directory = directory
        self._clients = clients
        self._provisioners = provisioners

    async def names(self, targets: Iterable[str], actor: Actor) -> dict[str, str]:
        """The name of each target that has one, or the last one that it had."""
        found: dict[str, str] = {}
        left = MOST_NAMES_OF_GONE
        for target in dict.fromkeys(targets):
            kind, _, number = target.partition(":")
            name = await self._name(kind, number, actor)
            if name is None and left:
                left -= 1
                name = await Audit.name_of(self._db, target)
            if name is not None:
                found[target] = name
        return found

    async def called(self, kind: str, name: str, actor: Actor) -> tuple[str, ...]:
        """Targets that have or had this name, that of today first, and that of this id; InvalidInput for a bad serial."""
        if kind == "certificate":
            return (f"certificate:{serial_text(serial_in(name))}",)
        present = await self.present(kind, name, actor)
        gone = await Audit.targets_called(self._db, kind, name)
        return tuple(dict.fromkeys([*([present] if present else []), *gone, f"{kind}:{name}"]))

    async def present(self, kind: str, name: str, actor: Actor) -> str | None:
        """The target of what is called so today."""
        if kind in _ACCOUNTS:
            account = await self._directory.find(name)
            return None if account is None else account.reference
        if kind == "group":
            group = await self._directory.find_group(name)
            return None if group is None else f"group:{group.id}"
        if kind == "client":
            client_id = await self._clients.id_of(name, actor=actor)
            return None if client_id is None else f"client:{client_id}"
        if kind == "provisioner":
            found = await self._provisioners.find_named(name)
            return None if found is None else f"provisioner:{found.id}"
        return None

    async def _name(self, kind: str, number: str, actor: Actor) -> str | None:
        if kind in _ACCOUNTS:
            account = await self._directory.account(number)
            return None if account is None else account.name
        if kind == "group":
            group = await self._directory.find_group(number)
            return None if group is None else group.name
        if kind == "client":
            return await self._clients.name_of(number, actor=actor)
        if kind == "provisioner":
            provisioner = await self._provisioners.find(number)
            return None if provisioner is None else provisioner.name
        return None
