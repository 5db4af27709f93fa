import json
import stat
from datetime import timedelta

import pytest

from sealwright.identity import SessionKind
from tests.unit.api.world import PEOPLE
from tests.unit.identity.world import PASSWORD


def test_session_of_a_sign_in_is_used_by_the_commands_that_follow(shell):
    shell.person("alice", "idm_people_admins")
    done = shell.ok("login", "-D", "alice", "--password-file", "-", stdin=f"{PASSWORD}\n")
    assert (done.out, done.err) == ("", "")
    assert shell.ok("whoami").out.splitlines()[0] == "alice@example.org"
    assert shell.ok("person", "list").code == 0


def test_person_at_a_terminal_is_told_until_when(shell):
    shell.person("alice")
    shell.hidden = [PASSWORD]
    done = shell.ok("login", "-D", "alice", tty=True)
    assert done.out == f"\x1b[32m✔\x1b[0m Signed in to {PEOPLE} as alice@example.org, until 20:06 today (8 hours)\n"


def test_no_colour_where_it_is_not_wanted(shell):
    shell.person("alice")
    shell.hidden = [PASSWORD]
    done = shell.run("login", "-D", "alice", tty=True, environ={"NO_COLOR": "1"})
    assert done.out.startswith("✔ Signed in")


def test_token_is_readable_by_its_owner_only(shell):
    shell.sign_in("alice")
    kept = shell.place / "user" / ".local" / "state" / "sealwright" / "sessions.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert json.loads(kept.read_text())[PEOPLE]["alice"]["token"]
    servers = shell.place / "user" / ".config" / "sealwright" / "servers.json"
    assert "token" not in servers.read_text()


def test_files_go_where_the_environment_says(shell):
    shell.person("alice")
    elsewhere = {"XDG_STATE_HOME": str(shell.place / "state"), "XDG_CONFIG_HOME": str(shell.place / "config")}
    shell.run("login", "-D", "alice", "--password-file", "-", stdin=PASSWORD, environ=elsewhere)
    assert (shell.place / "state" / "sealwright" / "sessions.json").exists()
    assert (shell.place / "config" / "sealwright" / "servers.json").exists()


def test_last_sign_in_names_the_server_and_its_root(shell):
    shell.sign_in("alice")
    shell.root.unlink()
    done = shell.run("whoami", environ={"SEALWRIGHT_URL": "", "SEALWRIGHT_CA": ""})
    assert done.code == 0


def test_no_one_is_asked_where_there_is_no_terminal(shell):
    done = shell.run("login", "-D", "alice")
    assert done.code == 2
    assert done.err == (
        "Wrong usage: a password is needed, and there is no terminal to ask on.\n"
        "  Pass it with --password-file FILE, or --password-file - for standard input.\n"
    )


def test_name_must_be_said_the_first_time(shell):
    done = shell.run("login", "--password-file", "-", stdin="x")
    assert (done.code, done.err) == (2, "Wrong usage: who is to be signed in?\n  Say who with -D NAME.\n")


def test_wrong_password_is_told_with_its_own_exit_code(shell):
    shell.person("alice")
    done = shell.run("login", "-D", "alice", "--password-file", "-", stdin="no\n")
    assert done.code == 3
    assert done.err == "Not signed in: the user name or password is not right.\n  Check both and try again.\n"


def test_second_factor_is_asked_for_or_passed(shell):
    shell.person("alice")
    secret = shell.wait(shell.world.with_totp("alice"))
    shell.hidden = [PASSWORD, shell.world.code(secret)]
    assert shell.run("login", "-D", "alice", tty=True).code == 0
    shell.world.clock.advance(timedelta(minutes=1))
    code = shell.world.code(secret)
    assert shell.run("login", "-D", "alice", "--password-file", "-", "--code", code, stdin=PASSWORD).code == 0
    done = shell.run("login", "-D", "alice", "--password-file", "-", stdin=PASSWORD)
    assert done.code == 2
    assert "Pass it with --code CODE." in done.err


def test_several_people_can_be_signed_in_at_once(shell):
    shell.sign_in("ruth", "idm_people_admins")
    shell.sign_in("alice")
    assert shell.ok("whoami").out.startswith("alice@")
    assert shell.ok("whoami", "-D", "ruth").out.startswith("ruth@")
    assert shell.ok("-D", "ruth@example.org", "person", "list", "-o", "json").lines[0]["name"] == "alice"


def test_signing_out_ends_the_session_at_the_server(shell):
    shell.sign_in("alice")
    kept = shell.place / "user" / ".local" / "state" / "sealwright" / "sessions.json"
    token = json.loads(kept.read_text())[PEOPLE]["alice"]["token"]
    shell.ok("logout")
    assert shell.wait(shell.world.sessions.resolve(token, "", kind=SessionKind.TERMINAL)) is None
    done = shell.run("whoami")
    assert done.code == 3
    assert done.err == f"Not signed in: alice is not signed in at {PEOPLE}.\n  Sign in with: sealwright login -D alice\n"


def test_signing_out_works_when_the_session_is_over_already(shell):
    shell.sign_in("alice")
    shell.world.clock.advance(timedelta(hours=9))
    assert shell.run("whoami").code == 3
    shell.ok("logout")


def test_whoami_tells_groups_and_permissions(shell):
    shell.sign_in("ruth", "idm_people_admins")
    lines = shell.ok("whoami").out.splitlines()
    assert lines[0] == "ruth@example.org"
    assert lines[1] == f"  at {PEOPLE}, until 20:06 today (8 hours)"
    assert lines[2] == "  member of idm_all_accounts, idm_all_persons and idm_people_admins"
    assert shell.ok("whoami", "--output", "json").json["account"]["name"] == "ruth"


def test_sessions_are_listed_and_ended(shell):
    shell.sign_in("alice")
    shell.wait(shell.world.signed_in("alice"))
    listed = shell.ok("session", "list", "-o", "json").lines
    (browser,) = [each["id"] for each in listed if each["kind"] == "browser"]
    text = shell.ok("session", "list").out
    assert "this session" in text
    assert "2026-11-18 12:06+0100" in text
    shell.ok("session", "end", browser)
    assert len(shell.ok("session", "list", "-o", "json").lines) == 1
    assert shell.run("session", "end", browser).code == 4


@pytest.mark.parametrize("option", ["-D", "--name", "--url", "--ca"])
@pytest.mark.parametrize("arguments", [("login", "--password-file", "-"), ("whoami",)])
def test_option_whose_variable_was_not_set_is_wrong_usage_and_stands_for_no_one(shell, option, arguments):
    shell.sign_in("alice")
    done = shell.run(*arguments, option, "", stdin=PASSWORD)
    assert done.code == 2
    assert "empty" in done.err
    assert option in done.err


def test_directory_that_is_a_file_is_told_as_what_is_in_the_way(shell):
    shell.person("alice")
    in_the_way = shell.place / "config"
    in_the_way.write_text("")
    done = shell.run("login", "-D", "alice", "--password-file", "-", stdin=PASSWORD, environ={"XDG_CONFIG_HOME": str(in_the_way)})
    assert done.code == 1
    assert done.err == f"{in_the_way} is not a directory.\n  What a sign-in leaves behind is kept in it. Move the file away.\n"
