"""Runs the commands of the page about imports as they are written."""

import pytest

from tests.documentation.pages import blocks, missing_line, steps
from tests.documentation.shell import shell
from tests.live import SEALWRIGHT, live_server
from tests.reference_script import ROOT

pytestmark = pytest.mark.interop
PAGE = ROOT / "docs" / "howto" / "move-people-here.md"
PASSWORD = "velvet-orbit-canyon-97\n"


def test_people_move_here_with_their_passwords(tmp_path):
    with live_server(tmp_path / "server", set_up=False) as server:
        server.sealwright("recover-account", "admin", "--dir", server.home, "--password-file", "-", stdin=PASSWORD)
        server.sealwright("login", "-D", "admin", "--password-file", "-", stdin=PASSWORD)
        environment = {**server.environment(), "PATH": f"{SEALWRIGHT.parent}:/usr/bin:/bin"}
        with shell(tmp_path, environment, print) as session:
            (people,) = (each.text for each in blocks(PAGE) if each.language == "csv")
            (tmp_path / "work" / "people.csv").write_text(people, encoding="utf-8")
            for step in steps(PAGE):
                printed = session.run(step.commands)
                missing = missing_line(step.expected, printed)
                assert missing is None, f"line {step.line}: nothing like {missing!r} was printed, but:\n{printed}"
        server.sealwright("login", "-D", "carol", "--password-file", "-", stdin="password\n")
        server.sealwright("login", "-D", "carol", "--password-file", "-", stdin="passwort\n", expect=3)
