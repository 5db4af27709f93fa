"""What to do next is worded by each channel: no domain names a command, which a page and a program could not follow."""

import re

from tests.architecture.test_budgets import FILES, SOURCE, name_of
from tests.architecture.test_words import texts_in

DOMAINS = ("access", "audit", "ca", "client_metadata", "identity", "mail")
ONE_CHANNEL = {
    "ca/hold.py": "what waits is told on the wire of step and at the terminal, where the same command is given again",
    "ca/step_api/http.py": "told to step, which has no other way to manage provisioners",
    "client_metadata/profiles.py": "what the library of an application needs; read at the terminal and in the reference",
}
"""Modules whose texts reach one channel only, and which."""
COMMAND = re.compile(r"(?<!`)\bsealwright [a-z]")


def test_domains_name_the_remedy_and_not_the_command():
    """Of the authorization server, errors of its own wire are for developers, who ask their administrator for a command."""
    found = [
        f"{name_of(path)}:{line}: {text[:80]!r}"
        for path in FILES
        if (place := str(path.relative_to(SOURCE))).split("/")[0] in DOMAINS and place not in ONE_CHANNEL
        for line, text in texts_in(path)
        if COMMAND.search(text)
    ]
    assert found == []


def test_modules_that_may_name_a_command_do():
    silent = [place for place in ONE_CHANNEL if not COMMAND.search((SOURCE / place).read_text())]
    assert silent == []
