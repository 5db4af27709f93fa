"""What a page says about the next step."""

import pytest

from sealwright.errors import Action, NotFound, Remedy
from sealwright.web.remedies import hint_of


@pytest.mark.parametrize("action", Action)
def test_every_action_has_advice_and_only_the_recovery_of_an_account_names_a_command(action):
    advice = hint_of(NotFound("x", remedy=Remedy(action, "alice")))
    assert advice.endswith("." if action is not Action.RECOVER_ACCOUNT else ": sealwright recover-account alice")


def test_hint_of_a_failure_stands_before_the_advice():
    failure = NotFound("x", hint="Look again.", remedy=Remedy(Action.SIGN_IN))
    assert hint_of(failure) == "Look again. Sign in again."
