"""Which clients a person may use, what they allowed to which, and taking it back."""

from __future__ import annotations

from sealwright.audit import Event
from sealwright.db import Transaction
from sealwright.identity import SignedIn
from sealwright.oauth import store
from sealwright.oauth.dependencies import OAuthDependencies
from sealwright.oauth.errors import ClientUnknown
from sealwright.oauth.issuers.addresses import issuer_url_named
from sealwright.oauth.lookups import PeopleLookup
from sealwright.oauth.models import AvailableClient, Consent, ConsentEvent
from sealwright.oauth.redirects import with_parameters

LONGEST_HISTORY = 50


class Consents:
    """One's own clients and consents; no one needs a permission for them."""

    def __init__(self, dependencies: OAuthDependencies, *, directory: PeopleLookup) -> None:
        self._db = dependencies.db
        self._clock = dependencies.clock
        self._audit = dependencies.audit
        self._directory = directory
        self._origin = dependencies.origin

    async def available_clients(self, signed_in: SignedIn) -> list[AvailableClient]:
        """The clients that the person may sign in to: a scope map reaches one of their groups."""
        groups = await self._directory.groups_of(signed_in.account.id)
        return await store.available_clients(self._db, frozenset(group.id for group in groups))

    def start_url_of(self, client: AvailableClient) -> str:
        """Where a person who opens a client is sent: to where it begins a sign-in, with our issuer, else to its landing page."""
        if not client.initiate_login_uri:
            return client.landing_url
        return with_parameters(client.initiate_login_uri, [("iss", issuer_url_named(self._origin, client.name, client.issuer))])

    async def list_of(self, signed_in: SignedIn) -> list[Consent]:
        """Every consent of the person, by client name."""
        return await store.consents(self._db, signed_in.account.id)

    async def history_of(self, signed_in: SignedIn) -> list[ConsentEvent]:
        """What the person allowed and took back in the last year, newest first."""
        return await store.consent_history(self._db, signed_in.account.id, LONGEST_HISTORY)

    async def withdraw(self, signed_in: SignedIn, client_name: str) -> None:
        """Forget one consent, and end every token that the client holds for the person."""
        account_id, now = signed_in.account.id, self._clock.now()
        found = [one for one in await self.list_of(signed_in) if one.client_name == client_name]
        if not found:
            raise ClientUnknown(f"You did not allow anything to an application named {client_name[:80]!r}.")
        client_id = found[0].client_id

        async def body(tx: Transaction) -> None:
            if not await store.delete_consent(tx, account_id, client_id, now):
                return
            ended = await store.revoke_families_of_consent(tx, account_id, client_id, "the person took the consent back", now)
            await self._audit.record(
                tx,
                Event.CONSENT_WITHDRAWN,
                actor=signed_in.actor,
                target=f"client:{client_id}",
                details={"client": client_name, "families_revoked": ended},
            )

        await self._db.write(body)
