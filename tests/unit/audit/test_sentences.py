"""Each event is one sentence that a person reads."""

import re
from string import Formatter

import pytest

from sealwright.audit import EVENT_OF_ACTION, Category, Event, action_of, category_of, events_in, sentence_of
from sealwright.audit.categories import CATEGORY_OF_NOUN
from sealwright.audit.sentences import PHRASES

ALICE = ("person", "1", "alice")


@pytest.mark.parametrize("event", list(Event))
def test_every_event_has_a_sentence_for_what_was_done_and_for_what_was_tried(event):
    for outcome in ("done", "refused", "failed"):
        told = sentence_of(event, outcome, ALICE, "person:2", "bob", {})
        assert re.fullmatch(r"alice [a-z].*[^.]\.", told), told
    assert all(not name or name.isidentifier() for _, name, _, _ in Formatter().parse(PHRASES[event].done))


def test_no_sentence_is_kept_for_an_event_that_is_gone():
    assert set(PHRASES) == set(Event)


@pytest.mark.parametrize("event", list(Event))
def test_every_event_belongs_to_one_category(event):
    assert [each for each in Category if event in events_in(each)] == [category_of(event)]
    assert event.partition(".")[0] in CATEGORY_OF_NOUN


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("person.disabled", "done", ALICE, "person:2", "bob", {}), "alice disabled the person bob."),
        (
            ("person.disabled", "refused", ALICE, "person:2", "bob", {"reason": "You do not have the permission."}),
            "alice tried to disable the person bob and was refused: You do not have the permission.",
        ),
        (
            ("session.sign_in", "refused", ("nobody", "", ""), "person:2", "bob", {"reason": "forgot", "repeated": 3}),
            "Someone not signed in tried to sign in as the person bob and was refused, and 3 more times within a minute: forgot.",
        ),
        (
            ("mail.failed", "failed", ("node", "", "this server"), "person:2", None, {"kind": "reset", "reason": "no such box"}),
            "This server tried to send a message (reset) to the person 2 and it failed: no such box.",
        ),
        (
            ("group_mapping.added", "done", ALICE, "oidc_provider:9", None, {"group": "engineers", "role": "r-operator"}),
            "alice let the group engineers of the identity provider 9 give the role r-operator.",
        ),
        (("server.started", "done", ("node", "", "this server"), "server:all", None, {}), "This server began to serve."),
        (
            ("token.issued", "done", ("client", "7", "app"), "client:7", "app", {}),
            "The client app was given tokens as the client app.",
        ),
        (("role.granted", "done", ALICE, "role:r-x", None, {}), "alice granted the role r-x to (not recorded)."),
        (("thing.of_the_future", "done", ALICE, "thing:1", None, {}), "alice thing.of_the_future thing 1."),
    ],
)
def test_sentence_says_who_what_and_why(arguments, sentence):
    assert sentence_of(*arguments) == sentence


def test_hostile_name_cannot_fill_the_sentence_or_name_other_members():
    told = sentence_of("person.created", "done", ("person", "1", "{secret}" * 10_000), "person:2", "{target}", {"secret": "x"})
    assert len(told) < 500
    assert "created the person {target}" in told


def test_names_of_other_control_planes_lead_to_events_and_back():
    for action, event in EVENT_OF_ACTION.items():
        assert action_of(event) == action
    assert len(set(EVENT_OF_ACTION.values())) == len(EVENT_OF_ACTION)
    assert action_of("certificate.issued") == "certificate.issued"
    assert EVENT_OF_ACTION["auth.oidc_login_succeeded"] is Event.OIDC_LOGIN_SUCCEEDED
