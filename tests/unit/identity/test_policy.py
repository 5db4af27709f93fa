"""Names, addresses, passwords, throttling and lifetimes, as pure decisions."""

from datetime import timedelta

import pytest

from sealwright.clock import Instant, after, before
from sealwright.errors import InvalidInput
from sealwright.identity import MIN_PASSWORD, Session, SessionEnd, SessionKind, SessionLifetimes, WeakPassword
from sealwright.identity.policy import (
    PER_ACCOUNT,
    PER_ADDRESS,
    AttemptCount,
    SignInName,
    address_counter,
    check_display_name,
    check_mail,
    check_name,
    check_password,
    count_attempt,
    local_name,
    parse_sign_in_name,
    printable,
    session_end_reason,
    session_expires_at,
    wait_before,
)
from sealwright.password_strength import weaknesses

NOW = Instant(1_795_000_000_000)


@pytest.mark.parametrize("name", ["a", "alice", "web-01", "a.b_c-d", "x" * 64, "idm_admin"])
def test_name_is_accepted(name):
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "Alice", "1abc", "-a", "a" * 65, "a b", "a@b", "älice", "a\n", "a/b", "a1b2c3d4-0000-4000-8000-000000000001"]
)
def test_name_is_refused_and_said(name):
    with pytest.raises(InvalidInput) as refused:
        check_name(name)
    assert repr(name[:80]) in refused.value.detail
    assert refused.value.reasons


@pytest.mark.parametrize("address", ["alice@example.org", "a.b+c@x-y.example", "O'Neil@example.org", "root@localhost"])
def test_mail_address_is_accepted(address):
    assert check_mail(f" {address} ") == address


def test_host_of_a_mail_address_is_kept_in_its_encoded_form():
    assert check_mail("alice@exämple.org") == "alice@xn--exmple-cua.org"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "alice",
        "@example.org",
        "alice@",
        "a@b@c",
        ".a@example.org",
        "a..b@example.org",
        "a@-x.org",
        "a@x..org",
        "älice@example.org",
        "a@host.123",
        "a@ab--cd.example",
        "a@my_host.example",
        "a b@example.org",
        "a@example.org\nBcc: x@example.org",
        f"{'a' * 65}@example.org",
        f"a@{'x' * 250}.org",
        "a@example.org\x00",
    ],
)
def test_mail_address_is_refused(address):
    with pytest.raises(InvalidInput, match="is not an e-mail address"):
        check_mail(address)


@pytest.mark.parametrize("text", ["", "   ", "a\nb", "a\x00b", "x" * 129, "a\u2028b"])
def test_display_name_is_refused(text):
    with pytest.raises(InvalidInput):
        check_display_name(text)


def test_display_name_is_trimmed():
    assert check_display_name("  Åsa Öberg ") == "Åsa Öberg"


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("alice", SignInName("alice", "")),
        (" Alice ", SignInName("alice", "")),
        ("alice@EXAMPLE.org", SignInName("alice", "alice@example.org")),
        ("Alice@elsewhere.example", SignInName("", "alice@elsewhere.example")),
    ],
)
def test_typed_name_is_read_as_name_spn_or_mail(typed, expected):
    assert parse_sign_in_name(typed, "example.org") == expected


@pytest.mark.parametrize(
    ("text", "name"),
    [("bob", "bob"), ("bob@example.org", "bob"), ("Bob@Example.ORG", "bob"), ("bob@other.example", "bob@other.example")],
)
def test_spn_of_own_domain_names_the_account(text, name):
    assert local_name(text, "example.org") == name


def reasons_against(password):
    with pytest.raises(WeakPassword) as refused:
        check_password(password, name="alice", display_name="Alice Liddell", mails=["al.liddell@example.org"])
    assert password not in refused.value.detail
    return " ".join(refused.value.reasons)


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("x" * (MIN_PASSWORD - 1), "it has 9 characters"),
        ("x" * 129, "it has 129 characters"),
        ("password1234", "common words"),
        ("qwertyuiop1", "common words"),
        ("abcabcabcabc", "repeats"),
        ("alice-velvet-orbit-canyon", "it contains 'alice'"),
        ("velvet-orbit-AL.Liddell@Example.org", "it contains 'al.liddell@example.org'"),
        ("velvet-orbit-canyon-al.liddell", "it contains 'al.liddell'"),
    ],
)
def test_weak_password_is_refused_with_its_reason(password, reason):
    assert reason in reasons_against(password)


@pytest.mark.parametrize(
    "password", ["velvet-orbit-canyon-97", "correct horse battery staple", "päßwörter sind für alle da", "k7#Qz!m2Vx" * 12]
)
def test_strong_password_is_accepted(password):
    assert weaknesses(password, name="alice", display_name="Alice", mails=["alice@example.org"]) == ()


def test_first_failures_cost_nothing_and_later_ones_ever_more():
    waits = []
    attempts = None
    now = NOW
    for _ in range(20):
        attempts = count_attempt(attempts, PER_ACCOUNT, now)
        waits.append(wait_before(attempts, PER_ACCOUNT, now) // timedelta(seconds=1))
        now = after(now, wait_before(attempts, PER_ACCOUNT, now))
    assert waits[:9] == [0, 0, 0, 0, 1, 2, 4, 8, 16]
    assert max(waits) == waits[-1] == 15 * 60


@pytest.mark.parametrize("schedule", [PER_ACCOUNT, PER_ADDRESS])
def test_failures_are_forgotten_one_by_one(schedule):
    attempts = None
    for _ in range(10):
        attempts = count_attempt(attempts, schedule, NOW)
    one = after(NOW, schedule.one_forgotten_every)
    assert count_attempt(attempts, schedule, Instant(one - 1)).failures == 11
    assert count_attempt(attempts, schedule, one).failures == 10
    later = after(NOW, schedule.one_forgotten_every * 10)
    assert count_attempt(attempts, schedule, Instant(later - 1)).failures == 2
    assert count_attempt(attempts, schedule, later) == AttemptCount(1, later, later)


def test_attempts_between_do_not_keep_failures_from_being_forgotten():
    attempts = count_attempt(count_attempt(None, PER_ADDRESS, NOW), PER_ADDRESS, NOW)
    attempts = count_attempt(attempts, PER_ADDRESS, after(NOW, timedelta(minutes=1)))
    assert count_attempt(attempts, PER_ADDRESS, after(NOW, timedelta(minutes=2))).failures == 3


def test_clock_that_was_set_back_adds_no_failures():
    attempts = count_attempt(None, PER_ADDRESS, NOW)
    assert count_attempt(attempts, PER_ADDRESS, after(NOW, timedelta(days=-1))).failures == 2


def test_wait_of_a_clock_that_was_ahead_holds_no_one_up():
    ahead = after(NOW, timedelta(days=400))
    attempts = None
    for _ in range(10):
        attempts = count_attempt(attempts, PER_ACCOUNT, ahead)
    assert wait_before(attempts, PER_ACCOUNT, ahead) > timedelta()
    assert wait_before(attempts, PER_ACCOUNT, NOW) == timedelta()
    attempts = count_attempt(attempts, PER_ACCOUNT, NOW)
    assert wait_before(attempts, PER_ACCOUNT, NOW) == timedelta(seconds=64)
    later = after(NOW, timedelta(hours=11))
    assert count_attempt(attempts, PER_ACCOUNT, later).failures == 1  # failures of the future are forgotten from now on


def test_count_never_overflows():
    attempts = count_attempt(None, PER_ADDRESS, NOW)
    for _ in range(4_999):
        attempts = count_attempt(attempts, PER_ADDRESS, NOW)
    assert attempts.failures == 5_000
    assert wait_before(attempts, PER_ADDRESS, NOW) == PER_ADDRESS.longest


def test_ipv6_subscriber_is_one_and_ipv4_neighbours_are_two():
    assert address_counter("2001:db8:1:2::1").key == address_counter("2001:db8:1:2:ffff::9").key
    assert address_counter("2001:db8:1:2::1").key != address_counter("2001:db8:1:3::1").key
    assert address_counter("192.0.2.1").key != address_counter("192.0.2.2").key
    assert address_counter("::ffff:192.0.2.1").key == address_counter("192.0.2.1").key
    assert address_counter("not an address").key == address_counter("not an address").key


def session(kind, **changes):
    values = {
        "id": "s",
        "account_id": "a",
        "kind": kind,
        "methods": ("pwd",),
        "address": "",
        "user_agent": "",
        "created_at": NOW,
        "authenticated_at": NOW,
        "last_seen_at": NOW,
        "expires_at": session_expires_at(kind, SessionLifetimes(), NOW),
        "ended_at": None,
    }
    return Session(**(values | changes))


def test_browser_session_ends_when_idle_for_an_hour():
    browser = session(SessionKind.BROWSER)
    assert session_end_reason(browser, SessionLifetimes(), after(NOW, timedelta(minutes=59))) is None
    assert session_end_reason(browser, SessionLifetimes(), after(NOW, timedelta(minutes=61))) is SessionEnd.IDLE_TIMEOUT


@pytest.mark.parametrize("kind", SessionKind)
def test_session_of_a_time_that_is_yet_to_come_does_not_hold(kind):
    """Else it would hold for as long as a clock was wrong."""
    assert session_end_reason(session(kind), SessionLifetimes(), before(NOW, timedelta(minutes=4))) is None
    assert session_end_reason(session(kind), SessionLifetimes(), before(NOW, timedelta(hours=30))) is SessionEnd.CLOCK_PUT_BACK


def test_browser_session_never_lasts_longer_than_eight_hours():
    late = after(NOW, timedelta(hours=8))
    browser = session(SessionKind.BROWSER, last_seen_at=Instant(late - 1))
    assert session_end_reason(browser, SessionLifetimes(), Instant(late - 1)) is None
    assert session_end_reason(browser, SessionLifetimes(), late) is SessionEnd.ABSOLUTE_TIMEOUT


def test_terminal_session_has_no_idle_limit():
    terminal = session(SessionKind.TERMINAL)
    assert session_end_reason(terminal, SessionLifetimes(), after(NOW, timedelta(hours=7, minutes=59))) is None
    assert session_end_reason(terminal, SessionLifetimes(), after(NOW, timedelta(hours=8))) is not None


def test_ended_session_is_over():
    assert session_end_reason(session(SessionKind.TERMINAL, ended_at=NOW), SessionLifetimes(), NOW) is SessionEnd.SIGNED_OUT


def test_what_a_peer_says_is_cut_and_has_no_control_characters():
    assert printable("a\r\nb\x1b[31mc" + "x" * 1000) == "ab[31mc" + "x" * (256 - 10 + 0)


def test_strong_beginning_is_enough_and_a_weak_one_may_be_made_up_for():
    assert weaknesses("x" * 12 + "velvet-orbit-canyon-97", name="alice", display_name="Alice", mails=[]) == ()
    assert weaknesses("velvet-orbit-canyon-97" + "x" * 90, name="alice", display_name="Alice", mails=[]) == ()


def test_only_the_beginning_is_scored_so_that_the_work_is_bounded():
    weak = "x" * 32
    against = weaknesses(weak, name="alice", display_name="Alice", mails=[])
    assert against == ("it repeats itself",)
    assert weaknesses(weak + "velvet-orbit-canyon-97", name="alice", display_name="Alice", mails=[]) == against
