from datetime import UTC, datetime, timedelta

import pytest

from sealwright.cli import formatting
from sealwright.cli.output import printable
from sealwright.errors import Conflict, InvalidInput, NotFound, Unavailable

NOW = datetime(2026, 11, 22, 9, 4, tzinfo=UTC)  # 10:04 in Berlin


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(hours=8), "8 hours"),
        (timedelta(hours=7, minutes=59, seconds=50), "8 hours"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(days=61), "61 days"),
        (timedelta(hours=24), "1 day"),
        (timedelta(hours=36), "36 hours"),
        (timedelta(minutes=90), "90 minutes"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(0), "0 seconds"),
        (timedelta(seconds=-5), "0 seconds"),
    ],
)
def test_durations_are_said_as_people_say_them(length, words):
    assert formatting.duration(length) == words


@pytest.mark.parametrize(
    ("then", "words"),
    [
        (NOW + timedelta(hours=8), "until 18:04 today (8 hours)"),
        (NOW + timedelta(hours=20), "until 06:04 tomorrow (20 hours)"),
        (NOW + timedelta(days=11), "until 10:04 on 3 Dec (11 days)"),
        (NOW + timedelta(days=1825), "until 21 Nov 2031 (1825 days)"),
        (NOW - timedelta(hours=12), "expired 22:04 yesterday (12 hours ago)"),
    ],
)
def test_moments_are_told_in_the_readers_zone(then, words):
    assert formatting.until(then, NOW) == words


def test_lists_tell_the_offset_from_utc():
    assert formatting.stamp(NOW) == "2026-11-22 10:04+0100"


@pytest.mark.parametrize(("words", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")])
def test_lists_of_words(words, text):
    assert formatting.listed(words) == text


def test_columns_line_up():
    assert formatting.columns([["a", "bbb", "c"], ["aaa", "b", "c"]]) == ["a    bbb  c", "aaa  b    c"]
    assert formatting.columns([["a", "1"], ["b", "10"]], right=frozenset({1})) == ["a   1", "b  10"]
    assert formatting.columns([]) == []


def test_what_others_wrote_cannot_steer_the_terminal():
    assert printable("Alice\x1b[31m\r\nBob\x9b\u202e") == "Alice\ufffd[31m\ufffd\nBob\ufffd\ufffd"


@pytest.mark.parametrize(
    ("failure", "first", "code"),
    [
        (NotFound("There is no account 'nosuch'."), "Not found: there is no account 'nosuch'.", 4),
        (InvalidInput("The password is not strong enough."), "Wrong value: the password is not strong enough.", 1),
        (Conflict("There is one already."), "Conflict: there is one already.", 5),
        (Unavailable("It does not work now."), "It does not work now.", 1),
    ],
)
def test_failure_of_a_command_of_the_server_begins_like_those_of_all_commands(shell, failure, first, code):
    class Failing:
        def recover_account(self, home, name, password, end_certificates):
            raise failure

    shell.server_side = Failing()
    done = shell.run("recover-account", "nosuch")
    assert (done.code, done.err.splitlines()[0]) == (code, first)
