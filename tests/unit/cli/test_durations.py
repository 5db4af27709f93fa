"""Durations at the terminal: every option reads the same ones, and refuses what it cannot read in the same words."""

import shlex

import pytest

OAUTH2 = "system oauth2"
OPTIONS = {
    f"{OAUTH2} reset-basic-secret wiki": "--overlap",
    f"{OAUTH2} registration-token create": "--expires",
    f"{OAUTH2} trusted-issuer add-rule github --client wiki --when sub=x": "--lifetime",
    "approval set-rule profile:step_leaf --group approvers": "--expires",
    "approval wait 019ab3c0": "--timeout",
    "audit list": "--since",
    "key create backup person:read": "--expires",
    "key rotate 5b0c8f0e": "--overlap",
    "person invite alice": "--lifetime",
    "person reset alice": "--lifetime",
    "profile create web --name-type dns": "--max-dur",
    "role grant r-viewer --person alice": "--expires",
}


@pytest.fixture
def admin(shell):
    shell.sign_in("root", "system_admins")
    return shell


def test_text_that_is_no_duration_is_refused_by_every_option_before_the_server_is_asked(admin):
    refused = {command: admin.run(*shlex.split(command), option, "soon") for command, option in OPTIONS.items()}
    assert {command: result.code for command, result in refused.items() if result.code != 2} == {}
    assert [each for each, result in refused.items() if f"{OPTIONS[each]} 'soon' is not a" not in result.err] == []


def test_days_are_read_by_every_option(admin):
    read = {command: admin.run(*shlex.split(command), option, "2d").code for command, option in OPTIONS.items()}
    assert [command for command, code in read.items() if code == 2] == []


def test_old_secret_works_on_for_the_days_that_were_typed(admin):
    admin.ok(*shlex.split(OAUTH2), "create", "wiki", "Wiki", "https://wiki.example.org")
    week = admin.ok(*shlex.split(OAUTH2), "reset-basic-secret", "wiki", "--overlap", "7d", "-o", "json").json["old_until"]
    hours = admin.ok(*shlex.split(OAUTH2), "reset-basic-secret", "wiki", "--overlap", "168h", "-o", "json").json["old_until"]
    assert week == hours


def test_lifetimes_of_a_provisioner_are_typed_in_days(admin):
    (admin.place / "password.txt").write_text("correct horse battery staple")
    options = ("--type", "jwk", "--password-file", str(admin.place / "password.txt"), "--x509-max-dur", "30d")
    admin.ok("provisioner", "add", "sites", *options)
    assert admin.ok("provisioner", "get", "sites", "-o", "json").json["claims"]["maxTLSCertDuration"] == "720h"
