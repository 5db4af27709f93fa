"""The profiles there are: those that are built in, and those that administrators stored.

A stored profile is remembered for a second, and the transaction that records an issuance compares it with what stands there
then: so no certificate is signed by a profile that was changed before, on whichever node. A profile is linted before it is saved,
by what it would have signed. Where a rule asks for approval of a profile, its change or deletion is held by that rule.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec

from sealwright.access import SYSTEM, Actor, Permission, Scope, ScopeKind, permissions_in_any_session, require
from sealwright.access.approvals import ApprovalRequest, Approvals, HeldChange, RequestKind, all_rules
from sealwright.audit import Audit, Event, changes_between
from sealwright.ca.errors import ProfileRefused
from sealwright.ca.issuers import Issuers
from sealwright.ca.lint import lint_representative
from sealwright.ca.models import Profile
from sealwright.ca.profiles import store
from sealwright.ca.profiles.definition import BUILT_IN, check, digest_of
from sealwright.ca.profiles.errors import ProfileChanged, ProfileExists, ProfileHeld, ProfileInUse, ProfileReadOnly
from sealwright.ca.profiles.texts import profile_members, profile_of
from sealwright.clock import Clock, Instant, after, is_ahead
from sealwright.confusables import shown
from sealwright.db import Database, Transaction
from sealwright.errors import Action, Failure, Remedy
from sealwright.go_duration import format_duration

FRESH_FOR = timedelta(seconds=1)
"""How long a stored profile is remembered; what another node changed counts after that at the latest."""
NEW_DEFAULT = timedelta(hours=24)
"""Lifetime by a new profile, where none is asked for and its range holds it."""
MOST_PROFILES = store.MOST_PROFILES
MOST_SHOWN = 5

UsersOf = Callable[[Database | Transaction, str], Awaitable[list[str]]]
"""The names of the provisioners that choose a profile."""


class KnownProfile(NamedTuple):
    """A profile, and what an issuance says of it."""

    profile: Profile
    digest: str
    """SHA-256 of everything it says."""
    revision: str
    """Of a stored one: which version it is. Empty where it is built in."""
    updated_at: Instant | None = None


_BUILT_IN: Mapping[str, KnownProfile] = {
    name: KnownProfile(profile, digest_of(profile).hex(), "") for name, profile in BUILT_IN.items()
}


class _Held(NamedTuple):
    request: ApprovalRequest
    missing: list[str]


class ProfileRegistry:
    """Finds, stores, changes and deletes profiles."""

    def __init__(
        self, db: Database, audit: Audit, clock: Clock, *, issuers: Issuers, users_of: UsersOf, approvals: Approvals | None
    ) -> None:
        """`approvals`: None within a larger change, where nothing can be held and what needs approval is refused."""
        self._db = db
        self._audit = audit
        self._clock = clock
        self._issuers = issuers
        self._users_of = users_of
        self._approvals = approvals
        self._known: dict[str, tuple[KnownProfile | None, Instant]] = {}
        if approvals is not None:
            approvals.appliers[RequestKind.PROFILE] = self._apply

    def within(self, db: Database, audit: Audit, users_of: UsersOf) -> ProfileRegistry:
        """The same profiles, in a database that is a transaction."""
        return ProfileRegistry(db, audit, self._clock, issuers=self._issuers, users_of=users_of, approvals=None)

    # --- finding -----------------------------------------------------------------------------------------------------

    async def find(self, name: str) -> KnownProfile | None:
        """The profile of this name, at most a second old."""
        built_in = _BUILT_IN.get(name)
        if built_in is not None:
            return built_in
        now, cached = self._clock.now(), self._known.get(name)
        if cached is not None and is_ahead(cached[1], now, at_most=FRESH_FOR):
            return cached[0]
        row = await store.by_name(self._db, name)
        known = None if row is None else self._opened(row)
        if len(self._known) < MOST_PROFILES or name in self._known:
            self._known[name] = (known, after(now, FRESH_FOR))
        return known

    async def named(self, name: str) -> KnownProfile:
        """The same; ProfileMissing where there is none."""
        known = await self.find(name)
        if known is None:
            raise store.missing(name)
        return known

    async def newest(self, name: str) -> KnownProfile:
        """The same as it stands at this moment, for a change of it."""
        if name in _BUILT_IN:
            return _BUILT_IN[name]
        row = await store.by_name(self._db, name)
        if row is None:
            raise store.missing(name)
        return self._opened(row)

    async def all(self) -> list[KnownProfile]:
        """Every profile: those that are built in first, then stored ones by name."""
        return [*_BUILT_IN.values(), *(self._opened(row) for row in await store.all_profiles(self._db))]

    async def used_by(self, name: str) -> list[str]:
        """The names of the provisioners that choose a profile."""
        return await self._users_of(self._db, name)

    @staticmethod
    def scope_of(name: object) -> tuple[Scope, ...]:
        """The scope of grants that hold within one profile."""
        return (Scope(ScopeKind.PROFILE, name),) if isinstance(name, str) else ()

    @staticmethod
    def new_members() -> dict[str, Any]:
        """What a new profile has where nothing is said."""
        return profile_members(Profile(name="new", default=NEW_DEFAULT))

    def forget(self) -> None:
        """Read profiles anew when they are next needed."""
        self._known.clear()

    def _opened(self, row: store.ProfileRow) -> KnownProfile:
        """The same object each time for the same version, which is what templates and rules are kept by."""
        before = self._known.get(row.name, (None,))[0]
        if before is not None and before.revision == row.revision:
            return before
        profile = msgspec.json.decode(row.definition, type=Profile)
        return KnownProfile(profile, digest_of(profile).hex(), row.revision, row.updated_at)

    # --- changing ----------------------------------------------------------------------------------------------------

    async def create(self, members: Mapping[str, Any], *, actor: Actor) -> KnownProfile:
        """Store a new profile. What would fail the lint of certificates raises ProfileRefused with the reason."""
        require(actor, Permission.PROFILE_WRITE, self.scope_of(members.get("name")))
        profile = profile_of(_with_default(members))
        if profile.name in BUILT_IN:
            raise ProfileExists(f"There is a built-in profile {profile.name}.", hint="Choose another name.", pointer="/name")
        await self._check(profile)

        async def body(tx: Transaction) -> None:
            if await store.count(tx) >= MOST_PROFILES:
                raise ProfileRefused(f"There are {MOST_PROFILES} profiles already, which is as many as there may be.")
            if not await store.insert_profile(tx, profile, self._clock.now()):
                raise ProfileExists(
                    f"There is a profile {profile.name} already.",
                    hint="Choose another name, or change that one.",
                    pointer="/name",
                )
            details = {"name": profile.name, "definition": profile_members(profile)}
            await self._record(tx, Event.PROFILE_CREATED, actor, profile.name, details)

        await self._write(body)
        return await self.named(profile.name)

    async def change(self, name: str, members: Mapping[str, Any], *, actor: Actor) -> KnownProfile:
        """Give a stored profile other members; those that are not named stay. ApprovalPending where a rule asks for approval."""
        require(actor, Permission.PROFILE_WRITE, self.scope_of(name))
        _require_stored(name)
        if members.get("name", name) != name:
            raise ProfileRefused(
                f"A profile keeps its name, {name}.",
                hint="Create another one, and let provisioners choose that.",
                pointer="/name",
            )
        row = await store.by_name(self._db, name)
        if row is None:
            raise store.missing(name)
        before = msgspec.json.decode(row.definition, type=Profile)
        wanted = profile_of(_with_default({**profile_members(before), **members}))
        if wanted == before:
            return self._opened(row)
        await self._check(wanted)

        async def body(tx: Transaction) -> _Held | None:
            if await store.locked(tx, name) != row:
                raise ProfileChanged(f"The profile {name} was changed meanwhile.", hint="Look at it again, and try once more.")
            held = await self._hold(tx, before, wanted, actor)
            if held is None:
                await self._store_change(tx, before, wanted, actor)
            return held

        self._raise_held(await self._write(body))
        return await self.named(name)

    async def delete(self, name: str, *, actor: Actor) -> None:
        """Delete a stored profile that nothing chooses. ApprovalPending where a rule asks for approval."""
        require(actor, Permission.PROFILE_WRITE, self.scope_of(name))
        _require_stored(name)

        async def body(tx: Transaction) -> _Held | None:
            row = await store.locked(tx, name)
            if row is None:
                raise store.missing(name)
            await self._require_unused(tx, name)
            before = msgspec.json.decode(row.definition, type=Profile)
            held = await self._hold(tx, before, None, actor)
            if held is None:
                await self._store_change(tx, before, None, actor)
            return held

        self._raise_held(await self._write(body))

    async def _write(self, body: Callable[[Transaction], Awaitable[_Held | None]]) -> _Held | None:
        try:
            return await self._db.write(body)
        finally:
            self.forget()

    async def _check(self, profile: Profile) -> None:
        """Raise ProfileRefused for what the lint of certificates finds in what the profile would have signed."""
        check(profile)
        try:
            issuer = await self._issuers.signing(profile.issuer)
        except Failure as cause:
            raise ProfileRefused(
                f"The profile {profile.name} names an issuer that cannot sign: {cause.detail}", hint=cause.hint, pointer="/issuer"
            ) from cause
        found = lint_representative(profile, issuer, self._clock.now())
        if found:
            raise ProfileRefused(
                f"No certificate of the profile {profile.name} would pass the lint: {found[0].detail}.",
                reasons=tuple(dict.fromkeys(map(str, found))),
                hint="Change the profile so that its certificates are well formed.",
            )

    async def _require_unused(self, tx: Transaction, name: str) -> None:
        users = await self._users_of(tx, name)
        if users:
            raise ProfileInUse(
                f"The profile {name} is chosen by {_listed('provisioner', users)}.",
                reasons=tuple(f"the provisioner {each} chooses it" for each in users),
                hint="Let these choose another profile first, or remove them.",
            )
        grants = await store.grants_within(tx, name)
        if grants:
            raise ProfileInUse(
                f"{grants} {'grants of roles hold' if grants > 1 else 'grant of a role holds'} within the profile {name} alone.",
                reasons=("who makes a profile of this name again would find them in force",),
                hint="Withdraw them first.",
                remedy=Remedy(Action.LIST_GRANTS),
            )

    async def _store_change(self, tx: Transaction, before: Profile, wanted: Profile | None, actor: Actor) -> None:
        if wanted is None:
            await store.delete_profile(tx, before.name)
            details = {"name": before.name, "definition": profile_members(before)}
            await self._record(tx, Event.PROFILE_DELETED, actor, before.name, details)
            return
        await store.update_profile(tx, wanted, self._clock.now())
        changes = changes_between(profile_members(before), profile_members(wanted))
        await self._record(tx, Event.PROFILE_UPDATED, actor, wanted.name, {"name": wanted.name, "changes": changes})

    async def _record(self, tx: Transaction, event: Event, actor: Actor, name: str, details: Mapping[str, object]) -> None:
        await self._audit.record(tx, event, actor=actor, target=f"profile:{name}", details=details)

    # --- approval ----------------------------------------------------------------------------------------------------

    async def _hold(self, tx: Transaction, before: Profile, wanted: Profile | None, actor: Actor) -> _Held | None:
        """Hold a change where a rule asks for approval of what the profile lets through; None where none does."""
        name = str(Scope(ScopeKind.PROFILE, before.name))
        rules = [each for each in await all_rules(tx) if each.object == name]
        if not rules or actor is SYSTEM:
            return None
        if self._approvals is None:
            raise ProfileHeld(
                f"The profile {before.name} asks for approval, and its change must be held: not as part of a larger change.",
                remedy=Remedy(Action.UPDATE_PROFILE, before.name),
            )
        content = {"before": profile_members(before), "after": None if wanted is None else profile_members(wanted)}
        key = msgspec.json.encode([actor.kind, actor.id, content], order="sorted")
        change = HeldChange(
            kind=RequestKind.PROFILE,
            objects=(name,),
            title=f"{'Deleting' if wanted is None else 'Changing'} the profile {before.name}",
            content=content,
            reasons=("a profile that asks for approval is changed with that approval",),
            match_digest=hashlib.sha256(b"profile\0" + key).digest(),
        )
        request = await self._approvals.hold(tx, change, rules, actor)
        return _Held(request, await self._approvals.missing(tx, request, rules))

    def _raise_held(self, held: _Held | None) -> None:
        if held is not None and self._approvals is not None:
            raise self._approvals.pending(held.request, held.missing, hint="The profile stays as it is until then.")

    async def _apply(self, tx: Transaction, request: ApprovalRequest) -> str:
        """The approved change, if the profile is still what it was based on, and who asked may still change it."""
        before = profile_of(request.content["before"])
        permissions = await permissions_in_any_session(tx, request.requester_id, self._clock.now())
        actor = Actor(request.requester_kind, request.requester_id, request.requester_name, permissions)
        require(actor, Permission.PROFILE_WRITE, self.scope_of(before.name))
        row = await store.locked(tx, before.name)
        if row is None or msgspec.json.decode(row.definition, type=Profile) != before:
            raise ProfileChanged(f"The profile {before.name} was changed meanwhile.")
        after_it = request.content["after"]
        wanted = None if after_it is None else profile_of(after_it)
        if wanted is None:
            await self._require_unused(tx, before.name)
        await self._store_change(tx, before, wanted, actor)
        self.forget()
        return before.name


def _with_default(members: Mapping[str, Any]) -> Mapping[str, Any]:
    """A stored profile always says its lifetimes, so that provisioners have them of it."""
    if members.get("default") is not None:
        return members
    given = profile_of({**members, "default": None})
    return {**members, "default": format_duration(min(max(NEW_DEFAULT, given.shortest), given.longest))}


def _require_stored(name: str) -> None:
    if name in BUILT_IN:
        raise ProfileReadOnly(
            f"The profile {shown(name)} is built in, and stays as it is.",
            remedy=Remedy(Action.CREATE_PROFILE),
        )


def _listed(noun: str, names: list[str]) -> str:
    few = ", ".join(names[:MOST_SHOWN])
    more = f" and {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else ""
    return f"the {noun}{'s' if len(names) > 1 else ''} {few}{more}"
