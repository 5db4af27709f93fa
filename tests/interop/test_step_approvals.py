"""The stock `step` where others have to approve: the commands of the page, and what `step ca certificate` says."""

import re

import pytest

from tests.documentation.pages import missing_line, steps
from tests.documentation.shell import shell
from tests.live import ADMIN_PASSWORD, PERSON_PASSWORD, PROVISIONER_PASSWORD, SEALWRIGHT, TOOLS
from tests.reference_script import ROOT

PAGE = ROOT / "docs" / "howto" / "approvals.md"


def held(told):
    """The id of the request that waits, as `step` was told it."""
    found = re.search(r"waits for approval as the request (\S+), until", told)
    assert found, told
    return found[1]


@pytest.fixture(scope="module")
def followed(server, ours, tmp_path_factory):
    """The commands of the page, each with what it printed; and the directory they were run in."""
    place = tmp_path_factory.mktemp("approvals")
    server.sealwright("person", "create", "anna", "Anna")
    for name, password in (("anna", PERSON_PASSWORD), ("admin", ADMIN_PASSWORD)):
        file = server.file(f"{name}-approves", password)
        if name == "anna":
            server.sealwright("person", "set-password", name, "--password-file", file)
        server.sealwright("login", "-D", name, "--password-file", file)
    environment = server.environment() | {"PATH": f"{SEALWRIGHT.parent}:{TOOLS}:/usr/bin:/bin", "STEPPATH": str(place / "step")}
    with shell(place, environment, print) as session:
        session.run(f"step ca bootstrap --ca-url {ours.url} --fingerprint {ours.fingerprint}")
        (place / "work" / "sites.password").write_text(PROVISIONER_PASSWORD)
        printed = [(step, session.run(step.commands)) for step in steps(PAGE)]
        yield printed, session, place / "work"


def test_stock_step_gets_with_the_same_command_what_was_approved_as_the_handbook_says(followed):
    printed, _, work = followed
    missing = [(step.line, missing_line(step.expected, text), text) for step, text in printed]
    assert [each for each in missing if each[1] is not None] == []
    assert (work / "web.crt").exists()


def test_step_ca_certificate_says_which_request_waits_and_writes_nothing(followed, server):
    _, session, work = followed
    command = "step ca certificate --provisioner sites --provisioner-password-file sites.password db.example.org db.crt db.key"
    told = [session.run(f"{command} || echo refused") for _ in range(2)]
    requests = [held(each) for each in told]
    assert all("refused" in each for each in told)
    assert all("step ca certificate makes another key each time" in " ".join(each.split()) for each in told)
    assert len(set(requests)) == 2, "another key is another request"
    assert not (work / "db.crt").exists()
    assert not (work / "db.key").exists()
    server.sealwright("-D", "anna", "approval", "reject", requests[0], "--comment", "belongs to another team")
    assert server.sealwright_json("-D", "anna", "approval", "show", requests[0])["state"] == "rejected"


def test_step_ca_sign_says_who_rejected_the_request_and_why(followed, server):
    _, session, _ = followed
    session.run("step certificate create --csr --no-password --insecure old.example.org old.csr old.key")
    command = "step ca sign --provisioner sites --provisioner-password-file sites.password old.csr old.crt || echo refused"
    request = held(session.run(command))
    server.sealwright("-D", "anna", "approval", "reject", request, "--comment", "goes off the network next week")
    told = session.run(command)
    assert "refused" in told
    assert "goes off the network next week" in told
