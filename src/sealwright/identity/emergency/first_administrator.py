"""The first administrator without the welcome link: by a token that the server was started with, or by a provider's group."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from dataclasses import dataclass, field

from sealwright.access import MANUAL_SOURCE, Role, RoleGrant, anonymous
from sealwright.access import store as access_store
from sealwright.audit import Audit, Event
from sealwright.clock import Clock
from sealwright.db import Database, Transaction
from sealwright.entropy import Entropy, token, uuid4
from sealwright.errors import Action, Remedy
from sealwright.identity.api_tokens import store as api_tokens
from sealwright.identity.api_tokens.api_tokens import API_TOKEN_PREFIX
from sealwright.identity.directory.authorized_changes import has_administrator
from sealwright.identity.directory.people import insert_person, new_account
from sealwright.identity.directory.store import add_member, find_group, lock_directory
from sealwright.identity.emergency import store
from sealwright.identity.emergency.errors import BootstrapClosed, BootstrapTokenRefused
from sealwright.identity.models import Account, AccountKind, ApiToken, NewApiToken
from sealwright.identity.policy import check_name, secret_digest

ADMINISTRATORS = "system_admins"
USUAL_NAME = "bootstrap"
LABEL = "bootstrap"


@dataclass(frozen=True, slots=True)
class FirstAdministratorRules:
    """Who may become the first administrator. Empty: no one in this way."""

    token: str = field(default="", repr=False)
    groups: frozenset[str] = frozenset()
    provider_id: str = ""


NO_ONE = FirstAdministratorRules()


class FirstAdministrator:
    """Each way is open only while no account that administers the server can sign in; the directory's lock decides races."""

    def __init__(self, db: Database, audit: Audit, clock: Clock, entropy: Entropy, rules: FirstAdministratorRules) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._rules = rules

    async def is_open(self) -> bool:
        """Whether a token would be taken now."""
        rules = self._rules
        if not rules.token or await store.is_used(self._db, secret_digest(rules.token)):
            return False
        return not await has_administrator(self._db, self._clock.now())

    async def by_token(self, given: str, name: str, *, address: str) -> NewApiToken:
        """Make a service account that administers the server; its API token is returned only here."""
        wanted = name or USUAL_NAME
        if not await self.is_open():
            raise _closed()
        if not hmac.compare_digest(secret_digest(given), secret_digest(self._rules.token)):
            await self._audit.refused(
                self._db,
                Event.BOOTSTRAP_TOKEN_USED,
                actor=anonymous(address),
                target="account:unknown",
                reason="wrong token",
                details={"reason": "the token is not the one that the server was started with"},
            )
            raise BootstrapTokenRefused(
                "The bootstrap token is wrong.", hint="It is what SEALWRIGHT_BOOTSTRAP_TOKEN held when the server was started."
            )
        check_name(wanted)
        secret = API_TOKEN_PREFIX + token(self._entropy)
        account = new_account(uuid4(self._entropy), wanted, "First administrator", (), self._clock.now(), AccountKind.SERVICE)

        async def body(tx: Transaction) -> ApiToken:
            await lock_directory(tx)
            now = self._clock.now()
            group = await find_group(tx, ADMINISTRATORS)
            if group is None or await has_administrator(tx, now):
                raise _closed()
            if not await store.use_token(tx, secret_digest(self._rules.token), now):
                raise _closed()
            await insert_person(tx, account)
            await add_member(tx, group.id, account)
            made = ApiToken(uuid4(self._entropy), account.id, LABEL, False, now, None, None, "")  # noqa: FBT003 - not read-only
            await api_tokens.insert_token(tx, made, secret_digest(secret))
            actor = account.as_actor(address=address)
            details = {"name": account.name, "token": made.id, "address": address}
            await self._audit.record(tx, Event.BOOTSTRAP_TOKEN_USED, actor=actor, target=account.reference, details=details)
            return made

        return NewApiToken(secret, await self._db.write(body))

    async def may_become(self, tx: Transaction, provider_id: str, groups: Collection[str]) -> bool:
        """Whether someone in these groups of a provider would become the first administrator. The directory is locked."""
        rules = self._rules
        if not rules.provider_id or provider_id != rules.provider_id or rules.groups.isdisjoint(groups):
            return False
        return not await has_administrator(tx, self._clock.now())

    async def appoint(self, tx: Transaction, account: Account, provider_id: str, *, address: str) -> None:
        """Grant the administrator's role to someone who may become it. It stays, whatever their groups are later."""
        grant = RoleGrant(
            id=uuid4(self._entropy),
            role=str(Role.ADMINISTRATOR),
            account_id=account.id,
            source=MANUAL_SOURCE,
            created_by="",
            created_at=self._clock.now(),
        )
        await access_store.insert_grant(tx, grant)
        details = {"provider_id": provider_id, "grant": grant.id, "address": address}
        actor = account.as_actor(address=address)
        await self._audit.record(tx, Event.BOOTSTRAP_OIDC_FIRST_ADMIN, actor=actor, target=account.reference, details=details)


def _closed() -> BootstrapClosed:
    return BootstrapClosed(
        "The first administrator is not made by a token now.",
        reasons=("no bootstrap token is set, it was used, or someone can sign in who administers this server",),
        remedy=Remedy(Action.RECOVER_ACCOUNT, "admin"),
    )
