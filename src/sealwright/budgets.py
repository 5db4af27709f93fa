"""Rate limits: how many requests of a kind one party (a network, an account, a client) may make in a while.

Counts are in the memory of each process and begin anew when it starts or reloads its settings: asking costs no row, and with
several processes a party may have as many times the number that is set. A check and a count are a look into a dictionary each.
"""

from __future__ import annotations

from datetime import timedelta
from math import ceil

from msgspec import Struct

from sealwright.clock import Clock
from sealwright.errors import RateLimited
from sealwright.settings import BudgetSettings, Rate

MOST_PARTIES = 20_000
"""That one budget remembers. Beyond that, those are forgotten first that began longest ago."""

_MILLISECOND = timedelta(milliseconds=1)


class Budget:
    """What is spent comes back steadily: after the whole time of the rate, all of it."""

    def __init__(self, clock: Clock, rate: Rate | None, what: str) -> None:
        """`rate` None means no limit. `what` finishes the sentence "Too many …"."""
        self._clock = clock
        self._what = what
        self._every = 0 if rate is None else rate.every // _MILLISECOND
        self._cost = 0.0 if rate is None else self._every / rate.most
        self._restored_at: dict[tuple[str, ...], float] = {}

    def require(self, *party: str) -> None:
        """Raise RateLimited while `party` has spent everything."""
        restored_at = self._restored_at.get(party)
        if restored_at is None:
            return
        now = self._clock.now()
        wait = restored_at + self._cost - self._every - now
        if wait <= 0:
            return
        if wait > self._every:  # spent by a clock that was put back since
            del self._restored_at[party]
            return
        seconds = ceil(wait / 1_000)
        how_long = f"{seconds} second" if seconds == 1 else f"{seconds} seconds"
        raise RateLimited(f"Too many {self._what}. The next one is looked at in {how_long}.", retry_after=seconds)

    def spend(self, *party: str) -> None:
        """Count one."""
        if not self._cost:
            return
        now = self._clock.now()
        if party not in self._restored_at and len(self._restored_at) >= MOST_PARTIES:
            self._make_room(now)
        latest = now + self._every
        self._restored_at[party] = min(max(self._restored_at.get(party, 0.0), now) + self._cost, latest)

    def take(self, *party: str) -> None:
        """Count one, or raise RateLimited."""
        self.require(*party)
        self.spend(*party)

    def _make_room(self, now: int) -> None:
        left = {party: restored_at for party, restored_at in self._restored_at.items() if restored_at > now}
        too_many = len(left) - MOST_PARTIES // 2
        self._restored_at = dict(list(left.items())[max(too_many, 0) :])


class Budgets(Struct, frozen=True):
    """Every budget there is. A network is what `ip.network_of` says; those who proved who they are count as that."""

    authorizations_by_network: Budget
    authorizations_by_account: Budget
    token_failures_by_client: Budget
    """One client from one network, so that strangers cannot use up what the client itself has."""
    token_failures_by_network: Budget
    userinfo_failures_by_network: Budget
    user_codes_by_network: Budget
    """Codes of devices that were typed wrongly."""
    emergencies_by_network: Budget
    """Uses of the break-glass password and of the bootstrap token, right or wrong."""
    registrations: Budget
    """Of all clients that register themselves, from wherever."""
    registrations_by_network: Budget
    certificate_failures_by_network: Budget
    certificate_failures_by_account: Budget


def make_budgets(settings: BudgetSettings, clock: Clock) -> Budgets:
    """Those that the settings ask for, all unspent."""
    return Budgets(
        authorizations_by_network=Budget(clock, settings.authorizations_per_address, "authorization requests from this address"),
        authorizations_by_account=Budget(clock, settings.authorizations_per_account, "authorization requests of this account"),
        token_failures_by_client=Budget(
            clock, settings.token_failures_per_client, "token requests of this client from this address were refused"
        ),
        token_failures_by_network=Budget(
            clock, settings.token_failures_per_address, "token requests from this address were refused"
        ),
        userinfo_failures_by_network=Budget(
            clock, settings.token_failures_per_address, "access tokens from this address were none of this server"
        ),
        user_codes_by_network=Budget(
            clock, settings.user_codes_per_address, "codes of devices from this address were typed wrongly"
        ),
        emergencies_by_network=Budget(clock, settings.emergencies_per_address, "attempts from this address"),
        registrations=Budget(clock, settings.registrations, "clients registered themselves"),
        registrations_by_network=Budget(
            clock, settings.registrations_per_address, "clients registered themselves from this address"
        ),
        certificate_failures_by_network=Budget(
            clock, settings.certificate_failures_per_address, "certificate requests from this address were refused"
        ),
        certificate_failures_by_account=Budget(
            clock, settings.certificate_failures_per_account, "certificate requests of this account were refused"
        ),
    )
