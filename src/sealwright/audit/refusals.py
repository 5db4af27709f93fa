"""Repeated refusals share rows, so that a refused caller cannot fill the record, which is never purged.

The first refusal of a kind writes its row at once. Those alike that follow within a minute are counted in this process; when the
minute is over, one more row records their number. A process that is killed takes the counts of its last minute with it: the
row of the first stays, and after it the record says nothing of how many followed. An orderly stop writes what was counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, NamedTuple

from sealwright.audit.events import Event
from sealwright.clock import Clock, Instant, after, before
from sealwright.ip import network_of

WINDOW = timedelta(minutes=1)
MOST_TARGETS = 20
"""Targets that the row of a minute lists with their counts; the others are counted as one."""
MOST_CALLERS = 1_000
"""Kinds of refusal and callers that are counted separately at a time. Unauthenticated callers beyond it are counted together.

Authenticated people never are, or an attacker with many addresses could hide behind that number what one person does: the oldest
count of a person is written early instead.
"""


class Refusal(NamedTuple):
    """One refusal, as its row records it."""

    event: Event
    actor_kind: str
    actor_id: str
    actor_name: str
    address: str
    target: str
    reason: str


class Repeated(NamedTuple):
    """How many more there were of a refusal whose row was written, in one minute."""

    first: Refusal
    more: int
    targets: dict[str, int]
    since: Instant
    until: Instant

    @property
    def details(self) -> dict[str, Any]:
        """The details of its row."""
        details = {
            "reason": self.first.reason,
            "repeated": self.more,
            "targets": self.targets,
            "since": self.since,
            "until": self.until,
        }
        return details | ({"address": self.first.address} if self.first.address else {})


class _Tally:
    """The count of one kind of refusal by one caller."""

    __slots__ = ("began_at", "first", "last_at", "more", "targets")

    def __init__(self, first: Refusal, now: Instant) -> None:
        self.first = first
        self.began_at = self.last_at = now
        self.more = 0
        self.targets: dict[str, int] = {}

    def add(self, target: str) -> None:
        """Count one more."""
        self.more += 1
        named = target if target in self.targets or len(self.targets) < MOST_TARGETS else "others"
        self.targets[named] = self.targets.get(named, 0) + 1


class Refusals:
    """The counts of this process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tallies: dict[tuple[str, ...], _Tally] = {}
        self._people = 0
        self._over: list[Repeated] = []

    def count(self, refused: Refusal) -> bool:
        """Whether this one gets a row of its own now; if not, it is counted."""
        now = self._clock.now()
        tally, is_first = self._tally(refused, now)
        tally.last_at = now
        if not is_first:
            tally.add(refused.target)
        return is_first

    def not_written(self, refused: Refusal) -> None:
        """The row of its own could not be written: count it instead."""
        tally, _ = self._tally(refused, self._clock.now())
        tally.add(refused.target)

    def take(self, *, unfinished: bool = False) -> list[Repeated]:
        """The counts of minutes that are over, or with `unfinished` all there are. They are the caller's now."""
        now = self._clock.now()
        for key in [key for key, tally in self._tallies.items() if unfinished or _is_over(tally, now)]:
            self._finish(key)
        over, self._over = self._over, []
        return over

    def give_back(self, taken: Iterable[Repeated]) -> None:
        """What `take` gave was not written after all."""
        self._over.extend(taken)

    def _finish(self, key: tuple[str, ...]) -> None:
        tally = self._tallies.pop(key)
        self._people -= _is_person(tally.first)
        if tally.more:
            self._over.append(Repeated(tally.first, tally.more, tally.targets, tally.began_at, tally.last_at))

    def _tally(self, refused: Refusal, now: Instant) -> tuple[_Tally, bool]:
        key: tuple[str, ...] = (refused.event, refused.reason, *_caller(refused))
        tally = self._tallies.get(key)
        if tally is None and _is_person(refused) and self._people >= MOST_CALLERS:
            self._finish(next(key for key, each in self._tallies.items() if _is_person(each.first)))
        elif tally is None and not _is_person(refused) and len(self._tallies) - self._people >= MOST_CALLERS:
            refused = Refusal(refused.event, "nobody", "", "", "", "", "refusals of more callers than are counted separately")
            key = (refused.event,)
            tally = self._tallies.get(key)
        if tally is not None and _is_over(tally, now):
            self._finish(key)
            tally = None
        if tally is not None:
            return tally, False
        self._tallies[key] = _Tally(refused, now)
        self._people += _is_person(refused)
        return self._tallies[key], True


def _caller(refused: Refusal) -> tuple[str, ...]:
    """A person counts by id. Anyone can use a client's name, so its address counts as well."""
    if _is_person(refused):
        return ("person", refused.actor_id)
    return (refused.actor_kind, refused.actor_id, network_of(refused.address))


def _is_person(refused: Refusal) -> bool:
    return refused.actor_kind == "person"


def _is_over(tally: _Tally, now: Instant) -> bool:
    return not before(now, WINDOW) < tally.began_at <= after(now, WINDOW)  # if it began in the future, the clock was set back
