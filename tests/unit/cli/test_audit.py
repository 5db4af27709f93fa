"""`sealwright audit list`: events are found by the names that people know, and say who, what and why."""

import json
from pathlib import Path

import pytest

from sealwright.access import SYSTEM
from sealwright.app.verify_record import verify_record


@pytest.fixture
def auditor(shell):
    shell.sign_in("root", "system_admins")
    shell.ok("person", "create", "bob", "Bob Example")
    shell.ok("group", "create", "staff")
    shell.ok("group", "add-members", "staff", "bob")
    return shell


def listed(shell, *arguments):
    """Event and thing of each line."""
    lines = shell.ok("audit", "list", *arguments).out.splitlines()[1:]
    return [(words[2], words[-1]) for line in lines if not line.startswith("  ") and (words := line.split())]


@pytest.mark.parametrize("name", ["bob", "bob@example.org"])
def test_events_about_a_person_are_found_by_name_and_shown_with_it(auditor, name):
    assert listed(auditor, "--target", f"person:{name}") == [("person.created", "person:bob")]


def test_events_about_what_is_gone_are_found_by_the_name_that_it_had(auditor):
    auditor.ok("person", "delete", "bob")
    auditor.ok("group", "delete", "staff")
    assert listed(auditor, "--target", "person:bob") == [("person.deleted", "person:bob"), ("person.created", "person:bob")]
    assert listed(auditor, "--target", "group:staff")[0] == ("group.deleted", "group:staff")
    auditor.ok("recycle-bin", "revive", "bob")
    assert len(listed(auditor, "--target", "person:bob")) == 3


def test_clients_and_provisioners_are_found_by_name_too(auditor):
    auditor.set_up_step_ca()
    auditor.sign_in("admin2", "system_admins")
    assert ("client.created", "client:step-ca") in listed(auditor, "--target", "client:step-ca")
    assert listed(auditor, "--target", "provisioner:kanidm") == [("provisioner.added", "provisioner:kanidm")]


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("person:nosuch", "there is no person 'nosuch', and nothing was recorded about one of this name"),
        ("group:nosuch", "there is no group 'nosuch'"),
        ("foo", "'foo' is nothing that events are about"),
        ("foo:bar", "The kinds are person, service, group"),
        ("person:", "'person:' is nothing that events are about"),
    ],
)
def test_what_nothing_can_be_known_about_is_refused(auditor, target, words):
    done = auditor.run("audit", "list", "--target", target)
    assert (done.code, words.lower() in done.err.lower()) == (4, True), done


def test_refused_attempt_is_found_by_who_tried_it(auditor):
    auditor.sign_in("mallory")
    assert auditor.run("person", "delete", "eve").code == 1
    auditor.ok("login", "-D", "root", "--password-file", "-", stdin="velvet-orbit-canyon-97\n")
    out = auditor.ok("audit", "list", "--by", "mallory", "--outcome", "refused").out
    assert "access.refused" in out
    assert "person:write is held by members of" in out


def test_who_was_added_and_removed_is_said(auditor):
    auditor.ok("group", "remove-members", "staff", "bob")
    out = auditor.ok("audit", "list", "--target", "group:staff", "--event", "group.members_changed").out
    assert [line for line in out.splitlines() if line.startswith("  ")] == ["  removed bob", "  added bob"]


def test_events_are_chosen_by_kind_outcome_person_and_time(auditor):
    assert {event for event, _ in listed(auditor, "--event", "group")} == {"group.created", "group.members_changed"}
    assert listed(auditor, "--event", "person.created", "--outcome", "done", "--by", "root") == [("person.created", "person:bob")]
    assert len(listed(auditor, "--by", "root@example.org", "--since", "1h", "--event", "group")) == 2
    assert auditor.ok("audit", "list", "--until", "2020-01-01").err == "Nothing was recorded that fits.\n"
    assert auditor.ok("audit", "list", "--since", "2020-01-01T00:00:00+02:00", "--limit", "1").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--by", "nosuch"), 4, "there is no account 'nosuch', and nothing was recorded of one of this name"),
        (("--event", "person.createt"), 1, "Perhaps person.created was meant."),
        (("--outcome", "well"), 2, "'done', 'refused', 'failed'"),
        (("--since", "yesterday"), 2, "--since 'yesterday' is not a time."),
        (("--until", ""), 2, "--until '' is not a time."),
    ],
)
def test_filter_that_cannot_be_understood_is_refused(auditor, arguments, code, words):
    done = auditor.run("audit", "list", *arguments)
    assert (done.code, words in done.err) == (code, True), done


def test_pages_go_on_within_what_was_chosen(auditor):
    for number in range(5):
        auditor.ok("group", "create", f"g{number}")
    token = auditor.wait(auditor.world.token("ruth", "auditors"))
    seen, after = [], ""
    for _ in range(4):
        query = f"event=group.created&limit=2{after}"
        status, page = auditor.wait(auditor.world.call("GET", "/audit", token=token, query=query))
        assert status == 200
        seen += [each["target_name"] for each in page["events"]]
        after = f"&after={page['next']}"
        if page["next"] is None:
            break
    assert seen == ["g4", "g3", "g2", "g1", "g0", "staff"]
    assert auditor.wait(auditor.world.call("GET", "/audit", token=token, query="after=rubbish"))[0] == 400
    assert auditor.wait(auditor.world.call("GET", "/audit", token=token, query="since=2026-11-22T10:20:00"))[0] == 400


def test_refusals_that_repeat_are_shown_as_a_count(auditor):
    world = auditor.world
    for _ in range(5):
        auditor.run("login", "-D", "bob", "--password-file", "-", stdin="wrong")
    auditor.wait(world.audit.write_repeated(world.db, unfinished=True))
    out = auditor.ok("audit", "list", "--target", "person:bob", "--outcome", "refused").out
    assert "4 more of these within a minute" in out


def test_events_are_written_to_a_file_as_lines_and_as_a_table(auditor, tmp_path):
    lines, table = tmp_path / "events.jsonl", tmp_path / "events.csv"
    assert "4 lines are in" in auditor.ok("audit", "export", "--category", "auth", "--by", "root", str(lines)).out
    assert [json.loads(line)["event"] for line in lines.read_text().splitlines()] == [
        "group.members_changed",
        "group.created",
        "person.created",
        "session.sign_in",
    ]
    auditor.ok("audit", "export", "--format", "csv", "--event", "person.created", "--by", "root", str(table))
    assert [row.split(",")[1] for row in table.read_text().splitlines()] == ["event", "person.created"]
    assert table.stat().st_mode & 0o777 == 0o600
    assert auditor.run("audit", "export", str(table)).code == 5
    assert "person.created" in table.read_text()


def test_export_that_is_refused_leaves_no_file(auditor, tmp_path):
    assert auditor.run("audit", "export", "--event", "nonsense", str(tmp_path / "x")).code != 0
    assert auditor.run("audit", "export", "--chains", "--event", "person", str(tmp_path / "x")).code == 2
    auditor.sign_in("mallory")
    assert auditor.run("audit", "export", str(tmp_path / "x")).code != 0
    assert not (tmp_path / "x").exists()


def test_record_is_exported_with_its_keys_and_verified_without_the_server(auditor, tmp_path):
    record, keys = str(tmp_path / "record.jsonl"), str(tmp_path / "keys.json")
    auditor.wait(auditor.world.app.parts.checkpoints.make(SYSTEM))
    auditor.ok("audit", "keys", keys)
    auditor.ok("audit", "export", "--chains", record)
    told = verify_record(Path(record), Path(keys))
    assert (told.chains, told.unsigned_rows, told.checkpoints) == (1, 1, 1)
    assert told.rows == len(Path(record).read_text().splitlines())


def test_new_events_are_followed_in_sentences_and_the_next_call_goes_on(auditor):
    begun = auditor.ok("audit", "follow", "--for", "1")
    place = begun.err.split()[-1]
    auditor.ok("group", "create", "later")
    auditor.ok("group", "set-description", "later", "new")
    out = auditor.ok("audit", "follow", "--for", "1", "--after", place, "--event", "group").out
    assert "root created the group later." in out
    assert 'root changed the group later.\n  description: "" → new' in out
