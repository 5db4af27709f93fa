import re
from datetime import timedelta

import msgspec
import pytest

from sealwright.ca.errors import ProfileRefused
from sealwright.ca.models import Claims, ExtendedUse, KeyKind, NameType, Profile
from sealwright.ca.profiles import BUILT_IN, SERVER, STEP_LEAF, check, digest_of, inherit, load
from sealwright.clock import in_words
from sealwright.errors import InvalidInput
from sealwright.go_duration import format_duration, parse_duration

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


# --- durations -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("24h", 24 * HOUR),
        ("24h0m0s", 24 * HOUR),
        ("5m", 5 * MINUTE),
        ("1h30m", 90 * MINUTE),
        ("1.5h", 90 * MINUTE),
        (".5h", 30 * MINUTE),
        ("1.h", HOUR),
        ("0", timedelta(0)),
        ("+0", timedelta(0)),
        ("-0", timedelta(0)),
        ("0s", timedelta(0)),
        ("-1m30s", -90 * timedelta(seconds=1)),
        ("+5s", timedelta(seconds=5)),
        ("100ms", timedelta(milliseconds=100)),
        ("1us", timedelta(microseconds=1)),
        ("1\u00b5s", timedelta(microseconds=1)),
        ("1\u03bcs", timedelta(microseconds=1)),
        ("1999ns", timedelta(microseconds=1)),
        ("-1999ns", timedelta(microseconds=-1)),
        ("1m1h", 61 * MINUTE),
        ("1h1h", 2 * HOUR),
        ("2562047h47m16.854775807s", timedelta(microseconds=9_223_372_036_854_775)),
    ],
)
def test_durations_are_read_as_go_reads_them(text, duration):
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "-",
        "+",
        "s",
        ".s",
        "1",
        "1x",
        "1d",
        "1 h",
        " 1h",
        "1h ",
        "1h-1m",
        "--1h",
        "1e3s",
        "1,5h",
        "\u0661h",
        "1" * 65,
    ],
)
def test_what_go_does_not_read_as_a_duration_is_refused(text):
    with pytest.raises(InvalidInput, match="not a duration"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["3000000h", "-999999999h"])
def test_duration_that_go_cannot_hold_is_refused_by_its_size(text):
    with pytest.raises(InvalidInput, match=r"h' is longer than a duration can be, which is about 292 years\.$"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(0), "0s"),
        (24 * HOUR, "24h0m0s"),
        (5 * MINUTE, "5m0s"),
        (90 * timedelta(seconds=1), "1m30s"),
        (timedelta(seconds=1.5), "1.5s"),
        (timedelta(milliseconds=100), "100ms"),
        (timedelta(milliseconds=1, microseconds=500), "1.5ms"),
        (timedelta(microseconds=7), "7\u00b5s"),
        (timedelta(hours=720, milliseconds=10), "720h0m0.01s"),
        (-90 * MINUTE, "-1h30m0s"),
    ],
)
def test_durations_are_written_as_go_writes_them(duration, text):
    assert format_duration(duration) == text
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (8 * HOUR, "8 hours"),
        (24 * HOUR, "1 day"),
        (timedelta(days=61), "61 days"),
        (MINUTE, "1 minute"),
        (90 * MINUTE, "90 minutes"),
        (24 * HOUR + MINUTE, "24 hours and 1 minute"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(0), "0 seconds"),
        (timedelta(days=2, hours=3), "2 days and 3 hours"),
        (24 * HOUR + timedelta(seconds=61), "24 hours, 1 minute and 1 second"),
        (timedelta(seconds=61), "61 seconds"),
        (timedelta(days=2, seconds=1), "2 days and 1 second"),
    ],
)
def test_durations_are_said_as_people_say_them(duration, words):
    assert in_words(duration) == words


# --- claims ----------------------------------------------------------------------------------------------------------


def test_claims_have_the_defaults_of_step():
    assert Claims() == Claims(
        shortest=5 * MINUTE,
        default=24 * HOUR,
        longest=24 * HOUR,
        disable_renewal=False,
        allow_renewal_after_expiry=False,
        disable_smallstep_extensions=False,
    )


@pytest.mark.parametrize("given", [None, {}])
def test_without_claims_those_above_hold(given):
    above = Claims(shortest=HOUR, disable_renewal=True)
    assert inherit(given, above) == above


def test_given_claims_win_and_the_rest_is_inherited():
    above = Claims(disable_renewal=True, allow_renewal_after_expiry=True)
    found = inherit({"maxTLSCertDuration": "2160h", "defaultTLSCertDuration": "720h", "disableRenewal": False}, above)
    assert found == Claims(
        shortest=5 * MINUTE,
        default=720 * HOUR,
        longest=2160 * HOUR,
        disable_renewal=False,
        allow_renewal_after_expiry=True,
        disable_smallstep_extensions=False,
        given=("default", "longest"),
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"defaultTLSCertDuration": "48h"}, (5 * MINUTE, 48 * HOUR, 48 * HOUR)),
        ({"defaultTLSCertDuration": "1m"}, (MINUTE, MINUTE, 24 * HOUR)),
        ({"defaultTLSCertDuration": "8h"}, (5 * MINUTE, 8 * HOUR, 24 * HOUR)),
        ({"minTLSCertDuration": "24h"}, (24 * HOUR, 24 * HOUR, 24 * HOUR)),
    ],
)
def test_missing_bound_follows_the_default(given, expected):
    found = inherit(given, Claims())
    assert (found.shortest, found.default, found.longest) == expected


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"maxTLSCertDuration": "1h"}, "defaultTLSCertDuration is 24h0m0s, which is more than maxTLSCertDuration, 1h0m0s"),
        ({"minTLSCertDuration": "48h"}, "minTLSCertDuration is 48h0m0s, which is more than defaultTLSCertDuration, 24h0m0s"),
        ({"minTLSCertDuration": "2h", "defaultTLSCertDuration": "1h"}, "minTLSCertDuration is 2h0m0s"),
        ({"minTLSCertDuration": "-5m"}, "more than nothing"),
        ({"maxTLSCertDuration": "0s"}, "more than nothing"),
        ({"maxTLSCertDuration": "a day"}, "'a day' is not a duration"),
        ({"maxTLSCertDuration": 24}, "must be a text"),
        ({"disableRenewal": "yes"}, "disableRenewal is 'yes'; it must be true or false"),
        ({"maxTlsCertDuration": "24h"}, "'maxTlsCertDuration' is not a claim"),
        ({"minUserSSHCertDuration": "48h"}, "minUserSSHCertDuration is 48h0m0s"),
        ({"maxHostSSHCertDuration": "never"}, "maxHostSSHCertDuration: 'never' is not a duration"),
        ({"enableSSHCA": 1}, "enableSSHCA is '1'"),
    ],
)
def test_claims_that_contradict_are_refused_by_name(given, why):
    with pytest.raises(ProfileRefused, match=re.escape(why)):
        inherit(given, Claims())


def test_ssh_claims_are_understood():
    assert (
        inherit({"enableSSHCA": True, "maxUserSSHCertDuration": "48h", "defaultHostSSHCertDuration": "24h"}, Claims()) == Claims()
    )


def test_empty_and_null_claims_are_not_given():
    assert inherit({"maxTLSCertDuration": "", "minTLSCertDuration": None, "disableRenewal": None}, Claims()) == Claims()


# --- profiles --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", BUILT_IN.values(), ids=lambda profile: profile.name)
def test_built_in_profiles_make_sense_and_read_back(profile):
    check(profile)
    assert load(msgspec.json.encode(profile)) == profile
    assert BUILT_IN[profile.name] is profile


def test_built_in_profiles_are_for_what_they_say():
    assert STEP_LEAF.extended_uses == (ExtendedUse.SERVER_AUTH, ExtendedUse.CLIENT_AUTH)
    assert SERVER.extended_uses == (ExtendedUse.SERVER_AUTH,)
    assert NameType.EMAIL not in SERVER.name_types


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"name": ""}, "must have a name"),
        ({"name": "Web Server"}, "must have a name"),
        ({"key_kinds": ()}, "allows nothing in key_kinds"),
        ({"name_types": ()}, "allows nothing in name_types"),
        ({"extended_uses": ()}, "allows nothing in extended_uses"),
        ({"key_kinds": (KeyKind.EC, KeyKind.EC)}, "twice"),
        ({"most_names": 0}, "most_names 0"),
        ({"most_names": 101}, "most_names 101"),
        ({"backdate": timedelta(hours=2)}, "backdate 2h0m0s"),
        ({"backdate": timedelta(seconds=-1)}, "backdate -1s"),
        ({"longest": timedelta(0)}, "longest 0s"),
        ({"longest": timedelta(days=4000)}, "longest 96000h0m0s"),
        ({"crl_url": "https://status.example.org/crl"}, "plain http"),
        ({"crl_url": "http://"}, "plain http"),
        ({"ocsp_url": "http://user@status.example.org/"}, "plain http"),
        ({"ocsp_url": "http://[bad/"}, "plain http"),
        ({"issuer_url": "http://status.example.org/a b"}, "plain http"),
        ({"issuer_url": "http://status.example.org/" + "a" * 600}, "plain http"),
    ],
)
def test_profiles_that_contradict_themselves_are_refused_in_words(changes, why):
    with pytest.raises(ProfileRefused, match=re.escape(why)):
        check(msgspec.structs.replace(Profile(name="web"), **changes))


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (b"", "profile is not JSON"),
        (b'{"name": "web", "colour": "red"}', "colour"),
        (b'{"name": "web", "most_names": "many"}', "most_names"),
        (b'{"name": "web", "key_kinds": ["DSA"]}', "key_kinds"),
        (b'{"name": "web", "extended_uses": ["any"]}', "extended_uses"),
        (b'{"most_names": 3}', "name"),
        (b'{"name": "\xff"}', "not UTF-8"),
        (b'{"name": "web", "longest": "P9999D"}', "longest"),
    ],
)
def test_profile_document_is_closed(document, why):
    with pytest.raises(ProfileRefused, match=why):
        load(document)


def test_digest_tells_every_change():
    digests = {
        digest_of(profile)
        for profile in (
            STEP_LEAF,
            SERVER,
            msgspec.structs.replace(STEP_LEAF, wildcards=False),
            msgspec.structs.replace(STEP_LEAF, longest=timedelta(days=1)),
            msgspec.structs.replace(STEP_LEAF, crl_url="http://status.example.org/crl"),
        )
    }
    assert len(digests) == 5
    assert digest_of(STEP_LEAF) == digest_of(load(msgspec.json.encode(STEP_LEAF)))
