"""How many connections a worker has, counted from the moment they are accepted; and which one ends when there are too many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from heapq import nsmallest
from operator import itemgetter
from typing import Protocol

from sealwright.runtime.throttled_log import ThrottledLog

_CUT_AT_ONCE = 64  # a 64th of those that wait, because looking at all of them for each newcomer would be slow


class Counted(Protocol):
    """A connection as it is seen here."""

    def waits_since(self) -> float | None:
        """Since when it is the peer's turn (for a handshake, a request, the rest of one); None while it is ours."""

    def cut(self) -> None:
        """End at once."""


class ConnectionLimit:
    """A limit that some connections share. One network may have half of it.

    When it is reached, the connection that has waited for its peer the longest makes room: among those of the newcomer's
    network, where that has its share, else among all. Only where this server is busy for every one is the newcomer refused.
    """

    def __init__(self, most: int, tell_full: ThrottledLog, tell_greedy: ThrottledLog) -> None:
        """`tell_full` and `tell_greedy` are called where the limit of all, or that of one network, is reached."""
        self._most = most
        self._share = (most + 1) // 2
        self._tell_full = tell_full
        self._tell_greedy = tell_greedy
        self._networks: dict[Counted, str] = {}
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._networks)

    def is_full_for(self, network: str) -> bool:
        """Whether a connection must be closed before the next of this network is accepted."""
        return len(self._networks) >= self._most or self._has_its_share(network)

    def _has_its_share(self, network: str) -> bool:
        return bool(network) and self._counts[network] >= self._share

    def enter(self, connection: Counted, network: str) -> bool:
        """Count a newcomer; False where there is no room. `network` is empty where many peers are behind one address."""
        if self._has_its_share(network):
            self._tell_greedy(network=network, most=self._share)
            own = [each for each, of in self._networks.items() if of == network]
            if not self._cut_longest(own):
                return False
        elif len(self._networks) >= self._most:
            self._tell_full(most=self._most)
            if not self.make_room():
                return False
        self._networks[connection] = network
        self._counts[network] += 1
        return True

    def leave(self, connection: Counted) -> None:
        """The connection is gone; one that was not counted, or not any more, changes nothing."""
        network = self._networks.pop(connection, None)
        if network is not None:
            self._counts[network] -= 1
            if not self._counts[network]:
                del self._counts[network]

    def make_room(self) -> bool:
        """End the connections that have waited the longest, of any peer; False where none waits."""
        return self._cut_longest(self._networks)

    def _cut_longest(self, connections: Iterable[Counted]) -> bool:
        waiting = [(since, each) for each in connections if (since := each.waits_since()) is not None]
        longest = nsmallest(max(1, len(waiting) // _CUT_AT_ONCE), waiting, key=itemgetter(0))
        for _, each in longest:
            self.leave(each)
            each.cut()
        return bool(longest)
