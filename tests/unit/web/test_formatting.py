"""Values as people read them."""

from datetime import timedelta

import pytest

from sealwright.clock import Instant
from sealwright.errors import NotFound, RateLimited
from sealwright.web.formatting import device_text, duration_text, failure_text, host_text, origin_text, utc_text


def test_moment_is_told_in_utc():
    assert utc_text(Instant(1_795_342_800_000)) == "22 Nov 2026, 10:20 UTC"
    assert utc_text(Instant(0)) == "1 Jan 1970, 00:00 UTC"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1 second"),
        (0.2, "1 second"),
        (1, "1 second"),
        (45, "45 seconds"),
        (60, "1 minute"),
        (61, "61 seconds"),
        (119.5, "2 minutes"),
        (121, "3 minutes"),
        (900, "15 minutes"),
        (3_600, "1 hour"),
        (5_400, "90 minutes"),
        (28_800, "8 hours"),
        (86_400, "1 day"),
        (61 * 86_400, "61 days"),
    ],
)
def test_waiting_so_long_is_long_enough(seconds, text):
    assert duration_text(timedelta(seconds=seconds)) == text


def test_waiting_time_of_a_throttled_attempt_is_told_in_words():
    failure = RateLimited("Too many attempts. The next one is looked at in 900 seconds.", retry_after=900)
    assert failure_text(failure) == "Too many attempts. Wait 15 minutes, then try again."
    assert failure_text(NotFound("There is no such thing.")) == "There is no such thing."


@pytest.mark.parametrize(
    ("user_agent", "text"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
            "Chrome on Windows",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0 Safari/537.36 Edg/156.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari on iOS",
        ),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/156.0 Mobile Safari/537.36", "Chrome on Android"),
        ("curl/8.14.1", "curl"),
        ("sealwright/0.1.0", "the sealwright command"),
        ("something else", "something else"),
        ("", "an unknown program"),
    ],
)
def test_device_is_told_as_far_as_it_tells_itself(user_agent, text):
    assert device_text(user_agent) == text


@pytest.mark.parametrize(
    ("url", "host", "origin"),
    [
        ("https://ca.example.org", "ca.example.org", "https://ca.example.org"),
        ("https://ca.example.org:443/x?y=z", "ca.example.org", "https://ca.example.org"),
        ("https://localhost:8443/", "localhost:8443", "https://localhost:8443"),
        ("http://127.0.0.1:45673", "127.0.0.1:45673", "http://127.0.0.1:45673"),
        ("http://[::1]:45673/cb", "[::1]:45673", "http://[::1]:45673"),
        ("org.example.app:/callback", "org.example.app:", "org.example.app:"),
    ],
)
def test_address_is_told_as_the_address_bar_shows_it(url, host, origin):
    assert (host_text(url), origin_text(url)) == (host, origin)
