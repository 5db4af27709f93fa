"""What a problem document says about the next step."""

from sealwright.api.remedies import hint_of
from sealwright.errors import Action, NotFound, Remedy


def test_every_action_has_words_that_name_a_request_or_the_shell_of_the_server():
    for action in Action:
        hint = hint_of(NotFound("x", remedy=Remedy(action, "alice")))
        assert "/api/v1/" in hint or "even_if_used=true" in hint or "shell of the server" in hint, action
        assert "{" not in hint
        assert "sealwright " not in hint, f"{action} names a command of the terminal"
