"""Runs the commands of the page that goes to single sign-on and back, with a person who signs in on the way."""

import pytest

from tests.documentation.pages import steps
from tests.documentation.shell import shell
from tests.interop import people
from tests.interop.wire import line
from tests.live import ADMIN_PASSWORD, PERSON_PASSWORD, SEALWRIGHT, live_server
from tests.reference_script import ROOT

pytestmark = pytest.mark.interop
PAGE = ROOT / "docs" / "howto" / "back-out-of-single-sign-on.md"


def providers(server):
    """The buttons of the sign-in page."""
    with line(server.people, server.root) as opened:
        return opened.send("GET", "/api/v1/auth/info").json()["oidc_providers"]


def test_single_sign_on_comes_and_goes_and_keys_and_sessions_stay(tmp_path):
    with live_server(tmp_path / "server", set_up=False) as server:
        admin = server.file("admin-password", ADMIN_PASSWORD)
        server.sealwright("recover-account", "admin", "--dir", server.home, "--password-file", admin)
        server.sealwright("login", "-D", "admin", "--password-file", admin)
        server.sealwright("group", "create", "engineers")
        server.sealwright("person", "create", "alice", "Alice")
        server.sealwright("group", "add-members", "engineers", "alice")
        password = server.file("person-password", PERSON_PASSWORD)
        server.sealwright("person", "set-password", "alice", "--password-file", password)
        by_password = people.sign_in(server)
        environment = {**server.environment(), "PATH": f"{SEALWRIGHT.parent}:/usr/bin:/bin"}
        buttons = []
        with shell(tmp_path, environment, print) as session:
            for step in steps(PAGE):
                session.run(step.commands)
                buttons.append(len(providers(server)))
                assert by_password.open(f"{server.people}/ui/account").url.endswith("/ui/account")
        assert buttons == [0, 1, 1, 0, 0, 0]
