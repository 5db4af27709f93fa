"""The provisioners there are: those that administrators stored, and those of files, which only their file can change.

A stored provisioner is looked up in the database each time, so that a removal counts at once on every node; only the reading
of its JSON is remembered. Files are read at start and at reload.

`clientSecret` is part of the list because `step` takes it from there; anyone who can reach this server can read it. Give public
clients (PKCE, an empty or meaningless secret) to `step`, as the provider of this server does. At rest the secret is sealed.
"""

from __future__ import annotations

import binascii
from pathlib import Path

import msgspec
from msgspec import Struct

from sealwright.access import Actor, NamedAuthority, Permission, require, require_in_person
from sealwright.audit import Audit, Event
from sealwright.ca.issuers import IssuerKind, all_issuers
from sealwright.ca.models import Claims
from sealwright.ca.profiles import require_chosen, require_within
from sealwright.ca.provisioners import store
from sealwright.ca.provisioners.definitions import SECRET_MEMBER, parse_definition
from sealwright.ca.provisioners.errors import DefinitionRefused, ProvisionerExists, ProvisionerMissing, ProvisionerReadOnly
from sealwright.ca.provisioners.files import parse_json, read_files
from sealwright.ca.provisioners.models import WELL_KNOWN, OidcDefinition
from sealwright.ca.provisioners.provisioner import OwnClient, Provisioner
from sealwright.clock import Clock
from sealwright.db import Database, DuplicateRow, Insertion, SingleFlight, Transaction
from sealwright.errors import Failure, InvalidInput, NotPermitted
from sealwright.keys import Sealer

LONGEST_PAGE = 100

_FROM_FILE, _STORED = "f", "s"


class RegistryPage(Struct, frozen=True):
    """Some of the provisioners; `next_cursor` is empty on the last page."""

    provisioners: tuple[Provisioner, ...]
    next_cursor: str


class ProvisionerRegistry:
    """Finds, lists, adds and removes provisioners."""

    def __init__(
        self,
        db: Database,
        sealer: Sealer,
        audit: Audit,
        clock: Clock,
        *,
        directory: Path,
        own_client: OwnClient,
        defaults: Claims | None = None,
        origin: str = "",
    ) -> None:
        """`directory`: where the files are; `defaults`: claims that a definition inherits; `origin`: of our own issuers."""
        self._db = db
        self._sealer = sealer
        self._audit = audit
        self._clock = clock
        self._directory = directory
        self._own_client = own_client
        self._origin = origin
        self._defaults = Claims() if defaults is None else defaults
        self._files: dict[str, Provisioner] = {}
        self._parsed: dict[str, tuple[str, bytes | None, Provisioner]] = {}
        self._stored: SingleFlight[str, Provisioner | None] = SingleFlight(self._read_stored)

    def within(self, db: Database, audit: Audit) -> ProvisionerRegistry:
        """The same provisioners, in a database that is a transaction."""
        inner = ProvisionerRegistry(
            db,
            self._sealer,
            audit,
            self._clock,
            directory=self._directory,
            own_client=self._own_client,
            defaults=self._defaults,
            origin=self._origin,
        )
        inner._files = self._files
        return inner

    async def reload(self) -> None:
        """Read the files again. When anything is wrong with them, the provisioners of before stay and a refusal is raised."""
        found = read_files(self._directory, defaults=self._defaults, origin=self._origin)
        for provisioner in found:
            row = await store.by_id(self._db, provisioner.id) or await store.by_name(self._db, provisioner.name)
            if row is not None:
                raise ProvisionerExists(
                    f"{provisioner.source}: {provisioner.name!r} ({provisioner.id}) is stored in the database too.",
                    hint="Remove one of the two.",
                )
        for provisioner in found:
            await self._check_file(provisioner)
        self._files = {provisioner.id: provisioner for provisioner in found}

    async def _check_file(self, provisioner: Provisioner) -> None:
        """The choices of a file are judged by the same rule as those of a stored provisioner."""

        async def body(tx: Transaction) -> None:
            await self._check_choice(tx, provisioner)

        if provisioner.definition.profile or provisioner.definition.issuer:
            try:
                await self._db.write(body)
            except DefinitionRefused as cause:
                raise DefinitionRefused(f"{provisioner.source}: {cause.detail}", hint=cause.hint, remedy=cause.remedy) from cause

    async def find(self, provisioner_id: str) -> Provisioner | None:
        """The provisioner that tokens with this id are for: a client id, or ``name:kid``."""
        if provisioner_id in self._files:
            return self._files[provisioner_id]
        return await self._stored.of(provisioner_id)

    async def _read_stored(self, provisioner_id: str) -> Provisioner | None:
        row = await store.by_id(self._db, provisioner_id)
        return None if row is None else self._open(row)

    async def find_named(self, name: str) -> Provisioner | None:
        """The provisioner of this name or id, where there is one."""
        try:
            return await self.named(name)
        except ProvisionerMissing:
            return None

    async def named(self, name: str) -> Provisioner:
        """The provisioner of this name, else of this id, by which the audit record calls it; or ProvisionerMissing."""
        for provisioner in self._files.values():
            if provisioner.name == name:
                return provisioner
        row = await store.by_name(self._db, name)
        found = await self.find(name) if row is None else self._open(row)
        if found is None:
            raise ProvisionerMissing(f"There is no provisioner {name[:100]!r}.")
        return found

    async def page(
        self, cursor: str = "", at_most: int = LONGEST_PAGE, *, reader: Database | Transaction | None = None
    ) -> RegistryPage:
        """Provisioners after `cursor`: those of files by name, then stored ones in the order in which they were added."""
        after = _decode(cursor)
        wanted = at_most + 1
        found = (
            sorted(
                (f"{_FROM_FILE}{provisioner.name}", provisioner)
                for provisioner in self._files.values()
                if f"{_FROM_FILE}{provisioner.name}" > after
            )[:wanted]
            if after < _STORED
            else []
        )
        if len(found) < wanted:
            position = (int(after[1:11]), after[11:]) if after.startswith(_STORED) else (0, "")
            rows = await store.page(reader or self._db, beyond=position, at_most=wanted - len(found))
            found += [(f"{_STORED}{row.position:010d}{row.name}", self._open(row)) for row in rows]
        more = len(found) > at_most
        found = found[:at_most]
        return RegistryPage(tuple(item for _, item in found), found[-1][0].encode().hex() if more else "")

    async def all(self, reader: Database | Transaction | None = None) -> list[Provisioner]:
        """Every provisioner, in the order of the list."""
        page = await self.page(reader=reader)
        found = list(page.provisioners)
        while page.next_cursor:
            page = await self.page(page.next_cursor, reader=reader)
            found += page.provisioners
        return found

    async def named_authority(self, reader: Database | Transaction) -> list[NamedAuthority]:
        """The names of this server's people, groups and clients that carry authority because a provisioner trusts them."""
        return [each for provisioner in await self.all(reader) for each in provisioner.named_authority(self._own_client)]

    async def encrypted_key(self, kid: str) -> str:
        """The encrypted private key of the JWK provisioner whose key has this id, or ProvisionerMissing."""
        for provisioner in await self.all():
            if found := provisioner.encrypted_key(kid):
                return found
        raise ProvisionerMissing(f"There is no encrypted key {kid[:100]!r}.")

    def check(self, document: object) -> Provisioner:
        """The provisioner that `add` would store, as far as can be said without the database; what is wrong is refused."""
        if isinstance(document, str | bytes):
            document = parse_json(document)
        provisioner = parse_definition(document, defaults=self._defaults, origin=self._origin)
        for other in self._files.values():
            if provisioner.name == other.name or provisioner.id == other.id:
                raise _exists(provisioner, f"in the file {other.source}", same_name=provisioner.name == other.name)
        return provisioner

    async def add(self, document: object, actor: Actor) -> Provisioner:
        """Store a provisioner: the decoded JSON of its definition, or JSON text.

        It decides whose word counts for a name, so only who may have any name themselves may add one.
        """
        try:
            require(actor, Permission.PROVISIONER_WRITE)
            require(actor, Permission.CERTIFICATE_ISSUE_ANY_NAME)
            require_in_person(actor, "add a provisioner, whose word counts for names")
        except NotPermitted as refusal:
            details = {"reason": refusal.detail, "reasons": list(refusal.reasons)}
            await self._audit.refused(
                self._db, Event.PROVISIONER_ADDED, actor=actor, target="provisioner:new", reason=refusal.code, details=details
            )
            raise
        provisioner = self.check(document)
        try:
            await self._db.write(self.prepared(document, actor))
        except DuplicateRow as cause:
            same_name = await store.by_name(self._db, provisioner.name) is not None
            raise _exists(provisioner, "already", same_name=same_name) from cause
        return provisioner

    def prepared(self, document: object, actor: Actor) -> Insertion:
        """What stores a provisioner, within a larger change too; DuplicateRow where there is one of its name or id."""
        require(actor, Permission.PROVISIONER_WRITE)
        provisioner = self.check(document)
        row, kind = self._seal(provisioner)

        async def body(tx: Transaction) -> None:
            await self._check_choice(tx, provisioner)
            await store.insert_last(tx, row, kind=kind, created_by=actor.id, now=self._clock.now())
            await self._audit.record(
                tx,
                Event.PROVISIONER_ADDED,
                actor=actor,
                target=f"provisioner:{provisioner.id}",
                details={"name": provisioner.name, "type": kind, "definition": msgspec.json.decode(row.definition)},
            )

        return body

    def own_issuer(self, provisioner: Provisioner) -> str:
        """The URL of the issuer of this server that it trusts; empty where it trusts something else."""
        definition = provisioner.definition
        if not isinstance(definition, OidcDefinition) or self._own_client(definition.configuration_endpoint) is None:
            return ""
        return definition.configuration_url.removesuffix(WELL_KNOWN)

    async def using_profile(self, reader: Database | Transaction, name: str) -> list[str]:
        """The names of the provisioners that choose a profile."""
        return [each.name for each in await self.all(reader) if each.definition.profile_name == name]

    async def _check_choice(self, tx: Transaction, provisioner: Provisioner) -> None:
        """Raise DefinitionRefused where the profile or issuer does not exist, or the profile does not allow what is defined."""
        definition = provisioner.definition
        try:
            profile = await require_chosen(tx, definition.profile_name)
            require_within(provisioner.claims, profile)
        except Failure as cause:
            raise DefinitionRefused(
                f"profile is {definition.profile_name[:64]!r}: {cause.detail}", hint=cause.hint, remedy=cause.remedy
            ) from cause
        chosen = definition.issuer
        if not chosen:
            return
        if profile.issuer and chosen != profile.issuer:
            raise DefinitionRefused(
                f"issuer is {chosen[:100]!r}, and the profile {profile.name} lets {profile.issuer} sign.",
                hint="Leave issuer out, or choose another profile.",
            )
        known = [each.name for each in await all_issuers(tx) if each.kind is IssuerKind.ISSUING and each.retired_at is None]
        if chosen not in known:
            raise DefinitionRefused(
                f"issuer is {chosen[:100]!r}, and no issuing CA that signs has this name.",
                hint=f"There are {', '.join(known)}." if known else "",
            )

    async def remove(self, name: str, actor: Actor) -> None:
        """Remove a stored provisioner. Its certificates stay valid until they expire and cannot be renewed."""
        require(actor, Permission.PROVISIONER_WRITE)
        for provisioner in self._files.values():
            if provisioner.name == name:
                raise ProvisionerReadOnly(
                    f"The provisioner {name!r} comes from the file {provisioner.source}.",
                    hint="Remove it from the file, and reload the server.",
                )

        async def body(tx: Transaction) -> None:
            provisioner_id = await store.remove(tx, name)
            if provisioner_id is None:
                raise ProvisionerMissing(f"There is no provisioner {name[:100]!r}.")
            target = f"provisioner:{provisioner_id}"
            await self._audit.record(tx, Event.PROVISIONER_REMOVED, actor=actor, target=target, details={"name": name})

        await self._db.write(body)

    def _seal(self, provisioner: Provisioner) -> tuple[store.ProvisionerRow, str]:
        definition = provisioner.stored()
        sealed = self._sealer.seal(provisioner.secret.encode(), _context(provisioner.id)) if provisioner.secret else None
        text = msgspec.json.encode(definition).decode()
        return store.ProvisionerRow(provisioner.id, 0, provisioner.name, text, sealed), definition.type

    def _open(self, row: store.ProvisionerRow) -> Provisioner:
        known = self._parsed.get(row.id)
        if known is not None and known[0] == row.definition and known[1] == row.sealed_secret:
            return known[2]
        document = msgspec.json.decode(row.definition)
        if row.sealed_secret is not None:
            document[SECRET_MEMBER] = self._sealer.open(row.sealed_secret, _context(row.id)).decode()
        provisioner = parse_definition(document, defaults=self._defaults, origin=self._origin)
        self._parsed[row.id] = (row.definition, row.sealed_secret, provisioner)
        return provisioner


def _exists(provisioner: Provisioner, where: str, *, same_name: bool) -> ProvisionerExists:
    if same_name:
        return ProvisionerExists(f"A provisioner with the name {provisioner.name!r} exists {where}.", hint="Choose another name.")
    return ProvisionerExists(
        f"A provisioner with the id {provisioner.id!r} exists {where}.",
        hint="Choose another client at the provider: tokens are told apart by client id, or by name and key.",
    )


def _context(provisioner_id: str) -> str:
    return f"provisioners:{provisioner_id}"


def _is_position(text: str) -> bool:
    """Whether it is a place in the table, which counts in 32 bits."""
    return text.isascii() and text.isdigit() and int(text) < 1 << 31


def _decode(cursor: str) -> str:
    """The place in the list that a cursor stands for; an empty one stands before everything."""
    if not cursor:
        return ""
    try:
        place = binascii.unhexlify(cursor).decode()
    except (ValueError, UnicodeDecodeError) as cause:
        raise InvalidInput(f"cursor is {cursor[:40]!r}, which this server did not give out.") from cause
    if not place.startswith(_FROM_FILE) and not (place.startswith(_STORED) and _is_position(place[1:11])):
        raise InvalidInput(f"cursor is {cursor[:40]!r}, which this server did not give out.")
    return place
