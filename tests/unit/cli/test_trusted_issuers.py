"""`sealwright system oauth2 trusted-issuer`."""

import pytest

EXPLAIN = ("system", "oauth2", "trusted-issuer", "explain")
ADD_RULE = ("system", "oauth2", "trusted-issuer", "add-rule", "ci", "--client", "jobs")


@pytest.mark.parametrize("conditions", [("ref=a", "ref=b"), ("ref=a", "sub=x", "ref=a")])
def test_claim_with_two_conditions_is_refused_before_anything_is_sent(shell, conditions):
    shell.sign_in("carol", "idm_oauth2_admins")
    shell.requests.clear()
    done = shell.run(*ADD_RULE, *(part for each in conditions for part in ("--when", each)))
    assert done.code == 2
    assert "The claim ref has two conditions" in done.err
    assert shell.requests == []


def test_token_of_no_trusted_issuer_is_explained_from_a_file_and_from_standard_input(shell):
    shell.sign_in("carol", "idm_oauth2_admins")
    path = shell.file("job.token", "nothing\n")
    for done in (shell.run(*EXPLAIN, path), shell.run(*EXPLAIN, "-", stdin="nothing\n")):
        assert done.code == 1
        assert "refused by the check of: format" in done.out
    told = shell.run(*EXPLAIN, path, "-o", "json")
    assert (told.code, told.json["failed"], told.json["rules"]) == (1, "format", [])
