"""`sealwright system oauth2 trusted-issuer`."""

import pytest

ADD_RULE = ("system", "oauth2", "trusted-issuer", "add-rule", "ci", "--client", "jobs")


@pytest.mark.parametrize("conditions", [("ref=a", "ref=b"), ("ref=a", "sub=x", "ref=a")])
def test_claim_with_two_conditions_is_refused_before_anything_is_sent(shell, conditions):
    shell.sign_in("carol", "idm_oauth2_admins")
    shell.requests.clear()
    done = shell.run(*ADD_RULE, *(part for each in conditions for part in ("--when", each)))
    assert done.code == 2
    assert "The claim ref has two conditions" in done.err
    assert shell.requests == []
