"""`sealwright system oauth2 trusted-issuer`."""

import pytest

EXPLAIN = ("system", "oauth2", "trusted-issuer", "explain")
TRUSTED = ("system", "oauth2", "trusted-issuer")
ADD_RULE = ("system", "oauth2", "trusted-issuer", "add-rule", "ci", "--client", "jobs")


@pytest.mark.parametrize("conditions", [("ref=a", "ref=b"), ("ref=a", "sub=x", "ref=a")])
def test_claim_with_two_conditions_is_refused_before_anything_is_sent(shell, conditions):
    shell.sign_in("carol", "idm_oauth2_admins")
    shell.requests.clear()
    done = shell.run(*ADD_RULE, *(part for each in conditions for part in ("--when", each)))
    assert done.code == 2
    assert "The claim ref has two conditions" in done.err
    assert shell.requests == []


def test_issuer_and_rule_are_changed_in_place(shell):
    shell.sign_in("carol", "idm_oauth2_admins")
    shell.run("system", "oauth2", "create-public", "jobs", "Jobs", "https://jobs.example.org")
    shell.run(*TRUSTED, "create", "ci", "https://ci.example.org", "--jwks-uri", "https://ci.example.org/keys")
    rule = shell.run(*ADD_RULE, "--when", "ref=a", "-o", "json").json["id"]
    done = shell.run(*TRUSTED, "update", "ci", "--audience", "https://other.example.org", "--reusable", "--discover-keys")
    assert done.code == 0
    for words in ("https://other.example.org", "by discovery", "until it ends"):
        assert words in done.out
    done = shell.run(*TRUSTED, "update", "ci", "--audience", "", "--once", "-o", "json")
    assert done.json["reusable"] is False
    assert done.json["audience"] not in ("", "https://other.example.org")
    done = shell.run(
        *TRUSTED, "update-rule", "ci", rule, "--when", "ref=b", "--scope", "deploy", "--lifetime", "5m", "-o", "json"
    )
    assert (done.json["id"], done.json["conditions"], done.json["scopes"]) == (rule, {"ref": "b"}, ["deploy"])
    assert done.json["lifetime_seconds"] == 300
    done = shell.run(*TRUSTED, "update-rule", "ci", rule, "--all-scopes", "--lifetime", "", "-o", "json")
    assert (done.json["scopes"], done.json["lifetime_seconds"]) == ([], 600)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("update", "ci"), "othing is to be changed"),
        (("update", "ci", "--discover-keys", "--jwks-uri", "https://ci.example.org/keys"), "ive one of --jwks-uri"),
        (("update-rule", "ci", "x"), "othing is to be changed"),
        (("update-rule", "ci", "x", "--scope", "a", "--all-scopes"), "ive one of --scope"),
        (("update-rule", "ci", "x", "--when", "ref=a", "--when", "ref=b"), "two conditions"),
    ],
)
def test_change_that_says_nothing_or_two_things_is_refused_before_anything_is_sent(shell, arguments, words):
    shell.sign_in("carol", "idm_oauth2_admins")
    shell.requests.clear()
    done = shell.run(*TRUSTED, *arguments)
    assert done.code == 2
    assert words in done.err
    assert shell.requests == []


def test_token_of_no_trusted_issuer_is_explained_from_a_file_and_from_standard_input(shell):
    shell.sign_in("carol", "idm_oauth2_admins")
    path = shell.file("job.token", "nothing\n")
    for done in (shell.run(*EXPLAIN, path), shell.run(*EXPLAIN, "-", stdin="nothing\n")):
        assert done.code == 1
        assert "refused by the check of: format" in done.out
    told = shell.run(*EXPLAIN, path, "-o", "json")
    assert (told.code, told.json["failed"], told.json["rules"]) == (1, "format", [])
