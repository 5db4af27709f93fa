"""What the terminal says about the next step."""

import pytest

from sealwright.cli.remedies import command_for, hint_of, remedy_in
from sealwright.errors import Action, NotFound, Remedy


@pytest.mark.parametrize("action", Action)
def test_every_action_is_worded_as_a_command(action):
    assert "sealwright " in command_for(Remedy(action, "alice"))


def test_unknown_name_is_shown_as_a_placeholder():
    assert command_for(Remedy(Action.SIGN_IN)) == "Sign in with: sealwright login -D NAME"


def test_failure_without_a_remedy_keeps_its_hint():
    assert hint_of(NotFound("x", hint="Look again.")) == "Look again."


def test_remedy_of_a_problem_document_is_read():
    assert remedy_in({"remedy": {"action": "show_client", "name": "demo"}}) == Remedy(Action.SHOW_CLIENT, "demo")


@pytest.mark.parametrize("told", [None, {}, "show_client", {"action": "fly"}, {"action": 7}, {"action": ["show_client"]}])
def test_remedy_that_this_program_does_not_know_is_left_out(told):
    assert remedy_in({"remedy": told}) is None
