"""Make the hierarchy, and open its issuers for signing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from cryptography import x509 as pyca
from cryptography.exceptions import InvalidSignature

from sealwright.access import Actor, Permission, require
from sealwright.audit import Audit, Event
from sealwright.ca import names, x509
from sealwright.ca.errors import AuthorityExists, CertificateNameRefused, IssuerUnusable
from sealwright.ca.issuers import store
from sealwright.ca.issuers.certificates import (
    AuthorityContents,
    authority_to_be_signed,
    read_authority,
    signed_certificate,
    subject_of,
    validity,
)
from sealwright.ca.issuers.store import IssuerKind, IssuerRecord
from sealwright.ca.models import Issuer, PublicKey
from sealwright.ca.public_keys import accept
from sealwright.clock import Clock, Instant, after, is_ahead
from sealwright.db import Database, Insertion, Transaction
from sealwright.entropy import Entropy, uuid4
from sealwright.errors import NotFound
from sealwright.jose import KeyRefused
from sealwright.keys import Custody, NewKey, Purpose, SigningKey

ROOT_YEARS = 10
ISSUING_YEARS = 5
ALGORITHM = "ES256"
ROOT_SUFFIX = " Root CA"
LONGEST_NAME = names.LONGEST_COMMON_NAME - len(" Issuing CA 999")
FRESH_FOR = timedelta(seconds=10)
"""How long what was read is kept where nothing was changed; a change is noticed with that of its keys, within a second."""

_LOST = "Bring the database back from your backup. A new server needs a home directory of its own."


class Issuers:
    """The authorities of this server, for one process."""

    def __init__(self, db: Database, custody: Custody, audit: Audit, clock: Clock, entropy: Entropy) -> None:
        self._db = db
        self._custody = custody
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._records: tuple[tuple[IssuerRecord, ...], Instant] | None = None
        self._open: dict[str, tuple[Issuer, Instant]] = {}
        self._public_keys: dict[str, PublicKey] = {}
        self._known_changes = -1
        self._forgotten = 0
        """Counts, so that what was read before is not remembered after."""

    async def create_hierarchy(
        self, name: str, actor: Actor, *, with_them: Sequence[Insertion] = ()
    ) -> tuple[IssuerRecord, IssuerRecord]:
        """Make a root and its first issuing CA, with their keys; all of it is stored, or nothing.

        `with_them`: what is stored in the same transaction, so that it is made once, by the process that makes the authorities.
        AuthorityExists where there is a root, also one that another node makes at this moment.

        The keys are made here and signed with before anything is stored. That leaves no unrecorded signature behind: where
        storing fails, the keys are gone, and with them whatever they certified.
        """
        require(actor, Permission.ISSUER_WRITE)
        _check_name(name)
        now = self._clock.now()
        root_id, issuing_id = uuid4(self._entropy), uuid4(self._entropy)
        root_key = self._custody.generate(Purpose.ROOT, root_id, ALGORITHM)
        issuing_key = self._custody.generate(Purpose.ISSUER, issuing_id, ALGORITHM)
        root_name, issuing_name = f"{name}{ROOT_SUFFIX}", f"{name} Issuing CA 1"
        root_subject = subject_of(name, root_name)

        begins, ends = validity(now, ROOT_YEARS)
        top = AuthorityContents(root_subject, root_key.public_key, 1, begins, ends)
        root_der = self._certify(top, root_key.signing_key(), root_subject, now)
        root = IssuerRecord(root_id, root_name, IssuerKind.ROOT, None, root_key.id, root_der, ends, now)

        begins, ends = validity(now, ISSUING_YEARS, at_most=ends)
        below = AuthorityContents(subject_of(name, issuing_name), issuing_key.public_key, 0, begins, ends)
        issuing_der = self._certify(below, root_key.signing_key(), root_subject, now)
        issuing = IssuerRecord(issuing_id, issuing_name, IssuerKind.ISSUING, root_id, issuing_key.id, issuing_der, ends, now)

        await self._store(((root_key, root), (issuing_key, issuing)), actor, with_them)
        return root, issuing

    async def rotate(self, actor: Actor, root_key_pem: bytes | None = None) -> IssuerRecord:
        """Make another issuing CA under the root; it signs from now on, and those before it are retired.

        What they signed stays valid, and they stay known as intermediates, until they expire. `root_key_pem`: the root's key,
        where it was taken away; it is used here and not stored. Raises KeyMissing or KeyRefused.
        """
        require(actor, Permission.ISSUER_WRITE)
        root, now = await self._only_root(), self._clock.now()
        root_key = await self._root_key(root, root_key_pem)
        read = read_authority(root.name, root.certificate_der, root_key.public_key)
        name = root.name.removesuffix(ROOT_SUFFIX)
        new_id = uuid4(self._entropy)
        new_name = f"{name} Issuing CA {await self._next_number(name)}"
        key = self._custody.generate(Purpose.ISSUER, new_id, ALGORITHM)
        begins, ends = validity(now, ISSUING_YEARS, at_most=root.not_after)
        authority = AuthorityContents(subject_of(name, new_name), key.public_key, 0, begins, ends)
        certificate_der = self._certify(authority, root_key, read.subject, now)
        made = IssuerRecord(new_id, new_name, IssuerKind.ISSUING, root.id, key.id, certificate_der, ends, now)

        async def body(tx: Transaction) -> None:
            for retired in await store.retire_issuing(tx, now):
                await self._audit.record(tx, Event.ISSUER_RETIRED, actor=actor, target=f"issuer:{retired}")
            await self._insert(tx, key, made, actor)

        try:
            await self._db.write(body)
        finally:
            self.forget()
        return made

    async def _root_key(self, root: IssuerRecord, pem: bytes | None) -> SigningKey:
        if pem is None:
            return await self._custody.open(root.key_id)
        brought = self._custody.import_private(Purpose.ROOT, root.id, pem)
        if brought.id != root.key_id:
            raise KeyRefused(f"This private key is not that of {root.name}.")
        return brought.signing_key()

    async def _next_number(self, name: str) -> int:
        """One more than the highest of the issuing CAs that were ever made."""
        prefix = f"{name} Issuing CA "
        numbers = [record.name.removeprefix(prefix) for record in await self.intermediates() if record.name.startswith(prefix)]
        return 1 + max((int(each) for each in numbers if each.isdecimal()), default=0)

    def _certify(self, authority: AuthorityContents, key: SigningKey, issuer_subject: bytes, now: Instant) -> bytes:
        """Sign an authority's certificate, and read it back before anything is done with it."""
        serial = x509.new_serial(self._entropy, now)
        to_be_signed = authority_to_be_signed(serial, authority, signer=key.public_key, issuer_subject=issuer_subject)
        signature = x509.sign(key.private_key, to_be_signed)
        try:
            x509.verify(key.public_key, signature, to_be_signed)
        except InvalidSignature as cause:
            raise IssuerUnusable("The key of the root made a signature that does not verify.") from cause
        certificate_der = signed_certificate(to_be_signed, key.public_key, signature)
        read_authority("a new authority", certificate_der, authority.public_key)
        return certificate_der

    async def _store(self, made: tuple[tuple[NewKey, IssuerRecord], ...], actor: Actor, with_them: Sequence[Insertion]) -> None:
        async def body(tx: Transaction) -> None:
            if not await store.claim_first(tx):
                raise AuthorityExists("This server has a certificate authority already.")
            for key, record in made:
                await self._insert(tx, key, record, actor)
            for insertion in with_them:
                await insertion(tx)

        try:
            await self._db.write(body)
        finally:
            self.forget()

    async def _insert(self, tx: Transaction, key: NewKey, record: IssuerRecord, actor: Actor) -> None:
        await self._custody.insert(tx, key)
        await self._custody.count_change(tx)
        await store.insert_issuer(tx, record)
        details = {"name": record.name, "kind": str(record.kind), "fingerprint": record.fingerprint, "key": key.id}
        await self._audit.record(tx, Event.ISSUER_CREATED, actor=actor, target=f"issuer:{record.id}", details=details)

    async def records(self) -> tuple[IssuerRecord, ...]:
        """Every authority, newest first."""
        await self._notice_changes()
        forgotten, now, cached = self._forgotten, self._clock.now(), self._records
        if cached is None or not is_ahead(cached[1], now, at_most=FRESH_FOR):
            cached = (await store.all_issuers(self._db), after(now, FRESH_FOR))
            if forgotten == self._forgotten:
                self._records = cached
        return cached[0]

    async def _notice_changes(self) -> None:
        """Forget everything where another process has changed an authority or its key."""
        found = await self._custody.changes()
        if found != self._known_changes:
            self._known_changes = found
            self.forget()

    async def roots(self) -> tuple[IssuerRecord, ...]:
        """The anchors that clients trust, newest first."""
        return tuple(record for record in await self.records() if record.kind is IssuerKind.ROOT)

    async def intermediates(self) -> tuple[IssuerRecord, ...]:
        """The issuing CAs, newest first."""
        return tuple(record for record in await self.records() if record.kind is IssuerKind.ISSUING)

    async def root_by_fingerprint(self, fingerprint: str) -> IssuerRecord | None:
        """The root whose certificate has this SHA-256, in hexadecimal of either case, with or without separators."""
        wanted = fingerprint.lower().replace(":", "").replace("-", "")
        return next((record for record in await self.roots() if record.fingerprint == wanted), None)

    async def active(self) -> Issuer:
        """The issuing CA that signs now: the newest that is not retired. Raises IssuerUnusable where there is none."""
        for record in await self.intermediates():
            if record.retired_at is None:
                return await self.open(record.id)
        raise IssuerUnusable("The database holds no issuing CA.", hint=_LOST)

    async def signing(self, chosen: str) -> Issuer:
        """The issuing CA of this name, or where it was rotated the one that followed it; without a name, the active one.

        Raises IssuerUnusable where none of this name ever was, or none that follows it signs.
        """
        if not chosen:
            return await self.active()
        known = await self.intermediates()
        if chosen not in {record.name for record in known}:
            raise IssuerUnusable(
                f"There is no issuing CA {chosen[:100]!r}.", hint="Let the profile or provisioner choose another."
            )
        for record in known:
            if record.retired_at is None and line_of(record.name) == line_of(chosen):
                return await self.open(record.id)
        raise IssuerUnusable(
            f"The issuing CA {chosen[:100]!r} signs no more.", hint="Let the profile or provisioner choose another."
        )

    async def open(self, issuer_id: str) -> Issuer:
        """An issuing CA, ready to sign. A root is never opened this way: it does not sign leaf certificates."""
        await self._notice_changes()
        forgotten, now, cached = self._forgotten, self._clock.now(), self._open.get(issuer_id)
        if cached is not None and is_ahead(cached[1], now, at_most=FRESH_FOR):
            return cached[0]
        record = await self.record(issuer_id)
        if record.kind is not IssuerKind.ISSUING:
            raise IssuerUnusable(f"{record.name} does not sign leaf certificates.")
        key = await self._custody.open(record.key_id)
        read = read_authority(record.name, record.certificate_der, key.public_key)
        issuer = Issuer(
            id=record.id,
            name=record.name,
            key_id=key.id,
            private_key=key.private_key,
            public_key=key.public_key,
            certificate_der=record.certificate_der,
            subject_der=read.subject,
            key_identifier=read.key_identifier,
            not_before=read.not_before,
            not_after=read.not_after,
            chain=await self._chain(record),
        )
        if forgotten == self._forgotten:
            self._open[issuer_id] = (issuer, after(now, FRESH_FOR))
        return issuer

    async def record(self, issuer_id: str) -> IssuerRecord:
        """One authority; raises NotFound."""
        found = next((record for record in await self.records() if record.id == issuer_id), None)
        if found is None:
            raise NotFound(f"There is no issuer {issuer_id}.")
        return found

    async def public_key_of(self, issuer_id: str) -> PublicKey:
        """The key that an authority's signatures verify with."""
        known = self._public_keys.get(issuer_id)
        if known is None:
            record = await self.record(issuer_id)
            known = accept(pyca.load_der_x509_certificate(record.certificate_der).public_key())
            self._public_keys[issuer_id] = known
        return known

    async def _chain(self, record: IssuerRecord) -> tuple[bytes, ...]:
        chain = []
        while record.kind is not IssuerKind.ROOT:
            chain.append(record.certificate_der)
            if record.parent_id is None:
                raise IssuerUnusable(f"{record.name} has no parent, and is not a root.")
            record = await self.record(record.parent_id)
        return tuple(chain)

    async def export_root_key(self, actor: Actor, password: bytes | None = None) -> bytes:
        """The root's private key in PEM, to be kept elsewhere. Recorded; the key stays until `take_root_key_away`."""
        require(actor, Permission.ISSUER_WRITE)
        root = await self._only_root()
        pem = await self._custody.export(root.key_id, password)
        await self._record_export(root, actor, removed=False)
        return pem

    async def has_root_key(self) -> bool:
        """Whether a root's private key is still on this server."""
        return any([await self._custody.holds_private(root.key_id) for root in await self.roots()])

    async def take_root_key_away(self, actor: Actor) -> None:
        """Remove the root's private key from this server. It is only needed to make further issuing CAs."""
        require(actor, Permission.ISSUER_WRITE)
        root = await self._only_root()
        await self._record_export(root, actor, removed=True)
        self._custody.forget()
        self.forget()

    async def _only_root(self) -> IssuerRecord:
        roots = await self.roots()
        if not roots:
            raise NotFound("The database holds no root.", hint=_LOST)
        return roots[0]

    async def _record_export(self, root: IssuerRecord, actor: Actor, *, removed: bool) -> None:
        async def body(tx: Transaction) -> None:
            if removed:
                await self._custody.take_away(tx, root.key_id)
            await self._audit.record(
                tx, Event.ROOT_KEY_EXPORTED, actor=actor, target=f"issuer:{root.id}", details={"removed": removed}
            )

        await self._db.write(body)

    def forget(self) -> None:
        """Read everything anew from the store when it is next needed."""
        self._records = None
        self._open.clear()
        self._forgotten += 1


def line_of(name: str) -> str:
    """What the names of issuing CAs that follow each other begin with: a number is all that they differ by."""
    return name.rstrip("0123456789")


def _check_name(name: str) -> None:
    names.common_name(name)
    if len(name) > LONGEST_NAME:
        raise CertificateNameRefused(
            f"The name has {len(name)} characters; {LONGEST_NAME} are allowed, so that the authorities can be named by it."
        )
