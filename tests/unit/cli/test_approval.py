"""`sealwright approval`, and `certificate issue` where the certificate waits for others."""

import pytest

from sealwright.access import SYSTEM


async def with_rule(world):
    await world.directory.create_group("approvers", actor=SYSTEM)
    await world.person("anna", "approvers")
    from sealwright.access.approvals import ApprovalRule

    await world.app.parts.approval_rules.set(ApprovalRule(object="profile:step_leaf", group_id="approvers"), actor=SYSTEM)


@pytest.fixture
def held(shell):
    """Alice, whose certificate waits for Anna."""
    shell.set_up_step_ca()
    shell.wait(with_rule(shell.world))
    return shell


def test_certificate_that_waits_keeps_its_key_and_comes_with_the_same_command_later(held):
    done = held.run("certificate", "issue")
    assert done.code == 5
    assert "waits for approval as the request" in done.err
    assert (held.place / "alice.key.waiting").exists()
    assert not (held.place / "alice.crt").exists()
    (request,) = held.wait(held.world.app.parts.approvals.all(SYSTEM)).requests
    anna = held.wait(held.world.signed_in("anna")).signed_in.actor
    held.wait(held.world.app.parts.approvals.approve(request.id, "", actor=anna))
    held.ok("certificate", "issue")
    assert (held.place / "alice.crt").exists()
    assert not (held.place / "alice.key.waiting").exists()


def ask(shell):
    """The id of a request of Alice."""
    shell.run("certificate", "issue")
    (request,) = shell.wait(shell.world.app.parts.approvals.all(SYSTEM)).requests
    return request.id


def test_request_is_shown_in_words_and_approved(held):
    request = ask(held)
    held.sign_in("ben", "approvers")
    assert held.ok("approval", "list").members[1].startswith(request)
    shown = held.ok("approval", "show", request).members
    assert "names: alice@example.org" in shown
    assert any(each.startswith("waits for: the profile step_leaf asks for the approval of one of the members") for each in shown)
    done = held.ok("approval", "approve", request, "--comment", "known to me", tty=True)
    assert "It is approved now" in done.out
    assert "ben: approve: known to me" in held.ok("approval", "show", request).out
    assert held.ok("approval", "wait", request).out.startswith("approved: ")
    assert held.ok("approval", "list").err == "Nothing waits for your decision.\n"


def test_rejected_request_is_waited_for_in_vain(held):
    request = ask(held)
    held.sign_in("ben", "approvers")
    held.ok("approval", "reject", request, "--comment", "no")
    done = held.run("approval", "wait", request)
    assert (done.code, done.out.startswith("rejected: ")) == (1, True)


def test_waiting_ends_with_its_time(held):
    request = ask(held)
    held.sign_in("ben", "approvers")
    done = held.run("approval", "wait", request, "--timeout", "1s")
    assert (done.code, done.out.startswith("pending: ")) == (1, True)
    assert held.run("approval", "wait", request, "--timeout", "soon").code == 2


def test_rule_is_set_at_once_and_its_change_waits(held):
    held.sign_in("root", "system_admins")
    done = held.ok("approval", "set-rule", "role:r-admin", "--role", "r-admin", tty=True)
    assert "From now on the role r-admin asks for the approval of one of the people with the role r-admin" in done.out
    done = held.ok("approval", "remove-rule", "role:r-admin")
    assert "Removing the approval rule of role:r-admin waits for approval" in done.err
    (mine,) = held.ok("approval", "list", "--mine", "-o", "json").lines
    assert "votes: 1, now nothing" in held.ok("approval", "show", mine["id"]).out
    held.ok("approval", "withdraw", mine["id"])
    assert [each["object"] for each in held.ok("approval", "rules", "-o", "json").lines] == ["profile:step_leaf", "role:r-admin"]
