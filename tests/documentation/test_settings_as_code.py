"""Runs the commands of the page about manifests as they are written, on a server that is empty."""

import pytest

from sealwright.manifest import faults_of, read_yaml
from tests.documentation.pages import blocks, missing_line, steps
from tests.documentation.shell import shell
from tests.live import SEALWRIGHT, live_server
from tests.reference_script import ROOT

pytestmark = pytest.mark.interop
PAGE = ROOT / "docs" / "howto" / "settings-as-code.md"


def test_settings_as_code(tmp_path):
    with live_server(tmp_path / "server", set_up=False) as server:
        server.sealwright(
            "recover-account", "admin", "--dir", server.home, "--password-file", "-", stdin="velvet-orbit-canyon-97\n"
        )
        environment = {**server.environment(), "PATH": f"{SEALWRIGHT.parent}:/usr/bin:/bin"}
        server.sealwright("login", "-D", "admin", "--password-file", "-", stdin="velvet-orbit-canyon-97\n")
        with shell(tmp_path, environment, print) as session:
            manifest, *parts = (each.text for each in blocks(PAGE) if each.language == "yaml")
            assert parts
            for part in parts:
                assert faults_of(read_yaml(f"version: 1\n{part}").value, with_secrets=False) == []
            (tmp_path / "work" / "example.yaml").write_text(manifest, encoding="utf-8")
            for step in steps(PAGE):
                printed = session.run(step.commands)
                missing = missing_line(step.expected, printed)
                assert missing is None, f"line {step.line}: nothing like {missing!r} was printed, but:\n{printed}"
