from sealwright.runtime.throttled_log import PAUSE, ThrottledLog


def test_line_is_written_at_once_then_once_a_pause_with_what_came_meanwhile():
    told, now = [], [0.0]
    throttled = ThrottledLog(lambda event, **fields: told.append((event, fields)), "it happened", lambda: now[0])
    for _ in range(5):
        throttled(address="a")
    now[0] = PAUSE
    throttled(address="b")
    assert told == [("it happened", {"times": 1, "address": "a"}), ("it happened", {"times": 5, "address": "b"})]
