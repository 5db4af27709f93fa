"""Accounts of programs: they have API tokens, and no password."""

from __future__ import annotations

from sealwright.access import Actor, Permission, require
from sealwright.audit import Event
from sealwright.db import Database, Transaction
from sealwright.entropy import uuid4
from sealwright.errors import Action, Remedy
from sealwright.identity.directory import store
from sealwright.identity.directory.lookup import LONGEST_PAGE, PAGE, DirectoryLookup
from sealwright.identity.directory.people import insert_person, new_account
from sealwright.identity.errors import AccountNotFound
from sealwright.identity.models import Account, AccountKind
from sealwright.identity.policy import local_name, printable, searchable


class ServiceAccounts(DirectoryLookup):
    """What only they have; names, validity and state are changed as those of people."""

    async def create_service_account(
        self, name: str, display_name: str, *, managed_by: str | None = None, actor: Actor
    ) -> Account:
        """Create one, without a token. `managed_by`: account or group that may make tokens of it."""
        draft = new_account(uuid4(self._entropy), name, display_name, (), self._clock.now(), AccountKind.SERVICE)

        async def body(tx: Transaction) -> Account:
            await store.lock_directory(tx)
            await insert_person(tx, draft)
            await store.set_account_manager(tx, draft.id, await self._manager_in(tx, managed_by), draft.created_at)
            details = {"name": draft.name, "managed_by": managed_by}
            await self._audit.record(tx, Event.SERVICE_ACCOUNT_CREATED, actor=actor, target=draft.reference, details=details)
            return await self._account_in(tx, draft.id)

        return await self._changes.run(Event.SERVICE_ACCOUNT_CREATED, Permission.PERSON_WRITE, actor, f"service:{name}", body)

    async def set_service_account_manager(self, who: str, manager: str | None, *, actor: Actor) -> Account:
        """Let an account, or the members of a group, make and revoke tokens of it; None takes it back."""

        async def body(tx: Transaction) -> Account:
            await store.lock_directory(tx)
            account = self.known_service_account(await self.service_account_in(tx, who), who)
            await self._changes.require_over_account(tx, actor, account, "set the manager of")
            found = await self._manager_in(tx, manager)
            await store.set_account_manager(tx, account.id, found, self._clock.now())
            details = {"managed_by": found, "managed_by_before": account.managed_by}
            await self._audit.record(tx, Event.PERSON_UPDATED, actor=actor, target=account.reference, details=details)
            return await self._account_in(tx, account.id)

        return await self._changes.run(Event.PERSON_UPDATED, Permission.PERSON_WRITE, actor, f"service:{who}", body)

    async def list_service_accounts(
        self, *, actor: Actor, search: str = "", beyond: str = "", at_most: int = PAGE
    ) -> tuple[Account, ...]:
        """Service accounts by name, after the name `beyond`."""
        require(actor, Permission.PERSON_READ)
        text, after = searchable(search), searchable(beyond)
        most = min(max(at_most, 1), LONGEST_PAGE)
        return tuple(await store.accounts_page(self._db, AccountKind.SERVICE, search=text, beyond=after, at_most=most))

    async def show_service_account(self, who: str, *, actor: Actor) -> Account:
        """One of them, for itself, for the one who manages it, and for actors who may read people."""
        found = await self.service_account_in(self._db, who)
        if (found is None or found.id != actor.id) and not await self.manages(self._db, actor, found):
            require(actor, Permission.PERSON_READ)
        return self.known_service_account(found, who)

    async def changeable_service_account(self, who: str, event: Event, *, actor: Actor) -> str:
        """The id of a service account, for a change by one of the verbs for all accounts, which `actor` may make."""
        await self._changes.require(event, Permission.PERSON_WRITE, actor, f"service:{who}")
        return self.known_service_account(await self.service_account_in(self._db, who), who).id

    async def service_account_in(self, reader: Database | Transaction, who: str) -> Account | None:
        """The service account with this name, SPN or id."""
        found = await store.find_account(reader, local_name(who, self._domain))
        return found if found is not None and found.kind is AccountKind.SERVICE else None

    @staticmethod
    def known_service_account(found: Account | None, who: str) -> Account:
        """It, or AccountNotFound where there is none."""
        if found is None:
            raise AccountNotFound(
                f"There is no service account {printable(who, 80)!r}.", remedy=Remedy(Action.LIST_SERVICE_ACCOUNTS)
            )
        return found
