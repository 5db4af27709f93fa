"""Runs the commands of the page about assistants as they are written."""

import pytest

from tests.documentation.pages import missing_line, steps
from tests.documentation.shell import shell
from tests.live import SEALWRIGHT, live_server
from tests.reference_script import ROOT

pytestmark = pytest.mark.interop
PAGE = ROOT / "docs" / "howto" / "assistants.md"


def test_assistants(tmp_path):
    with live_server(tmp_path / "server", set_up=False) as server:
        server.sealwright(
            "recover-account", "admin", "--dir", server.home, "--password-file", "-", stdin="velvet-orbit-canyon-97\n"
        )
        environment = {**server.environment(), "PATH": f"{SEALWRIGHT.parent}:/usr/bin:/bin"}
        server.sealwright("login", "-D", "admin", "--password-file", "-", stdin="velvet-orbit-canyon-97\n")
        with shell(tmp_path, environment, print) as session:
            for step in steps(PAGE):
                printed = session.run(step.commands)
                missing = missing_line(step.expected, printed)
                assert missing is None, f"line {step.line}: nothing like {missing!r} was printed, but:\n{printed}"
