"""Reasons become sentences."""

import pytest

from sealwright.errors import as_sentence


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("only verified mail addresses are signed", "Only verified mail addresses are signed."),
        ("a client's secret is needed", "A client's secret is needed."),
        ("client_id must be given once", "client_id must be given once."),
        ("redirect_uri", "redirect_uri."),
        ("authParams holds 'x'", "authParams holds 'x'."),
        ("groups: staff, admins", "groups: staff, admins."),
        ("example.org is reserved", "example.org is reserved."),
        ("it waited too long.", "It waited too long."),
        ("", "."),
    ],
)
def test_reason_has_a_capital_and_a_full_stop_but_a_name_stays_as_it_is_written(reason, sentence):
    assert as_sentence(reason) == sentence
