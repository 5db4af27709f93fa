"""Requests are counted by process, told for all of them, and no number ever falls."""

import os

from sealwright.request_counts import BOUNDS, ROOM, RequestCounts


def in_child(work):
    """Do something in a process of its own that was forked from this one, and ends without a word."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


def count(counts, place, times, *, status=200, seconds=0.004):
    def work():
        counts.take_place(place)
        for _ in range(times):
            counts.series("people", "GET", "/health").add(status, seconds)
        counts.publish()

    in_child(work)


def test_any_process_tells_what_all_have_counted():
    counts = RequestCounts(3)
    count(counts, 0, 5)
    count(counts, 1, 7, status=404)
    counts.take_place(2)
    counts.series("people", "GET", "/health").add(200, 20.0)
    counts.series("people", "GET", None).add(404, 0.0)
    health, unknown = counts.totals()
    assert (health.route, health.statuses, unknown.route) == ("/health", [0, 0, 6, 0, 7, 0], "unknown")
    assert (sum(health.durations), health.durations[-1], health.durations[BOUNDS.index(0.005)]) == (13, 1, 12)
    assert round(health.seconds, 6) == 20.048


def test_process_that_takes_the_place_of_another_goes_on_with_its_numbers():
    counts = RequestCounts(2)
    count(counts, 1, 5)
    count(counts, 1, 2)
    assert counts.totals()[0].statuses[2] == 7
    count(counts, 1, 0)
    assert counts.totals()[0].statuses[2] == 7


def test_what_was_half_written_is_not_told():
    counts = RequestCounts()
    counts.take_place(0)
    counts.series("people", "GET", "/health").add(200, 0.1)
    counts.totals()
    active = counts._memory[0]
    counts._memory[1 + active * ROOM + 12] ^= 0xFF  # as if a process had died, or still wrote there
    told = counts.totals()  # writes beside it
    assert told[0].statuses[2] == 1
    counts._memory[1 + counts._memory[0] * ROOM + 12] ^= 0xFF
    assert counts._read(0)[0].statuses[2] == 1


def test_words_of_strangers_are_no_labels():
    counts = RequestCounts()
    assert counts.series("people", "PROPFIND", None) is counts.series("people", "MKCOL", None)
    assert [(each.method, each.route) for each in counts.totals()] == [("other", "unknown")]


def test_there_is_room_for_ten_times_the_routes_of_a_server():
    counts = RequestCounts()
    for number in range(4_000):
        series = counts.series("people", "POST", f"/api/v1/certificate-profiles/{{name}}/{number:04}")
        for status in (200, 404):
            series.add(status, 0.1)
        series.statuses[2] = series.durations[5] = 10**9
    assert len(counts.totals()) == 4_000
