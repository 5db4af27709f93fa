from collections import Counter
from dataclasses import dataclass, field

import pytest

from sealwright.runtime.connection_limit import ConnectionLimit
from sealwright.runtime.descriptors import TooFewDescriptors, room
from sealwright.runtime.throttled_log import PAUSE, ThrottledLog


@dataclass(eq=False)
class Peer:
    since: float | None
    was_cut: bool = field(default=False)

    def waits_since(self):
        return self.since

    def cut(self):
        self.was_cut = True


class Place:
    """A limit, and how often it said that it was reached."""

    def __init__(self, most):
        self.said: Counter[str] = Counter()
        clock = iter(range(0, 10**9, int(PAUSE)))
        full, greedy = (
            ThrottledLog(lambda event, **_: self.said.update([event]), each, clock.__next__) for each in ("full", "greedy")
        )
        self.limit = ConnectionLimit(most, full, greedy)

    def enter(self, *since, network=""):
        peers = [Peer(each) for each in since]
        return peers, [self.limit.enter(each, network) for each in peers]


def test_connection_that_waits_the_longest_makes_room():
    place = Place(3)
    (young, old, middle), entered = place.enter(9, 1, 5)
    assert entered == [True] * 3
    assert place.enter(10)[1] == [True]
    assert (young.was_cut, old.was_cut, middle.was_cut) == (False, True, False)
    assert place.said == {"full": 1}
    assert len(place.limit) == 3


def test_connection_that_is_being_answered_never_makes_room():
    place = Place(2)
    busy, _ = place.enter(None, None)
    assert place.enter(10)[1] == [False]
    assert not any(each.was_cut for each in busy)


def test_network_that_has_half_of_all_makes_room_itself():
    place = Place(10)
    others, _ = place.enter(1, 1, network="203.0.113.7")
    greedy, _ = place.enter(*range(2, 7), network="203.0.113.9")
    assert place.enter(9, network="203.0.113.9")[1] == [True]
    assert [each.was_cut for each in greedy] == [True, False, False, False, False]
    assert not any(each.was_cut for each in others)
    assert place.said == {"greedy": 1}


def test_connections_behind_a_listed_proxy_are_not_counted_as_one_network():
    place = Place(10)
    _, entered = place.enter(*range(10))
    assert entered == [True] * 10
    assert place.said == {}


def test_what_is_gone_makes_room_once():
    place = Place(2)
    (gone, stays), _ = place.enter(1, 2, network="a")
    for _ in range(2):
        place.limit.leave(gone)
    place.limit.leave(Peer(0))
    assert len(place.limit) == 1
    assert place.enter(3, network="b")[1] == [True]
    assert not stays.was_cut


def test_many_newcomers_do_not_look_at_all_connections_each():
    place = Place(1280)
    place.enter(*range(1280))
    place.enter(5000)
    assert len(place.limit) == 1280 - 20 + 1


@pytest.mark.parametrize(
    ("limit", "most", "status", "others"),
    [(64, 10_000, 4, 14), (1024, 10_000, 64, 866), (65_536, 10_000, 64, 9_936), (65_536, 100, 12, 88)],
)
def test_connections_leave_descriptors_for_the_rest(limit, most, status, others):
    found = room(most, limit=limit, open_now=30)
    assert (found.status, found.others) == (status, others)
    assert status + others + 30 + 16 <= limit


def test_too_few_descriptors_are_refused_with_what_would_do():
    with pytest.raises(TooFewDescriptors, match=r"40 open files are too few: 54 is the least") as refused:
        room(10_000, limit=40, open_now=30)
    assert "LimitNOFILE" in refused.value.hint
    assert room(10_000, limit=54, open_now=30).others == 4
