"""Register, use, rename and remove passkeys."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from sealwright.access import Actor, Permission, anonymous, require
from sealwright.audit import Audit, Event
from sealwright.clock import Clock
from sealwright.db import Database, Transaction
from sealwright.entropy import Entropy, uuid4
from sealwright.identity.account_policy.removal import require_still_enough
from sealwright.identity.devices import KnownDevices
from sealwright.identity.directory.store import account as find_account
from sealwright.identity.directory.store import lock_account
from sealwright.identity.errors import AccountNotFound, CredentialNotFound, LabelTaken, PasskeyRefused, TooManyCredentials
from sealwright.identity.models import Account, CompletedSignIn, CredentialKind, Passkey, Session, SessionKind
from sealwright.identity.passkeys import store
from sealwright.identity.passkeys.challenges import Ceremony, Challenges
from sealwright.identity.passkeys.relying_party import RelyingParty, creation_options, request_options, user_handle
from sealwright.identity.passkeys.verification import (
    UnverifiedAssertion,
    VerifiedAssertion,
    parse_assertion,
    parse_registration,
    refused,
    verify_assertion,
    verify_registration,
)
from sealwright.identity.policy import check_label, printable, secret_digest, spn
from sealwright.identity.sessions import Sessions

MAX_PASSKEYS = 10


class Passkeys:
    """Operations on passkeys. People manage their own, and sign in with them."""

    def __init__(  # noqa: PLR0913 - registration and sign-in share the challenges and the relying party
        self,
        db: Database,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        challenges: Challenges,
        sessions: Sessions,
        devices: KnownDevices,
        *,
        party: RelyingParty,
        domain: str,
    ) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._challenges = challenges
        self._sessions = sessions
        self._devices = devices
        self._party = party
        self._domain = domain

    @property
    def usable(self) -> bool:
        """Whether browsers offer passkeys for this server's address."""
        return self._party.usable

    async def list_of(self, account_id: str, *, actor: Actor) -> tuple[Passkey, ...]:
        """Passkeys of an account, the oldest first; one's own need no permission."""
        if account_id != actor.id:
            require(actor, Permission.PERSON_READ)
        held = await store.of_account(self._db, account_id)
        return tuple(Passkey(each.id, each.label, each.created_at, each.last_used_at, each.backed_up) for each in held)

    # --- registration ---

    async def creation_options(self, *, actor: Actor) -> dict[str, Any]:
        """Options for ``navigator.credentials.create()``, for the actor's session."""
        account = await self._account(self._db, actor)
        registered = [each.credential_id for each in await store.of_account(self._db, account.id)]
        challenge = self._challenges.generate(Ceremony.REGISTRATION, actor.session_id)
        name = spn(account.name, self._domain)
        return creation_options(self._party, challenge, account.id, name, account.display_name, registered)

    async def register(self, response: str, *, label: str, actor: Actor) -> Passkey:
        """Store the new passkey of a registration response. Raises PasskeyRefused, LabelTaken or TooManyCredentials."""
        text = check_label(label) if label.strip() else "passkey"
        parsed, challenge = await parse_registration(response)
        if not self._challenges.is_valid(challenge, Ceremony.REGISTRATION, actor.session_id):
            raise await self._refuse_registration(actor, "the challenge is not one of this session, or has expired")
        try:
            verified = await verify_registration(parsed, challenge, self._party)
        except PasskeyRefused as refusal:
            raise await self._refuse_registration(actor, refusal.reasons[0]) from refusal
        new = store.StoredPasskey(
            id=uuid4(self._entropy),
            account_id=actor.id,
            credential_id=verified.credential_id,
            public_key=verified.public_key,
            sign_count=verified.sign_count,
            backed_up=verified.backed_up,
            label=text,
            created_at=self._clock.now(),
            last_used_at=None,
        )

        async def body(tx: Transaction) -> Passkey:
            await lock_account(tx, actor.id)
            account = await self._account(tx, actor)
            held = await store.of_account(tx, account.id)
            if len(held) >= MAX_PASSKEYS:
                raise TooManyCredentials(
                    f"{account.name} has {len(held)} passkeys; at most {MAX_PASSKEYS} are allowed.", hint="Remove one first."
                )
            _require_free_label(held, text)
            if not await self._challenges.consume(tx, challenge):
                raise refused("the challenge was used before")
            if not await store.add(tx, new):
                raise refused("this passkey is registered already")
            await self._record(tx, Event.CREDENTIAL_SET, account.reference, actor, new)
            return Passkey(new.id, new.label, new.created_at, None, new.backed_up)

        return await self._db.write(body)

    async def rename(self, passkey_id: str, label: str, *, actor: Actor) -> None:
        """Change the label of one of the actor's passkeys."""
        text = check_label(label)

        async def body(tx: Transaction) -> None:
            await lock_account(tx, actor.id)
            held = await store.of_account(tx, actor.id)
            present = next((each for each in held if each.id == passkey_id), None)
            if present is None:
                raise _not_found(passkey_id)
            _require_free_label([each for each in held if each.id != passkey_id], text)
            await store.rename(tx, actor.id, passkey_id, text)
            await self._record(tx, Event.CREDENTIAL_RENAMED, f"person:{actor.id}", actor, replace(present, label=text))

        await self._db.write(body)

    async def remove(self, passkey_id: str, *, actor: Actor) -> None:
        """Remove one of the actor's passkeys. Sessions that a passkey began end, except the one that this is done in.

        It may have been lost, and a session that it began with it. What applications got in the present session to outlive
        it ends as well.
        """

        async def body(tx: Transaction) -> None:
            await lock_account(tx, actor.id)
            present = next((each for each in await store.of_account(tx, actor.id) if each.id == passkey_id), None)
            if present is None or not await store.remove(tx, actor.id, passkey_id):
                raise _not_found(passkey_id)
            await require_still_enough(tx, actor.id, passkeys=len(await store.of_account(tx, actor.id)))
            await self._record(tx, Event.CREDENTIAL_REMOVED, f"person:{actor.id}", actor, present)
            await self._sessions.end_begun_by_passkey_in(tx, actor.id, "a passkey was removed", actor=actor)

        await self._db.write(body)

    # --- sign-in ---

    def request_options(self, binding: str) -> dict[str, Any]:
        """Options for ``navigator.credentials.get()``. `binding`: a secret of the browser, needed again with the response."""
        return request_options(self._party, self._challenges.generate(Ceremony.AUTHENTICATION, binding))

    async def are_suggested(self, device_token: str) -> bool:
        """Whether an account with a passkey was signed in to from this device before."""
        return bool(device_token) and await store.any_on_device(self._db, secret_digest(device_token))

    async def sign_in(
        self,
        response: str,
        *,
        binding: str,
        address: str,
        user_agent: str,
        held_token: str = "",
        device_token: str | None = None,
    ) -> CompletedSignIn:
        """Sign in with a passkey, which is multi-factor: the authenticator verified its user. Raises PasskeyRefused.

        A live session of the same account that `held_token` belongs to continues.
        """
        try:
            assertion, passkey, verified = await self._verify(response, binding)
        except PasskeyRefused as refusal:
            await self._record_refusal(address, refusal.reasons[0])
            raise

        async def body(tx: Transaction) -> tuple[Account, str, Session, str]:
            await lock_account(tx, passkey.account_id)
            account = await find_account(tx, passkey.account_id)
            if account is None or not account.status(self._clock.now()).active:
                raise refused("the account may not sign in")
            if not await self._challenges.consume(tx, assertion.challenge):
                raise refused("the challenge was used before")
            now = self._clock.now()
            if not await store.use(tx, passkey.id, verified.sign_count, now, backed_up=verified.backed_up):
                raise refused("the passkey was removed, or its counter did not increase as it would if it were not copied")
            methods = ("swk" if verified.backed_up else "hwk", "user", "mfa")
            begun = await self._sessions.begin(
                tx, account, SessionKind.BROWSER, methods, address=address, user_agent=user_agent, held_token=held_token
            )
            return account, *begun, await self._devices.remember(tx, account.id, device_token, user_agent)

        try:
            account, session_token, session, device = await self._db.write(body)
        except PasskeyRefused as refusal:
            await self._record_refusal(address, refusal.reasons[0], passkey.account_id)
            raise
        return CompletedSignIn(session_token, await self._sessions.signed_in(account, session, address), device_token=device)

    async def _verify(self, response: str, binding: str) -> tuple[UnverifiedAssertion, store.StoredPasskey, VerifiedAssertion]:
        assertion = await parse_assertion(response)
        if not self._challenges.is_valid(assertion.challenge, Ceremony.AUTHENTICATION, binding):
            raise refused("the challenge is not one of this browser, or has expired")
        passkey = await store.by_credential_id(self._db, assertion.credential_id)
        if passkey is None:
            raise refused("the passkey is not registered here")
        if assertion.user_handle is not None and assertion.user_handle != user_handle(passkey.account_id):
            raise refused("the passkey belongs to another account than the response says")
        verified = await verify_assertion(assertion, self._party, public_key=passkey.public_key, sign_count=passkey.sign_count)
        return assertion, passkey, verified

    # --- parts ---

    async def _account(self, reader: Database | Transaction, actor: Actor) -> Account:
        account = await find_account(reader, actor.id)
        if account is None:
            raise AccountNotFound("Your account does not exist any more.")
        return account

    async def _record(self, tx: Transaction, event: Event, target: str, actor: Actor, passkey: store.StoredPasskey) -> None:
        details = {"kind": str(CredentialKind.PASSKEY), "label": passkey.label}
        await self._audit.record(tx, event, actor=actor, target=target, details=details)

    async def _refuse_registration(self, actor: Actor, reason: str) -> PasskeyRefused:
        await self._audit.refused(
            self._db,
            Event.CREDENTIAL_SET,
            actor=actor,
            target=f"person:{actor.id}",
            reason=PasskeyRefused.code,
            details={"reason": reason, "kind": str(CredentialKind.PASSKEY)},
        )
        return refused(reason)

    async def _record_refusal(self, address: str, reason: str, account_id: str = "unknown") -> None:
        await self._audit.refused(
            self._db,
            Event.SIGN_IN,
            actor=anonymous(address),
            target=f"person:{account_id}",
            reason=PasskeyRefused.code,
            details={"reason": reason, "address": address},
        )


def _require_free_label(held: list[store.StoredPasskey], label: str) -> None:
    if any(each.label == label for each in held):
        raise LabelTaken(f"You have a passkey {label!r} already.", hint="Choose another name for this one.", pointer="/label")


def _not_found(passkey_id: str) -> CredentialNotFound:
    return CredentialNotFound(f"You have no passkey {printable(passkey_id, 80)!r}.", hint="Go back to your account.")
