"""Import people with the hashes of their passwords.

People are sent in batches; each batch is checked, and stored sealed. No account exists before all of them are created in one
transaction, by the rules for people who are created one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec
from msgspec import Struct

from sealwright.access import Actor, Permission
from sealwright.audit import Audit, Entry, Event
from sealwright.clock import Clock, Instant, after
from sealwright.db import Database, DuplicateRow, Transaction
from sealwright.entropy import Entropy, uuid4
from sealwright.errors import Conflict, Failure, InvalidInput
from sealwright.identity.directory import store as directory_store
from sealwright.identity.directory.authorized_changes import AuthorizedChanges
from sealwright.identity.directory.people import new_person
from sealwright.identity.errors import ImportNotFound
from sealwright.identity.foreign_hashes import stored_form
from sealwright.identity.imports import store
from sealwright.identity.models import Account, CredentialKind, MailAddress
from sealwright.identity.name_search import store as name_search
from sealwright.identity.profiles.attributes import check_attributes
from sealwright.identity.profiles.ssh_keys import MAX_KEYS, check_public_key, check_tag
from sealwright.identity.recycle_bin import store as recycle_bin
from sealwright.keys import Sealer

IMPORT_LIFETIME = timedelta(hours=2)
MOST_AT_ONCE = 200
MOST_PEOPLE = 100_000


class ImportedPerson(Struct, frozen=True, forbid_unknown_fields=True):
    """A person of another server."""

    name: str
    display_name: str
    line: int
    """Their line in the file."""
    mails: tuple[str, ...] = ()
    mails_verified: bool = True
    """Whether the one who imports vouches for the addresses."""
    password_hash: str = ""
    attributes: Mapping[str, str] = {}
    ssh_public_keys: Mapping[str, str] = {}


class ImportFault(Struct, frozen=True):
    """What is wrong with one person, and what to do."""

    line: int
    field: str
    detail: str
    hint: str


class _Ready(Struct, frozen=True):
    """A person who passed every check, as they will be stored."""

    person: Account
    password: bytes
    attributes: Mapping[str, str]
    ssh_public_keys: Mapping[str, str]


class PersonImports:
    """Verbs about imports. Each needs the permission to create people, and a refusal leaves an audit row."""

    def __init__(
        self, db: Database, audit: Audit, clock: Clock, entropy: Entropy, sealer: Sealer, changes: AuthorizedChanges
    ) -> None:
        self._db = db
        self._audit = audit
        self._clock = clock
        self._entropy = entropy
        self._sealer = sealer
        self._changes = changes

    async def begin(self, *, actor: Actor) -> tuple[str, Instant]:
        """Begin an import; returns its id, and until when it can be finished. An earlier import of the actor is discarded."""
        await self._require_in_person(actor)
        import_id, now = uuid4(self._entropy), self._clock.now()
        expires_at = after(now, IMPORT_LIFETIME)

        async def body(tx: Transaction) -> None:
            await store.insert_import(tx, import_id, actor.id, now, expires_at)

        await self._changes.run(Event.PEOPLE_IMPORTED, Permission.PERSON_WRITE, actor, f"import:{import_id}", body)
        return import_id, expires_at

    async def add(self, import_id: str, people: Sequence[ImportedPerson], *, actor: Actor) -> list[ImportFault]:
        """Check people, and store them if nothing is wrong with any of them; returns what is wrong."""
        await self._changes.require(Event.PEOPLE_IMPORTED, Permission.PERSON_WRITE, actor, "import")
        await self._require_in_person(actor)
        if not 1 <= len(people) <= MOST_AT_ONCE:
            raise InvalidInput(f"{len(people)} people are given; send 1 to {MOST_AT_ONCE} at once.")
        await self._require_open(self._db, import_id, actor)
        faults: list[ImportFault] = []
        sealed: list[bytes] = []
        for each in people:
            ready, wrong = self._checked(each)
            faults += wrong
            faults += [fault async for fault in self._taken(each)] if not wrong else []
            if ready is not None:
                sealed.append(self._sealer.seal(msgspec.json.encode(ready), _context(import_id)))
        if faults:
            return faults

        async def body(tx: Transaction) -> None:
            await self._require_open(tx, import_id, actor)
            held = await store.count(tx, import_id)
            if held + len(sealed) > MOST_PEOPLE:
                raise InvalidInput(f"An import has at most {MOST_PEOPLE} people.", hint="Import them in several files.")
            await store.insert_rows(tx, import_id, held, sealed)

        await self._changes.write(body)
        return []

    async def cancel(self, *, actor: Actor) -> None:
        """Discard the import that the actor has begun."""

        async def body(tx: Transaction) -> None:
            await store.end_imports_of(tx, actor.id)

        await self._changes.run(Event.PEOPLE_IMPORTED, Permission.PERSON_WRITE, actor, "import", body)

    async def finish(self, import_id: str, *, actor: Actor) -> int:
        """Create everyone who was sent or, where one of them cannot be created any more, no one; returns how many."""
        await self._require_in_person(actor)

        async def body(tx: Transaction) -> int:
            await directory_store.lock_directory(tx)
            await self._require_open(tx, import_id, actor)
            number, beyond = 0, -1
            while page := await store.rows(tx, import_id, beyond, MOST_AT_ONCE):
                beyond = page[-1][0]
                ready = [msgspec.json.decode(self._sealer.open(raw, _context(import_id)), type=_Ready) for _, raw in page]
                await self._create(tx, import_id, ready, actor)
                number += len(ready)
            await store.end_imports_of(tx, actor.id)
            details = {"people": number}
            await self._audit.record(tx, Event.PEOPLE_IMPORTED, actor=actor, target=f"import:{import_id}", details=details)
            return number

        try:
            return await self._changes.run(Event.PEOPLE_IMPORTED, Permission.PERSON_WRITE, actor, f"import:{import_id}", body)
        except DuplicateRow as cause:
            raise Conflict(
                "Two people have the same name or address: within the import, or one was created meanwhile. No one was imported.",
                hint="Import the file again: its lines are compared with who is there now.",
            ) from cause

    async def _require_in_person(self, actor: Actor) -> None:
        await self._changes.require_in_person(Event.PEOPLE_IMPORTED, actor, "import", "import people with their passwords")

    async def _create(self, tx: Transaction, import_id: str, ready: Sequence[_Ready], actor: Actor) -> None:
        mails = [mail.address for each in ready for mail in each.person.mails]
        if mails:
            await self._changes.require_may_give(tx, actor, mails, "people of an import")
        for each in ready:
            if await store.is_group(tx, each.person.name):
                raise Conflict(f"There is a group {each.person.name!r} by now. No one was imported.")
            if await recycle_bin.is_reserved(tx, each.person.name):
                raise Conflict(f"The name {each.person.name!r} is in the recycle bin by now. No one was imported.")
        await store.insert_all(tx, self._rows_of(ready))
        await self._audit.record_all(
            tx,
            [
                Entry(
                    Event.PERSON_CREATED,
                    actor,
                    each.person.reference,
                    details={
                        "name": each.person.name,
                        "mails": [mail.address for mail in each.person.mails],
                        "import": import_id,
                        "with_password": bool(each.password),
                    },
                )
                for each in ready
            ],
        )

    def _rows_of(self, ready: Sequence[_Ready]) -> dict[str, list[dict[str, Any]]]:
        now = self._clock.now()
        found: dict[str, list[dict[str, Any]]] = {
            each: [] for each in ("accounts", "mails", "words", "attributes", "keys", "credentials")
        }
        for each in ready:
            person, of = each.person, {"account_id": each.person.id}
            found["accounts"].append(directory_store.account_values(person))
            found["mails"] += directory_store.mail_values(person.id, person.mails, now)
            found["words"] += name_search.rows_of(person)
            found["attributes"] += [
                {**of, "name": name, "value": value, "verified_at": now} for name, value in each.attributes.items()
            ]
            found["keys"] += [
                {**of, "tag": tag, "public_key": key, "created_at": now} for tag, key in each.ssh_public_keys.items()
            ]
            if each.password:
                kind = str(CredentialKind.PASSWORD)
                secret = {"label": "", "secret": each.password, "created_at": now, "last_step": None, "foreign_hash": 1}
                found["credentials"].append({**of, "id": uuid4(self._entropy), "kind": kind, **secret})
        return found

    def _checked(self, given: ImportedPerson) -> tuple[_Ready | None, list[ImportFault]]:
        """A person as they will be stored, and everything that is wrong with them."""
        faults: list[ImportFault] = []
        found: dict[str, Any] = {}
        for field, check in self._checks_of(given):
            try:
                found[field] = check()
            except Failure as failure:
                faults.append(_fault(given, field, failure))
        if faults:
            return None, faults
        attributes = {name: value for name, value in found["attributes"].items() if value is not None}
        return _Ready(found["name"], found["password_hash"], attributes, found["ssh_public_keys"]), []

    def _checks_of(self, given: ImportedPerson) -> Iterator[tuple[str, Any]]:
        mails = [MailAddress(each, verified=given.mails_verified) for each in given.mails]
        now = self._clock.now()

        def person(name: str, display_name: str, addresses: Sequence[MailAddress]) -> Account:
            return new_person(uuid4(self._entropy), name, display_name, addresses, now)

        yield "mail", lambda: person("a", "a", mails)
        yield "display_name", lambda: person("a", given.display_name, ())
        yield "name", lambda: person(given.name, given.display_name if given.display_name.strip() else "a", _unless_wrong(mails))
        yield "attributes", lambda: check_attributes(given.attributes)
        yield "ssh_public_keys", lambda: _keys(given.ssh_public_keys)
        yield "password_hash", lambda: stored_form(given.password_hash) if given.password_hash.strip() else b""

    async def _taken(self, given: ImportedPerson) -> Any:
        if not await store.is_name_free(self._db, given.name):
            yield ImportFault(given.line, "name", f"There is an account or a group {given.name!r} already.", "Take the line out.")
        for address in given.mails:
            if await directory_store.owner_of_mail(self._db, address) is not None:
                yield ImportFault(
                    given.line,
                    "mail",
                    f"Another account has the e-mail address {address}.",
                    "Take it out, or change that account.",
                )

    async def _require_open(self, reader: Database | Transaction, import_id: str, actor: Actor) -> None:
        if not await store.is_open(reader, import_id, actor.id, self._clock.now()):
            raise ImportNotFound(
                "This import is not known: it was finished, took too long, or another was begun since.", hint="Begin again."
            )


def _unless_wrong(mails: Sequence[MailAddress]) -> Sequence[MailAddress]:
    """The addresses, where all are right; a fault of one is reported with its own field."""
    try:
        new_person("a", "a", "a", mails, Instant(0))
    except Failure:
        return ()
    return mails


def _keys(given: Mapping[str, str]) -> dict[str, str]:
    if len(given) > MAX_KEYS:
        raise InvalidInput(f"{len(given)} SSH keys are too many; a person has at most {MAX_KEYS}.")
    return {check_tag(tag): check_public_key(key) for tag, key in given.items()}


def _fault(given: ImportedPerson, field: str, failure: Failure) -> ImportFault:
    reasons = f" ({'; '.join(failure.reasons)})" if failure.reasons else ""
    return ImportFault(given.line, field, f"{failure.detail.rstrip('.')}{reasons}.", failure.hint)


def _context(import_id: str) -> str:
    return f"imported_people:{import_id}"
