"""RFC 6238 codes."""

import pytest

from sealwright.clock import Instant
from sealwright.entropy import SeededEntropy
from sealwright.identity.totp import code_at, matching_step, new_secret, secret_text, step_at, uri

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "eight_digits"),
    [
        (59, "94287082"),
        (1_111_111_109, "07081804"),
        (1_111_111_111, "14050471"),
        (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"),
        (20_000_000_000, "65353130"),
    ],
)
def test_codes_are_those_of_rfc_6238_appendix_b(seconds, eight_digits):
    assert code_at(SECRET, step_at(Instant(seconds * 1000))) == eight_digits[2:]


NOW = Instant(1_795_000_010_000)
STEP = step_at(NOW)


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_code_of_a_neighbouring_step_is_accepted(steps):
    assert matching_step(SECRET, code_at(SECRET, STEP + steps), NOW, None) == STEP + steps


@pytest.mark.parametrize("steps", [-2, 2, 100])
def test_code_of_another_time_is_refused(steps):
    assert matching_step(SECRET, code_at(SECRET, STEP + steps), NOW, None) is None


def test_code_of_a_used_or_earlier_step_is_refused():
    assert matching_step(SECRET, code_at(SECRET, STEP), NOW, STEP) is None
    assert matching_step(SECRET, code_at(SECRET, STEP - 1), NOW, STEP) is None
    assert matching_step(SECRET, code_at(SECRET, STEP + 1), NOW, STEP) == STEP + 1


def test_blanks_in_a_code_do_not_matter():
    code = code_at(SECRET, STEP)
    assert matching_step(SECRET, f" {code[:3]} {code[3:]}\n", NOW, None) == STEP


@pytest.mark.parametrize(
    "code",
    [
        "",
        "12345",
        "1234567",
        "abcdef",
        "\uff11\uff12\uff13\uff14\uff15\uff16",
        "\u0660\u0661\u0662\u0663\u0664\u0665",
        "-12345",
        "12345\x00",
        "9" * 10_000,
    ],
)
def test_what_is_no_code_is_refused(code):
    assert matching_step(SECRET, code, NOW, None) is None


def test_secret_has_160_bits_and_is_written_in_base32():
    secret = new_secret(SeededEntropy(1))
    assert len(secret) == 20
    assert len(secret_text(secret)) == 32


def test_uri_is_what_apps_read():
    assert uri(SECRET, issuer="Example & Co", account="alice@example.org") == (
        "otpauth://totp/Example%20%26%20Co:alice@example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        "&issuer=Example%20%26%20Co&algorithm=SHA1&digits=6&period=30"
    )
