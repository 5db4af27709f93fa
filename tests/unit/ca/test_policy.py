import ipaddress
import re
from datetime import timedelta

import msgspec
import pytest
from cryptography import x509

from sealwright.ca import csr
from sealwright.ca.errors import CertificateNameRefused, NameNotGranted, PublicKeyRefused, ValidityRefused
from sealwright.ca.models import Claims, Decision, KeyKind, Name, NameType, Profile, ProvisionerExtension
from sealwright.ca.policy import decide, same_life
from sealwright.ca.profiles import SERVER, STEP_LEAF
from sealwright.ca.reserved import OwnNames
from sealwright.clock import Instant, after, before
from sealwright.errors import NotPermitted, Refused
from tests.unit.ca import examples
from tests.unit.ca.examples import MAIL, NOW, SECOND, SUBJECT_URI, WEB, grant, request

HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
ISSUER = examples.issuer()
NO_NAMES = OwnNames(())
ADMIN = {"names_from_request": True}
OTHER = Name(NameType.DNS, "web-09.example.net")


def decision(given=None, asked=None, *, profile=STEP_LEAF, issuer=ISSUER, now=NOW, own_names=NO_NAMES):
    return decide(given or grant(), asked or request(), profile, issuer, now, own_names=own_names)


def contents(*arguments, **others):
    return decision(*arguments, **others).require()


def refusal(kind, *arguments, **others):
    decided = decision(*arguments, **others)
    assert not decided.allowed
    with pytest.raises(kind) as caught:
        decided.require()
    assert caught.value.detail in decided.reasons
    return caught.value


# --- names -----------------------------------------------------------------------------------------------------------


def test_who_asks_for_nothing_gets_what_is_granted():
    found = contents()
    assert (found.common_name, found.names) == ("8f2c", (MAIL, SUBJECT_URI))
    assert found.public_key_der == request().public_key_der


def test_allowed_decision_tells_its_reasons_in_words():
    decided = decision()
    assert decided.refusal is None
    assert decided.reasons == (
        f"alice@example.org and {SUBJECT_URI.value}: these names are granted by Sealwright",
        "the profile step_leaf admits these kinds of names and a key of the kind EC",
        "24 hours and 1 minute are within the 24 hours and 1 minute allowed",
    )


@pytest.mark.parametrize(
    "asked",
    [
        request(MAIL),
        request(SUBJECT_URI),
        request(MAIL, SUBJECT_URI, common_name="8f2c"),
        request(Name(NameType.EMAIL, "alice@EXAMPLE.org"), common_name="alice@example.org"),
        request(Name(NameType.DNS, "alice"), common_name="alice"),
        request(common_name="alice"),
        request(common_name=""),
    ],
)
def test_asking_for_ones_own_names_gives_all_that_is_granted(asked):
    found = contents(grant(may_ask_for=("alice",)), asked)
    assert (found.common_name, found.names) == ("8f2c", (MAIL, SUBJECT_URI))


@pytest.mark.parametrize(
    ("asked", "refused"),
    [
        (request(OTHER), "web-09.example.net"),
        (request(MAIL, OTHER), "web-09.example.net"),
        (request(OTHER, MAIL), "web-09.example.net"),
        (request(common_name="bob"), "bob"),
        (request(MAIL, common_name="bob@example.org"), "bob@example.org"),
        (request(Name(NameType.EMAIL, "ALICE@example.org")), "ALICE@example.org"),
        (request(Name(NameType.DNS, "*.example.org")), "*.example.org"),
        (request(Name(NameType.IP, "192.0.2.1")), "192.0.2.1"),
        (request(Name(NameType.URI, "https://id.example.org/oauth2/openid/step#other")), "#other"),
        (request(Name(NameType.DNS, "alice@example.org.evil.example")), "alice@example.org.evil.example"),
        (request(Name(NameType.DNS, "web\0.example.org")), "web\\u{0}.example.org"),
        (request(common_name="8f2c\u202e"), "8f2c\\u{202e}"),
    ],
)
def test_asking_for_another_name_is_refused_by_that_name_and_says_what_one_may_have(asked, refused):
    error = refusal(NameNotGranted, grant(may_ask_for=("alice",)), asked)
    assert isinstance(error, NotPermitted)
    assert error.detail.startswith("You may not have the name ")
    assert refused in error.detail
    assert f"You may have alice@example.org and {SUBJECT_URI.value}." in error.detail
    assert error.reasons == (f"the provisioner Sealwright grants alice@example.org and {SUBJECT_URI.value}",)
    assert error.hint


@pytest.mark.parametrize("position", range(6))
def test_one_name_too_many_is_found_wherever_it_stands(position):
    granted = tuple(Name(NameType.DNS, f"w{number}.example.org") for number in range(5))
    asked = (*granted[:position], OTHER, *granted[position:])
    assert contents(grant(*granted), request(*granted)).names == granted
    assert "web-09.example.net" in refusal(NameNotGranted, grant(*granted), request(*asked)).detail


@pytest.mark.parametrize("asked", [request(MAIL, SUBJECT_URI, common_name="8f2c"), request(common_name="8f2c"), request()])
def test_mail_address_in_the_subject_is_asked_for_like_any_other_name(asked):
    own = msgspec.structs.replace(asked, subject_mails=(MAIL,))
    assert contents(asked=own).names == (MAIL, SUBJECT_URI)
    of_another = msgspec.structs.replace(asked, subject_mails=(MAIL, Name(NameType.EMAIL, "boss@example.org")))
    assert "may not have the name boss@example.org." in refusal(NameNotGranted, None, of_another).detail
    assert "boss@example.org" in refusal(NameNotGranted, grant(must_match=True), of_another).detail


@pytest.mark.parametrize(
    ("asked", "names"), [(request(OTHER), (OTHER, MAIL)), (request(common_name=OTHER.value), (OTHER, MAIL)), (request(), (MAIL,))]
)
def test_administrator_gets_the_mail_address_in_the_subject_beside_the_other_names(asked, names):
    assert contents(grant(**ADMIN), msgspec.structs.replace(asked, subject_mails=(MAIL,))).names == names


def test_many_granted_names_are_listed_shortly():
    granted = tuple(Name(NameType.DNS, f"w{number}.example.org") for number in range(8))
    detail = refusal(NameNotGranted, grant(*granted), request(OTHER)).detail
    assert "w0.example.org, w1.example.org, w2.example.org, w3.example.org, w4.example.org and 3 more" in detail


def test_names_of_a_kind_that_is_never_issued_are_refused_for_everyone():
    for given in (grant(), grant(**ADMIN)):
        error = refusal(NameNotGranted, given, request(MAIL, other_names=("otherName 1.3.6.1.4.1.311.20.2.3",)))
        assert "otherName 1.3.6.1.4.1.311.20.2.3" in error.detail


def test_a_person_without_any_name_gets_an_error_and_no_empty_certificate():
    error = refusal(NameNotGranted, msgspec.structs.replace(grant(), names=()))
    assert "would have no name" in error.detail
    assert "no name at all" in refusal(NameNotGranted, msgspec.structs.replace(grant(), names=()), request(MAIL)).detail


def test_administrator_gets_the_names_of_the_request_in_canonical_form():
    found = contents(grant(**ADMIN), request(Name(NameType.DNS, "WEB-09.example.net"), MAIL, common_name="web-09"))
    assert (found.common_name, found.names) == ("web-09", (OTHER, MAIL))
    assert "an administrator may have any name" in decision(grant(**ADMIN), request(OTHER)).reasons[0]


def test_administrator_who_gives_only_a_common_name_gets_it_as_a_name_too():
    found = contents(grant(**ADMIN), request(common_name="web-09.example.net"))
    assert (found.common_name, found.names) == ("web-09.example.net", (OTHER,))


def test_administrator_who_asks_for_nothing_gets_their_own_names():
    assert contents(grant(**ADMIN)).names == (MAIL, SUBJECT_URI)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (request(Name(NameType.DNS, "web_1.example.org")), "underscore"),
        (request(OTHER, Name(NameType.DNS, "*.org")), "top-level"),
        (request(Name(NameType.IP, "0.0.0.0")), "one machine"),
        (request(OTHER, common_name="web\0"), "control"),
        (request(OTHER, common_name="a" * 65), "65 characters"),
        (request(OTHER, common_name="*.example.org"), "wildcard that is not among the names"),
        (request(common_name="b\u00fccher.example"), "not ASCII"),
        (request(*(Name(NameType.DNS, f"w{number}.example.org") for number in range(101))), "101 names"),
    ],
)
def test_hostile_names_are_refused_for_administrators_too(asked, why):
    assert why in refusal(CertificateNameRefused, grant(**ADMIN), asked).detail


def test_granted_names_are_looked_at_as_strictly_as_asked_ones():
    assert "underscore" in refusal(CertificateNameRefused, grant(Name(NameType.DNS, "web_1.example.org"))).detail
    assert "control" in refusal(CertificateNameRefused, grant(common_name="8f\n2c")).detail
    assert contents(grant(Name(NameType.DNS, "WEB.example.org"))).names == (WEB,)


# --- requests that must match the token (JWK) ------------------------------------------------------------------------

TWO_HOSTS = (Name(NameType.DNS, "a.example.org"), Name(NameType.DNS, "b.example.org"), Name(NameType.IP, "192.0.2.1"))
MATCHING = grant(*TWO_HOSTS, common_name="a.example.org", must_match=True)


@pytest.mark.parametrize(
    "asked",
    [
        (),
        TWO_HOSTS,
        TWO_HOSTS[:2],
        TWO_HOSTS[1::-1],
        TWO_HOSTS[2:],
        (Name(NameType.DNS, "A.example.org"), TWO_HOSTS[1]),
    ],
)
def test_request_with_all_or_none_of_each_type_matches(asked):
    assert contents(MATCHING, request(*asked, common_name="a.example.org")).names == TWO_HOSTS


def test_request_with_some_of_a_type_is_refused():
    error = refusal(NameNotGranted, MATCHING, request(TWO_HOSTS[0]))
    assert "some of the DNS names but not b.example.org" in error.detail


def test_request_with_more_than_the_token_is_refused():
    assert "c.example.org" in refusal(NameNotGranted, MATCHING, request(*TWO_HOSTS, Name(NameType.DNS, "c.example.org"))).detail


def test_common_name_must_be_one_of_the_tokens_names():
    assert contents(MATCHING, request(common_name="b.example.org")).common_name == "a.example.org"
    assert "c.example.org" in refusal(NameNotGranted, MATCHING, request(common_name="c.example.org")).detail


def test_text_that_may_be_asked_for_is_no_name_of_the_token():
    given = msgspec.structs.replace(MATCHING, may_ask_for=("extra",))
    assert "extra" in refusal(NameNotGranted, given, request(*TWO_HOSTS[:2], Name(NameType.DNS, "extra"))).detail


# --- profile ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ((MAIL,), "the profile server has no e-mail addresses"),
        ((WEB, SUBJECT_URI), "the profile server has no URIs"),
        ((Name(NameType.DNS, "*.example.org"),), "the profile server has no wildcards"),
    ],
)
def test_names_that_the_profile_does_not_have_are_refused(names, why):
    given = grant(*names, profile="server", common_name="")
    assert why in refusal(NameNotGranted, given, profile=SERVER).detail


def test_fewer_names_of_the_profile_count():
    narrow = msgspec.structs.replace(STEP_LEAF, most_names=1)
    assert "2 names; a certificate may have 1" in refusal(CertificateNameRefused, profile=narrow).detail


def test_subject_is_empty_where_the_profile_says_so():
    assert contents(profile=msgspec.structs.replace(STEP_LEAF, common_name=False)).common_name == ""


def test_wildcards_are_issued_where_the_profile_has_them():
    wildcard = Name(NameType.DNS, "*.example.org")
    assert contents(grant(wildcard, common_name="*.example.org")).names == (wildcard,)


def test_provisioner_extension_is_there_unless_profile_or_claims_leave_it_out():
    given = grant(extension=ProvisionerExtension(2, "Sealwright", "step"))
    assert contents(given).extension == given.extension
    assert contents(msgspec.structs.replace(given, claims=Claims(disable_smallstep_extensions=True))).extension is None
    assert contents(given, profile=msgspec.structs.replace(STEP_LEAF, provisioner_extension=False)).extension is None


def test_grant_of_one_profile_is_never_decided_under_another():
    with pytest.raises(ValueError, match="profile step_leaf, not server"):
        decision(profile=SERVER)


@pytest.mark.parametrize("kind", examples.KEYS)
def test_every_accepted_key_is_certified(kind):
    assert contents(grant(), request(kind=kind)).public_key_der == request(kind=kind).public_key_der


def test_kinds_of_keys_that_the_profile_does_not_have_are_refused():
    narrow = msgspec.structs.replace(STEP_LEAF, key_kinds=(KeyKind.EC,))
    error = refusal(PublicKeyRefused, grant(), request(kind="RSA-2048"), profile=narrow)
    assert "A key of the kind RSA is not admitted by the profile step_leaf" in error.detail
    assert "EC" in error.hint


def test_key_of_the_issuer_is_never_certified():
    error = refusal(PublicKeyRefused, grant(), msgspec.structs.replace(request(), public_key=ISSUER.public_key))
    assert "issuer" in error.detail


# --- validity --------------------------------------------------------------------------------------------------------


def asked(not_before=None, not_after=None):
    return request(not_before=not_before, not_after=not_after)


def window(*arguments, **others):
    found = contents(*arguments, **others)
    return found.not_before - SECOND, found.not_after - SECOND


def ms(duration):
    return duration // timedelta(milliseconds=1)


def test_default_is_backdated_by_a_minute_and_ends_after_the_default_duration():
    # Both ends count, so 59 seconds before now make 24 hours and one minute in all.
    assert window() == (-59_000, ms(24 * HOUR))


@pytest.mark.parametrize(
    ("not_before", "not_after", "expected"),
    [
        (None, 8 * HOUR, (-59_000, ms(8 * HOUR))),
        (None, after(NOW, 8 * HOUR), (-59_000, ms(8 * HOUR))),
        (timedelta(0), 24 * HOUR, (0, ms(24 * HOUR))),
        (5 * MINUTE, HOUR, (ms(5 * MINUTE), ms(HOUR + 5 * MINUTE))),
        (5 * MINUTE, None, (ms(5 * MINUTE), ms(24 * HOUR + 5 * MINUTE))),
        (before(NOW, 30 * MINUTE), HOUR, (-ms(30 * MINUTE), ms(30 * MINUTE))),
        (-HOUR, 2 * HOUR, (-ms(HOUR), ms(HOUR))),
        (48 * HOUR, HOUR, (ms(48 * HOUR), ms(49 * HOUR))),
        (None, after(SECOND, 24 * HOUR), (-59_000, ms(24 * HOUR))),
    ],
)
def test_asked_for_times_are_taken_as_they_are(not_before, not_after, expected):
    assert window(grant(), asked(not_before, not_after)) == expected


@pytest.mark.parametrize(
    ("not_before", "not_after", "why"),
    [
        (None, 24 * HOUR + timedelta(seconds=1), "the provisioner Sealwright allows 24 hours"),
        (None, after(SECOND, 24 * HOUR + timedelta(seconds=1)), "allows 24 hours"),
        (
            timedelta(0),
            24 * HOUR + MINUTE,
            "for 24 hours, 1 minute and 1 second, its last second included; .* allows 24 hours, and",
        ),
        (-HOUR, 25 * HOUR, "for 25 hours and 1 second, .* allows 24 hours, and 1 minute more for clocks that are slow"),
        (None, 60 * DAY, "for 60 days and 1 minute, .* allows 1 day, and 1 minute more"),
        (None, 4 * MINUTE - timedelta(seconds=1), "allows no less than 5 minutes"),
        (None, timedelta(0), "which is over"),
        (None, -HOUR, "which is over"),
        (None, Instant(0), "which is over"),
        (HOUR, after(NOW, 30 * MINUTE), "before it begins"),
        (HOUR, after(SECOND, HOUR), "before it begins"),
        (-HOUR - timedelta(seconds=1), 2 * HOUR, "more than 1 hour before now"),
        (48 * HOUR + timedelta(seconds=1), HOUR, "more than 2 days from now"),
    ],
)
def test_times_outside_of_what_is_allowed_are_refused_and_never_clipped(not_before, not_after, why):
    assert re.search(why, refusal(ValidityRefused, grant(), asked(not_before, not_after)).detail)


def test_longest_life_is_exact_to_the_second_with_both_ends_counted():
    most = window(grant(), asked(timedelta(0), 24 * HOUR + MINUTE - timedelta(seconds=1)))
    assert most == (0, ms(24 * HOUR + MINUTE) - 1000)
    assert most[1] - most[0] + 1000 == ms(24 * HOUR + MINUTE)


def test_the_shorter_of_profile_and_claims_counts_and_is_named():
    day = msgspec.structs.replace(STEP_LEAF, longest=DAY)
    long = grant(claims=Claims(longest=30 * DAY))
    assert "the profile step_leaf allows 1 day" in refusal(ValidityRefused, long, asked(None, 2 * DAY), profile=day).detail
    assert window(long, asked(None, 2 * DAY)) == (-59_000, ms(2 * DAY))


def test_issuer_outlives_every_certificate():
    ending = examples.issuer(not_after=after(SECOND, 2 * HOUR))
    error = refusal(ValidityRefused, grant(), asked(None, 3 * HOUR), issuer=ending)
    assert "after its issuer Example Issuing CA 1 at 2026-11-22T12:20:30Z" in error.detail
    assert window(grant(), asked(None, 2 * HOUR), issuer=ending) == (-59_000, ms(2 * HOUR))


def test_default_duration_ends_with_the_issuer():
    ending = examples.issuer(not_after=after(SECOND, 2 * HOUR))
    assert window(issuer=ending) == (-59_000, ms(2 * HOUR))
    over = examples.issuer(not_before=before(SECOND, 2 * HOUR), not_after=before(SECOND, HOUR))
    assert "which is over" in refusal(ValidityRefused, issuer=over).detail


def test_issuer_that_is_not_valid_yet_signs_nothing():
    later = examples.issuer(not_before=after(SECOND, HOUR))
    assert "still to come" in refusal(ValidityRefused, issuer=later).detail


def test_certificate_ends_with_the_credential_that_it_was_got_with():
    given = grant(not_after=after(SECOND, HOUR))
    assert window(given) == (-59_000, ms(HOUR))
    assert "what you showed is valid until 2026-11-22T11:20:30Z" in refusal(ValidityRefused, given, asked(None, 2 * HOUR)).detail


def test_default_of_the_claims_counts():
    claims = Claims(default=8 * HOUR)
    assert window(grant(claims=claims)) == (-59_000, ms(8 * HOUR))


def test_without_backdating_a_certificate_begins_now():
    assert window(profile=msgspec.structs.replace(STEP_LEAF, backdate=timedelta(0)), asked=asked(None, 23 * HOUR))[0] == 0


@pytest.mark.parametrize("step", [0, 1, 499, 500, 999])
def test_parts_of_a_second_never_lengthen_a_certificate(step):
    found = contents(now=Instant(SECOND + step))
    assert (found.not_before % 1000, found.not_after % 1000) == (0, 0)
    assert found.not_after - found.not_before == ms(24 * HOUR) + 59_000


def test_renewal_lives_exactly_as_long_as_what_it_renews():
    first = contents()
    later = after(NOW, 16 * HOUR)
    again = contents(grant(), asked(None, same_life(first.not_before, first.not_after, STEP_LEAF)), now=later)
    assert again.not_after - again.not_before == first.not_after - first.not_before
    assert again.not_before - first.not_before == ms(16 * HOUR)


# --- the whole way ---------------------------------------------------------------------------------------------------


def test_request_as_step_makes_it_after_signing_in_is_allowed():
    made = examples.csr(
        x509.RFC822Name("alice@example.org"), x509.UniformResourceIdentifier(SUBJECT_URI.value), common_name="8f2c"
    )
    assert contents(grant(), csr.parse(examples.pem(made))).names == (MAIL, SUBJECT_URI)


def test_request_of_a_user_name_as_step_makes_it_is_allowed():
    made = examples.csr(x509.DNSName("alice_b"), common_name="alice_b")
    assert contents(grant(may_ask_for=("alice_b",)), csr.parse(examples.pem(made))).names == (MAIL, SUBJECT_URI)


def test_request_of_a_server_by_a_person_is_refused():
    made = examples.csr(
        x509.DNSName("web.example.org"), x509.IPAddress(ipaddress.ip_address("10.0.0.1")), common_name="web.example.org"
    )
    assert "web.example.org" in refusal(NameNotGranted, grant(), csr.parse(examples.pem(made))).detail


def test_decision_without_contents_always_raises():
    with pytest.raises(Refused):
        Decision(reasons=("because",)).require()


def test_profile_of_its_own_is_decided_by_its_own_rules():
    profile = Profile(name="mail", name_types=(NameType.EMAIL,), common_name=False)
    found = contents(grant(MAIL, profile="mail"), profile=profile)
    assert (found.common_name, found.names) == ("", (MAIL,))
