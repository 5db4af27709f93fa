from datetime import timedelta

import pytest

from tests.unit.identity.world import PASSWORD

LONG_AGO = timedelta(minutes=10)


@pytest.fixture
def admin(shell):
    shell.sign_in("root", "system_admins")
    shell.world.clock.advance(LONG_AGO)
    return shell


def test_change_after_a_while_is_refused_with_the_command_that_helps(admin):
    done = admin.run("group", "create", "staff")
    assert (done.code, done.err) == (
        1,
        (
            "Refused: root signed in too long ago to change anything.\n"
            "  changes need a recent sign-in, so that a terminal that was left alone makes none\n"
            "  Give your password again, then repeat the command: sealwright reauth -D root\n"
        ),
    )
    assert admin.ok("group", "list").code == 0
    admin.ok("reauth", "-D", "root", "--password-file", "-", stdin=f"{PASSWORD}\n")
    admin.ok("group", "create", "staff")


def test_person_at_a_terminal_is_asked_and_the_command_goes_on(admin):
    admin.hidden = [PASSWORD]
    done = admin.ok("group", "create", "staff", tty=True)
    assert "Your sign-in is too long ago for a change." in done.err
    assert "Created group staff" in done.out
    admin.ok("group", "add-members", "staff", "root")  # with the token that was kept


def test_wrong_password_at_the_question_changes_nothing(admin):
    admin.hidden = ["wrong"]
    done = admin.run("group", "create", "staff", tty=True)
    assert done.code == 1
    assert "our password is not right" in done.err
    assert admin.run("group", "get", "staff").code == 4
    assert admin.ok("whoami").code == 0


def test_second_factor_is_passed_or_asked_for(shell):
    shell.person("alice")
    secret = shell.wait(shell.world.with_totp("alice"))
    shell.ok("login", "-D", "alice", "--password-file", "-", "--code", shell.world.code(secret), stdin=PASSWORD)
    shell.world.clock.advance(LONG_AGO)
    shell.ok("reauth", "--password-file", "-", "--code", shell.world.code(secret), stdin=PASSWORD)
    shell.world.clock.advance(LONG_AGO)
    shell.hidden = [PASSWORD, shell.world.code(secret)]
    assert "Signed in again as alice@example.org" in shell.ok("reauth", tty=True).out
