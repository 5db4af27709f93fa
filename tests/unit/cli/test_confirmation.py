"""What ends is said with counts, and asked for, where a person is there to be asked; never in a script."""

import pytest

from sealwright.access import SYSTEM
from tests.unit.cli.test_administration import OAUTH2
from tests.unit.identity.world import PASSWORD


@pytest.fixture
def admin(shell):
    """An administrator, and Alice who is signed in, has a certificate and allowed an application something."""
    shell.set_up_step_ca()
    shell.ok("login", "-D", "alice", "--password-file", "-", stdin=f"{PASSWORD}\n")
    shell.ok("certificate", "issue")
    shell.sign_in("root", "system_admins")
    return shell


ALICE = "alice@example.org has 2 sessions, 1 consent and 1 authorization, which end."
DESTRUCTIVE = [
    (("person", "disable", "alice"), [ALICE, "1 certificate of theirs will not be renewed."]),
    (("person", "delete", "alice"), [ALICE, "1 certificate of theirs will not be renewed."]),
    (
        ("person", "set-password", "alice", "--password-file", "new.pw"),
        ["alice@example.org has 2 sessions, which end.", "1 certificate of theirs will be revoked."],
    ),
    (
        ("person", "credential", "remove-second-factors", "alice"),
        ["alice@example.org has 2 sessions, which end.", "1 certificate of theirs will be revoked."],
    ),
    (
        ("group", "delete", "step-ca_users", "--even-if-used"),
        [
            "1 member of step-ca_users will not be in it any more; they stay themselves.",
            "It is used by the client step-ca (map), which loses it.",
        ],
    ),
    (
        (*OAUTH2, "delete", "step-ca", "--even-if-used"),
        [
            "The client step-ca has 1 scope map, 1 consent and 1 authorization, which end.",
            "It is used by the provisioner kanidm, by which no one gets a certificate then.",
        ],
    ),
    (
        ("provisioner", "remove", "kanidm"),
        ["1 certificate that kanidm vouched for: valid until expiry, and not renewed any more."],
    ),
]


@pytest.mark.parametrize(("arguments", "told"), DESTRUCTIVE, ids=lambda value: " ".join(value[:2]))
def test_person_at_the_terminal_is_told_what_ends_and_nothing_ends_without_a_yes(admin, arguments, told):
    admin.file("new.pw", "gravel-sunset-tuba-41\n")
    for typed in ("", "n\n", "\n"):
        done = admin.run(*arguments, tty=True, stdin=typed)
        assert (done.code, done.out) == (1, "")
        assert done.err.splitlines()[: len(told)] == told
        assert "[y/N]" in done.err
        assert "Nothing was changed." in done.err
    assert all("GET" in each for each in admin.requests[-3:])
    assert admin.ok(*arguments, tty=True, stdin="y\n").out


@pytest.mark.parametrize(("arguments", "told"), DESTRUCTIVE, ids=lambda value: " ".join(value[:2]))
@pytest.mark.parametrize("terminal", [True, False])
def test_script_and_yes_go_on_without_a_question(admin, arguments, told, terminal):
    admin.file("new.pw", "gravel-sunset-tuba-41\n")
    admin.requests.clear()
    done = admin.ok(*arguments, *(("--yes",) if terminal else ()), tty=terminal)
    assert "[y/N]" not in done.err
    assert not [each for each in admin.requests if "impact" in each]


@pytest.mark.parametrize("arguments", [("group", "delete", "step-ca_users"), (*OAUTH2, "delete", "step-ca")], ids=" ".join)
def test_yes_is_not_even_if_used(admin, arguments):
    for tty, more in ((True, ()), (True, ("--yes",)), (False, ("--yes",)), (False, ())):
        done = admin.run(*arguments, *more, tty=tty, stdin="y\n")
        assert (done.code, "[y/N]" in done.err, "--even-if-used" in done.err) == (5, False, True), done


def test_certificate_is_named_before_it_is_revoked_and_what_revoking_does_is_said(admin):
    serial = admin.ok("certificate", "list", "-o", "json").lines[0]["serial"]
    refused = admin.run("certificate", "revoke", serial, tty=True)
    assert (refused.code, refused.err.startswith(f"{serial} (alice@example.org")) == (1, True)
    done = admin.ok("certificate", "revoke", serial, tty=True, stdin="y\n")
    assert "it is never renewed again" in done.out
    assert "there is no CRL or OCSP yet" in done.err
    again = admin.run("certificate", "revoke", serial, "--yes")
    assert (again.code, f"the certificate {serial} was revoked before" in again.err.lower()) == (5, True)


def test_holder_is_asked_before_their_certificate_is_revoked(admin):
    refused = admin.run("certificate", "revoke", "--cert", "alice.crt", tty=True)
    assert (refused.code, "(alice@example.org" in refused.err, "Nothing was changed." in refused.err) == (1, True, True)


def test_end_of_a_session_and_of_a_secret_is_asked_for(admin):
    admin.ok(*OAUTH2, "create", "wiki", "Wiki", "https://wiki.example.org")
    secret = admin.ok(*OAUTH2, "show-basic-secret", "wiki").out
    assert admin.run(*OAUTH2, "reset-basic-secret", "wiki", "--at-once", tty=True).code == 1
    assert admin.ok(*OAUTH2, "show-basic-secret", "wiki").out == secret
    (own,) = admin.ok("session", "list", "-o", "json").lines
    done = admin.run("session", "end", own["id"], tty=True)
    assert (done.code, "The session of yours, signed in" in done.err) == (1, True)
    assert admin.ok("whoami").code == 0
    assert admin.ok("session", "end", own["id"], "--yes", tty=True).code == 0


def test_person_who_may_not_delete_is_refused_before_any_question(admin):
    admin.sign_in("mallory")
    for arguments, _ in DESTRUCTIVE[:2] + DESTRUCTIVE[3:]:
        done = admin.run(*arguments, tty=True, stdin="y\n")
        assert (done.code, "[y/N]" in done.err, "does not have the permission" in done.err) == (1, False, True), done


class Meanwhile(list[str]):
    """Requests of a terminal; someone else changes something before the first that is no reading."""

    def __init__(self, change):
        super().__init__()
        self._change = change

    def append(self, request):
        if not request.startswith("GET"):
            self._change()
        super().append(request)


@pytest.mark.parametrize("asked", [True, False])
def test_what_was_changed_while_the_question_stood_is_not_done(admin, asked):
    admin.ok("group", "create", "team")
    admin.ok("group", "add-members", "team", "alice")
    directory = admin.world.directory
    admin.requests = Meanwhile(lambda: admin.wait(directory.add_members("team", ["root"], actor=SYSTEM)))
    done = admin.run("group", "purge-members", "team", *(() if asked else ("--yes",)), tty=True, stdin="y\n")
    members = admin.wait(directory.members_of("team", actor=SYSTEM)).accounts
    if asked:
        assert done.code == 5
        assert "was changed since" in done.err
        assert sorted(each.name for each in members) == ["alice", "root"]
    else:
        assert (done.code, members) == (0, ())
