"""Set, change and remove credentials."""

from __future__ import annotations

from collections.abc import Sequence
from hmac import compare_digest

from sealwright.access import SYSTEM, Actor, Permission, require
from sealwright.audit import Audit, Event
from sealwright.clock import Clock
from sealwright.db import Database, Transaction
from sealwright.entropy import Entropy, uuid4
from sealwright.errors import Action, Conflict, NotPermitted, Remedy
from sealwright.identity import store, totp
from sealwright.identity.account_policy.removal import require_still_enough
from sealwright.identity.api_keys import store as api_keys
from sealwright.identity.authenticators import Authenticators, VerifiedPassword
from sealwright.identity.credential_reset import CredentialReset, PersonalCertificates, SecondFactorRemoval
from sealwright.identity.devices import KnownDevices
from sealwright.identity.directory.authorized_changes import AuthorizedChanges
from sealwright.identity.directory.lookup import account_not_found
from sealwright.identity.directory.store import account as account_by_id
from sealwright.identity.directory.store import (
    add_member,
    begin_credential_generation,
    find_account,
    find_group,
    lock_account,
    lock_directory,
)
from sealwright.identity.errors import (
    AccountNotFound,
    AccountNotUsable,
    BuiltIn,
    CodeRefused,
    CredentialNotFound,
    PasswordRefused,
    TooManyCredentials,
    WeakPassword,
)
from sealwright.identity.models import (
    SYSTEM_ACCOUNTS,
    Account,
    AccountKind,
    Credential,
    CredentialKind,
    LinkPurpose,
    RecoveredAccount,
    TotpEnrolment,
)
from sealwright.identity.passkeys import store as passkey_store
from sealwright.identity.passwords import generate_password
from sealwright.identity.policy import (
    RECOVERY_CODE_LENGTH,
    check_label,
    format_recovery_code,
    local_name,
    normalize_recovery_code,
    prepare_password,
    printable,
    require_has_password,
    secret_digest,
    spn,
)
from sealwright.identity.sessions import Sessions

MAX_TOTPS = 5
RECOVERY_CODES = 8
_TOTPS = (CredentialKind.TOTP, CredentialKind.TOTP_UNCONFIRMED)


class Credentials:
    """Operations on passwords and second factors. People change their own after giving their password again."""

    def __init__(  # noqa: PLR0913 - what every verb of these stands on
        self,
        db: Database,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        authenticators: Authenticators,
        sessions: Sessions,
        *,
        changes: AuthorizedChanges,
        certificates: PersonalCertificates,
        server_name: str,
        domain: str,
    ) -> None:
        """`server_name`: what an authenticator app shows beside its codes."""
        self._db = db
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._authenticators = authenticators
        self._sessions = sessions
        self._server_name = server_name
        self._domain = domain
        self._changes = changes
        self._certificates = certificates

    async def list_of(self, account_id: str, *, actor: Actor) -> tuple[Credential, ...]:
        """The account's credentials; one's own need no permission."""
        if account_id != actor.id:
            require(actor, Permission.PERSON_READ)
        return tuple(store.without_secret(held) for held in await store.credentials_of(self._db, account_id))

    async def set_password(self, who: str, password: str, *, end_certificates: bool = True, actor: Actor) -> CredentialReset:
        """Set the password of another account. Its sessions end, and its certificates unless kept.

        Second factors stay.
        """
        await self._changes.require(Event.CREDENTIAL_SET, Permission.PERSON_WRITE, actor, f"person:{who}")
        await self._changes.require_in_person(Event.CREDENTIAL_SET, actor, f"person:{who}", "set a password")
        account = await self._account(who)
        if account.id == actor.id:
            raise NotPermitted("Your own password is changed with the present one.", hint="Use “change password”.")
        require_has_password(account)
        if account.kind is AccountKind.SYSTEM:
            raise BuiltIn(f"{account.name} is built in: its password is set from the server's shell.", remedy=_recover(account))
        hashed = await self._authenticators.hash_new_password(account, password)

        async def body(tx: Transaction) -> CredentialReset:
            await lock_directory(tx)
            await self._changes.require_over_account(tx, actor, account, "set the password of")
            await lock_account(tx, account.id)
            return await self.reset_password(tx, account, hashed, end_certificates=end_certificates, actor=actor)

        return await self._changes.run(Event.CREDENTIAL_SET, Permission.PERSON_WRITE, actor, account.reference, body)

    async def change_password(self, current: str, new: str, *, actor: Actor) -> None:
        """Change one's own password. Every other session of the account ends."""
        account, proof = await self._own(actor, current)
        if prepare_password(new) == prepare_password(current):
            raise WeakPassword("That is the password that you have already.", hint="Choose another one.")
        hashed = await self._authenticators.hash_new_password(account, new)

        async def body(tx: Transaction) -> None:
            await lock_account(tx, account.id)
            if not await self._authenticators.is_current(tx, proof):
                raise _wrong_password()
            await self.store_password(tx, account, hashed, actor=actor, but=actor.session_id)

        await self._db.write(body)

    async def begin_totp(self, password: str, *, label: str = "", actor: Actor) -> TotpEnrolment:
        """Make a second factor for oneself; it counts once `confirm_totp` saw a code of it."""
        text = check_label(label)
        account, proof = await self._own(actor, password)
        secret = totp.new_secret(self._entropy)
        credential_id = uuid4(self._entropy)
        sealed = self._authenticators.seal_totp(credential_id, secret)

        async def body(tx: Transaction) -> str:
            await lock_account(tx, account.id)
            if not await self._authenticators.is_current(tx, proof):
                raise _wrong_password()
            await store.delete_credentials(tx, account.id, CredentialKind.TOTP_UNCONFIRMED)
            held = [c for c in await store.credentials_of(tx, account.id) if c.kind is CredentialKind.TOTP]
            if len(held) >= MAX_TOTPS:
                raise TooManyCredentials(f"{account.name} has {len(held)} second factors, which is the most there can be.")
            free = _free_label(text, held)
            kind, now = CredentialKind.TOTP_UNCONFIRMED, self._clock.now()
            await store.insert_credential(tx, store.StoredSecret(credential_id, account.id, kind, free, sealed, now, None))
            return free

        given = await self._db.write(body)
        return self._enrolment(account, credential_id, given, secret)

    async def unconfirmed_totp(self, key: str, *, actor: Actor) -> TotpEnrolment | None:
        """The second factor that waits for its first code, for a page that shows its key already; None for another key."""
        account = await account_by_id(self._db, actor.id)
        if account is None:
            return None
        for held in await store.credentials_of(self._db, account.id):
            if held.kind is CredentialKind.TOTP_UNCONFIRMED:
                secret = self._authenticators.open_totp(held)
                if compare_digest(totp.secret_text(secret).encode(), key.encode()):
                    return self._enrolment(account, held.id, held.label, secret)
        return None

    def _enrolment(self, account: Account, credential_id: str, label: str, secret: bytes) -> TotpEnrolment:
        address = totp.uri(secret, issuer=self._server_name, account=spn(account.name, self._domain))
        return TotpEnrolment(credential_id, label, totp.secret_text(secret), address)

    async def confirm_totp(self, code: str, *, actor: Actor) -> None:
        """Show a code of the second factor that was just made; from now on sign-in asks for one. Raises CodeRefused."""
        proof = await self._authenticators.verify_unconfirmed_totp(actor.id, code)
        if proof is None:
            raise _wrong_code()

        async def body(tx: Transaction) -> None:
            await lock_account(tx, actor.id)
            if not await self._authenticators.accept(tx, proof):
                raise _wrong_code()
            await self._record(tx, Event.CREDENTIAL_SET, actor, f"person:{actor.id}", CredentialKind.TOTP)

        await self._db.write(body)

    async def create_recovery_codes(self, *, actor: Actor) -> tuple[str, ...]:
        """Replace the actor's recovery codes; the new ones are shown only now. Raises Conflict without a second factor."""
        codes = tuple(format_recovery_code(self._entropy.bytes(RECOVERY_CODE_LENGTH)) for _ in range(RECOVERY_CODES))

        async def body(tx: Transaction) -> None:
            await lock_account(tx, actor.id)
            held = await store.credentials_of(tx, actor.id)
            if not any(each.kind is CredentialKind.TOTP for each in held):
                raise Conflict(
                    "Recovery codes stand in for a second factor, and you have none.", hint="Set up a code from an app first."
                )
            await store.delete_credentials(tx, actor.id, CredentialKind.RECOVERY_CODE)
            now, kind = self._clock.now(), CredentialKind.RECOVERY_CODE
            for number, code in enumerate(codes, start=1):
                digest = secret_digest(normalize_recovery_code(code))
                new = store.StoredSecret(uuid4(self._entropy), actor.id, kind, str(number), digest, now, None)
                await store.insert_credential(tx, new)
            await self._record(tx, Event.CREDENTIAL_SET, actor, f"person:{actor.id}", kind)

        await self._db.write(body)
        return codes

    async def remove_totp(self, credential_id: str, password: str, *, actor: Actor) -> None:
        """Remove one of one's own second factors."""
        account, proof = await self._own(actor, password)

        async def body(tx: Transaction) -> None:
            await lock_account(tx, account.id)
            if not await self._authenticators.is_current(tx, proof):
                raise _wrong_password()
            credentials = await store.credentials_of(tx, account.id)
            held = {c.id for c in credentials if c.kind in _TOTPS}
            if credential_id not in held or not await store.delete_credential(tx, credential_id):
                raise CredentialNotFound(f"You have no second factor {printable(credential_id, 80)!r}.")
            if not any(c.kind is CredentialKind.TOTP and c.id != credential_id for c in credentials):
                await store.delete_credentials(tx, account.id, CredentialKind.RECOVERY_CODE)
            await require_still_enough(tx, account.id, passkeys=len(await passkey_store.of_account(tx, account.id)))
            await self._record(tx, Event.CREDENTIAL_REMOVED, actor, account.reference, CredentialKind.TOTP)

        await self._db.write(body)

    async def remove_second_factors(self, who: str, *, end_certificates: bool = True, actor: Actor) -> SecondFactorRemoval:
        """Remove every second factor, recovery code and passkey of another account, whose device was lost.

        A passkey opens the account by itself, and may be on that device, as an API key may. Their sessions and API keys end, and
        their certificates unless they are kept.
        """
        await self._changes.require(Event.CREDENTIAL_REMOVED, Permission.PERSON_WRITE, actor, f"person:{who}")
        await self._changes.require_in_person(Event.CREDENTIAL_REMOVED, actor, f"person:{who}", "remove second factors")
        account = await self._account(who)
        if account.id == actor.id:
            raise NotPermitted(
                "Your own second factor is removed with your password.", hint="Remove it on the page of your account."
            )
        require_has_password(account)
        if account.kind is AccountKind.SYSTEM:
            raise BuiltIn(f"{account.name} is built in: it is recovered from the server's shell.", remedy=_recover(account))

        async def body(tx: Transaction) -> SecondFactorRemoval:
            await lock_directory(tx)
            await self._changes.require_over_account(tx, actor, account, "remove the second factors of")
            await lock_account(tx, account.id)
            factors = await self._remove_totps(tx, account, actor)
            passkeys = await self._remove_passkeys(tx, account, actor)
            sessions = await self._sessions.end_all_in(tx, account.id, "the second factor was removed", actor=actor)
            keys = await self._revoke_api_keys(tx, account, actor)
            ended, kept = await self._end_certificates(tx, account, actor, end=end_certificates)
            return SecondFactorRemoval(factors, passkeys, sessions, keys, ended, kept)

        return await self._changes.run(Event.CREDENTIAL_REMOVED, Permission.PERSON_WRITE, actor, account.reference, body)

    async def recover_account(self, name: str, password: str | None = None, *, end_certificates: bool = True) -> RecoveredAccount:
        """From the server's own shell: a new password, no second factor, no session, no count of failures.

        The account's certificates end unless they are kept.

        A built-in account also gets back the group that gives it its role. Without `password` one is made up.
        """
        account = await self._account(name)
        status = account.status(self._clock.now())
        if not status.active:
            raise AccountNotUsable(
                f"{account.name} cannot be recovered: {status.reason}.",
                hint="Recover the account “admin” and enable this one with it.",
            )
        chosen = generate_password(self._entropy) if password is None else password
        hashed = await self._authenticators.hash_new_password(account, chosen)

        async def body(tx: Transaction) -> CredentialReset:
            await lock_directory(tx)
            await lock_account(tx, account.id)
            await self._remove_totps(tx, account, SYSTEM)
            reset = await self.reset_password(tx, account, hashed, end_certificates=end_certificates, actor=SYSTEM)
            await self._authenticators.forget_failures(tx, account)
            if account.kind is AccountKind.SYSTEM:
                group = await find_group(tx, SYSTEM_ACCOUNTS[account.name].group)
                if group is not None:
                    await add_member(tx, group.id, account)
            details = {"name": account.name, "generated": password is None}
            await self._audit.record(tx, Event.ACCOUNT_RECOVERED, actor=SYSTEM, target=account.reference, details=details)
            return reset

        reset = await self._db.write(body)
        return RecoveredAccount(account, chosen if password is None else None, reset)

    async def hash_new_password(self, account: Account, password: str) -> bytes:
        """The stored form of a password that is good enough for the account; for verbs that store it themselves."""
        return await self._authenticators.hash_new_password(account, password)

    async def check_new_password(self, password: str, *, name: str, display_name: str, mails: Sequence[str]) -> None:
        """Raise WeakPassword when it is not good enough for a person of this name."""
        await self._authenticators.check_new_password(password, name=name, display_name=display_name, mails=mails)

    async def reset_password(
        self, tx: Transaction, account: Account, hashed: bytes, *, end_certificates: bool, actor: Actor
    ) -> CredentialReset:
        """Replace a password that its owner does not show: what it opened is closed, certificates too where that is wanted."""
        sessions = await self.store_password(tx, account, hashed, actor=actor)
        ended, kept = await self._end_certificates(tx, account, actor, end=end_certificates)
        return CredentialReset(sessions, ended, kept)

    async def certificates_of(self, account_id: str) -> int:
        """How many certificates a reset of the account's credentials would end."""
        return await self._certificates.count(self._db, account_id)

    async def _end_certificates(self, tx: Transaction, account: Account, actor: Actor, *, end: bool) -> tuple[int, int]:
        """How many certificates of the account were ended, and how many were kept."""
        if not end:
            return 0, await self._certificates.count(tx, account.id)
        await begin_credential_generation(tx, account.id)
        return await self._certificates.revoke(tx, account.id, actor), 0

    async def store_password(self, tx: Transaction, account: Account, hashed: bytes, *, actor: Actor, but: str = "") -> int:
        """Replace the password; what the old one opened is closed: sessions (except `but`), waiting sign-ins, links.

        Without `but` it is a reset: known devices are forgotten, and passkeys removed, since each of them opens the account
        without the password. Returns how many sessions ended.
        """
        require_has_password(account)
        await store.delete_credentials(tx, account.id, CredentialKind.PASSWORD)
        new = store.StoredSecret(uuid4(self._entropy), account.id, CredentialKind.PASSWORD, "", hashed, self._clock.now(), None)
        await store.insert_credential(tx, new)
        await store.delete_pending_of(tx, account.id)
        for purpose in (LinkPurpose.RESET, LinkPurpose.INVITE):
            await store.delete_links(tx, purpose, account.id)
        if not but:  # changing one's own password keeps the known devices
            await KnownDevices.forget_all_in(tx, account.id)
            await self._remove_passkeys(tx, account, actor)
            await api_keys.revoke_of_account(tx, account.id, self._clock.now())
        ended = await self._sessions.end_all_in(tx, account.id, "the password was changed", actor=actor, but=but)
        if but:  # the session goes on, and what an application got in it to outlive it does not
            await store.revoke_session(tx, but, self._clock.now())
        await self._record(tx, Event.CREDENTIAL_SET, actor, account.reference, CredentialKind.PASSWORD)
        return ended

    async def _account(self, who: str) -> Account:
        found = await find_account(self._db, local_name(who, self._domain))
        if found is None:
            raise account_not_found(who)
        return found

    async def _own(self, actor: Actor, password: str) -> tuple[Account, VerifiedPassword]:
        """The actor's own account and the proof that its password was shown."""
        account = await account_by_id(self._db, actor.id)
        if account is None:
            raise AccountNotFound("Your account does not exist any more.")
        proof = await self._authenticators.verify_own_password(account, password)
        if not isinstance(proof, VerifiedPassword):
            await self._audit.refused(
                self._db,
                Event.CREDENTIAL_SET,
                actor=actor,
                target=account.reference,
                reason=proof.reason,
                details={"reason": proof.reason},
            )
            raise _wrong_password()
        await self._authenticators.record_success(proof)
        return account, proof

    async def _remove_totps(self, tx: Transaction, account: Account, actor: Actor) -> int:
        await store.delete_credentials(tx, account.id, CredentialKind.TOTP_UNCONFIRMED)
        await store.delete_credentials(tx, account.id, CredentialKind.RECOVERY_CODE)
        removed = await store.delete_credentials(tx, account.id, CredentialKind.TOTP)
        if removed:
            await self._record(tx, Event.CREDENTIAL_REMOVED, actor, account.reference, CredentialKind.TOTP)
        return removed

    async def _remove_passkeys(self, tx: Transaction, account: Account, actor: Actor) -> int:
        removed = await passkey_store.remove_all(tx, account.id)
        if removed:
            await self._record(tx, Event.CREDENTIAL_REMOVED, actor, account.reference, CredentialKind.PASSKEY)
        return removed

    async def _revoke_api_keys(self, tx: Transaction, account: Account, actor: Actor) -> int:
        names = {each.key.id: each.key.name for each in await api_keys.of_account(tx, account.id)}
        ended = await api_keys.revoke_of_account(tx, account.id, self._clock.now())
        for key_id in ended:
            details = {"name": names.get(key_id, ""), "account": account.id}
            await self._audit.record(tx, Event.API_KEY_REVOKED, actor=actor, target=f"api_key:{key_id}", details=details)
        return len(ended)

    async def _record(self, tx: Transaction, event: Event, actor: Actor, target: str, kind: CredentialKind) -> None:
        await self._audit.record(tx, event, actor=actor, target=target, details={"kind": str(kind)})


def _free_label(label: str, held: list[store.StoredSecret]) -> str:
    """Labels of one account differ: a number is added where this one is in use."""
    used = {credential.label for credential in held}
    return next(text for text in (label, *(f"{label} {n}" for n in range(2, MAX_TOTPS + 2))) if text not in used)


def _recover(account: Account) -> Remedy:
    return Remedy(Action.RECOVER_ACCOUNT, account.name)


def _wrong_password() -> PasswordRefused:
    return PasswordRefused("Your password is not right.", hint="Type the password that you sign in with.")


def _wrong_code() -> CodeRefused:
    return CodeRefused("The code is not right.", hint="Wait for the next code and type that one.")
