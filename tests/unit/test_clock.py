from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sealwright.clock import format_duration, from_datetime, parse_duration, to_rfc3339


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8h", timedelta(hours=8)),
        ("1h30m", timedelta(minutes=90)),
        ("1.5h", timedelta(minutes=90)),
        ("45s", timedelta(seconds=45)),
        ("500ms", timedelta(milliseconds=500)),
        ("2h0m0s", timedelta(hours=2)),
        ("0s", timedelta()),
        ("30d", timedelta(days=30)),
        ("0d", timedelta()),
    ],
)
def test_durations_are_read_as_people_write_them(text, expected):
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "8", "h", "8 h", "-8h", "8d4h", "1.5d", "-8d", "1e3s", "8h ", "٣h", "9" * 20 + "h", "1000000h", "99999d", "1s" * 40],
)
def test_other_texts_are_refused(text):
    with pytest.raises(ValueError, match="a duration is"):
        parse_duration(text)


@given(st.integers(min_value=0, max_value=36_500 * 86_400_000))
def test_what_is_written_is_read_back(milliseconds):
    duration = timedelta(milliseconds=milliseconds)
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00Z"),
        (datetime(2026, 11, 22, 10, 20, 30, 999_000, UTC), "2026-11-22T10:20:30Z"),
    ],
)
def test_moment_is_written_with_four_digits_of_the_year_and_to_the_second(moment, text):
    assert to_rfc3339(from_datetime(moment)) == text


@pytest.mark.parametrize(
    "moment",
    [
        datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-1))),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(minutes=1))),
    ],
)
def test_moment_of_no_year_in_utc_is_no_instant(moment):
    with pytest.raises(ValueError, match="years 1 to 9999"):
        from_datetime(moment)


def test_last_moment_that_can_be_written_is_an_instant():
    assert to_rfc3339(from_datetime(datetime.max.replace(tzinfo=UTC))) == "9999-12-31T23:59:59Z"
