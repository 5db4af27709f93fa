"""From nothing to the first certificate as the README says: three commands, and one step of trust in a real Chromium."""

from __future__ import annotations

import re
import subprocess

import pytest
from cryptography import x509
from playwright.sync_api import sync_playwright

from tests.interop.stock import CHROMIUM_FLAGS
from tests.live import PATIENCE, PERSON_PASSWORD, SEALWRIGHT, LiveServer


@pytest.mark.browser
def test_first_certificate_takes_three_commands_and_one_step_of_trust(tmp_path):
    server = LiveServer.at(tmp_path)
    server.init(provisioner=False)
    server.start()
    try:
        welcome = re.search(r"https://\S+/welcome/\S+", server.log.read_text())
        assert welcome is not None
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_FLAGS)
            page = browser.new_context(ignore_https_errors=True).new_page()  # the step of trust: going on past the warning
            page.set_default_timeout(1000 * PATIENCE)
            page.goto(welcome[0])
            for label, typed in (("username", "alice"), ("display-name", "Alice Example"), ("mail", "alice@example.org")):
                page.fill(f"[name={label}]", typed)
            for label in ("password", "password-again"):
                page.fill(f"[name={label}]", PERSON_PASSWORD)
            page.click("#create")
            page.wait_for_url("**/ui/**")
            command = [str(SEALWRIGHT), "certificate", "issue", "--no-browser"]
            with subprocess.Popen(
                command,
                env={**server.environment(), "SEALWRIGHT_HOME": str(server.home)},
                cwd=tmp_path,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            ) as issue:
                assert issue.stderr is not None
                issue.stderr.readline()
                page.goto(issue.stderr.readline().strip())
                page.click("#allow")
                page.wait_for_url("http://127.0.0.1:*/**")
                assert "alice@example.org until " in page.inner_text("h1")
                printed, _ = issue.communicate(timeout=PATIENCE)
            assert (issue.returncode, "alice@example.org   until" in printed) == (0, True)
            browser.close()
        certificate = x509.load_pem_x509_certificates((tmp_path / "alice.crt").read_bytes())[0]
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert "alice@example.org" in names.get_values_for_type(x509.RFC822Name)
    finally:
        server.stop()
