"""The commands as a script or a person at a terminal runs them: those of the tutorial, their exit codes, and all as JSON."""

import json
import os
import pty
import re
import shlex
import signal
import sqlite3
import subprocess
import threading
import time
from contextlib import closing

import click
import pytest

from sealwright.cli.program import tree
from tests.authorities import csr
from tests.interop import people
from tests.interop.wire import line
from tests.live import ADMIN_PASSWORD, PATIENCE, PERSON_PASSWORD, SEALWRIGHT, LiveServer, live_server
from tests.unit.oauth.clients.test_image_formats import png

TUTORIAL = """
set -e
# Set these according to your environment
export SEALWRIGHT_FQDN=localhost
export STEP_CA_URL=https://ca.example.org

# Login with permissions we need
sealwright login -D idm_admin

# Create group
sealwright group create step-ca_users
# Add our user
sealwright group add-members step-ca_users "$(whoami)@${SEALWRIGHT_FQDN}"

# Public clients can't have a client secret...
sealwright system oauth2 create-public step-ca Step-CA "${STEP_CA_URL}"
sealwright system oauth2 enable-localhost-redirects step-ca

sealwright system oauth2 set-landing-url step-ca "${STEP_CA_URL}"
sealwright system oauth2 add-redirect-url step-ca http://localhost:10000

# Set the client to map the scopes we need the claims of
sealwright system oauth2 update-scope-map step-ca step-ca_users openid email

# Review and verify our configuration
sealwright system oauth2 get step-ca
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server with passwords for its two built-in accounts and the person alice, and nothing else."""
    with live_server(tmp_path_factory.mktemp("commands"), set_up=False) as running:
        admin = running.file("admin-password", ADMIN_PASSWORD)
        for name in ("admin", "idm_admin"):
            running.sealwright("recover-account", name, "--dir", running.home, "--password-file", admin)
        running.sealwright("login", "-D", "admin", "--password-file", admin)
        running.sealwright("login", "-D", "idm_admin", "--password-file", admin)
        running.sealwright("person", "create", "alice", "Alice Example", "--mail", "alice@example.org")
        running.sealwright("person", "set-password", "alice", "--password-file", running.file("person-password", PERSON_PASSWORD))
        yield running


@pytest.fixture
def stranger(server, tmp_path):
    """Another user of the same machine, who has never signed in."""
    other = LiveServer.at(tmp_path)
    other.more_environment = {"SEALWRIGHT_HOME": "", "SEALWRIGHT_URL": server.people, "SEALWRIGHT_CA": str(server.root)}
    return other


def at_a_terminal(server, command, *, typed):
    """Run a command on a terminal and type a line at each question; what stood on the terminal, and the exit status."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(server.place)
        os.execvpe(command[0], command, server.environment() | {"TERM": "xterm"})
    stopper = threading.Timer(2 * PATIENCE, os.kill, (child, signal.SIGKILL))
    stopper.start()
    shown, answers = b"", list(typed)
    try:
        while True:
            try:
                piece = os.read(terminal, 4096)
            except OSError:  # the command has ended
                break
            if not piece:
                break
            shown += piece
            if answers and re.search(rb"((Password of|New password of|Once more)[^\n]*: |\[y/N\] )$", shown):
                os.write(terminal, answers.pop(0).encode() + b"\n")
        return shown.decode(), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        stopper.cancel()
        os.close(terminal)


def test_commands_of_the_tutorial_run_as_written(server):
    tools = server.place / "tools"
    tools.mkdir()
    for name, text in {"whoami": "echo alice", "sealwright": f'exec {SEALWRIGHT} "$@"'}.items():
        (tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools / name).chmod(0o755)
    script = server.file("tutorial.sh", TUTORIAL)
    environment = {"PATH": f"{tools}:{os.environ['PATH']}"}
    server.more_environment = environment
    try:
        shown, status = at_a_terminal(server, ["bash", str(script)], typed=[ADMIN_PASSWORD])
    finally:
        server.more_environment = {}
    assert status == 0, shown
    assert ADMIN_PASSWORD not in shown  # it was typed without being shown
    assert re.search(r"scopes:\s+step-ca_users: openid email", shown), shown
    client = server.sealwright_json("system", "oauth2", "get", "step-ca")
    assert client["landing_url"] == "https://ca.example.org"
    assert "http://localhost:10000" in client["redirect_uris"]
    assert server.sealwright_json("group", "get", "step-ca_users")["members"] == ["alice@localhost"]


def test_provisioner_of_the_tutorial_is_taken_as_it_is(server):
    given = {
        "admins": ["ariel@example.org"],
        "claims": {"defaultTLSCertDuration": "2h", "disableRenewal": True, "maxTLSCertDuration": "8h"},
        "clientID": "as-written",
        "clientSecret": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "configurationEndpoint": "https://id.example.org/oauth2/openid/as-written/.well-known/openid-configuration",
        "domains": ["id.example.org"],
        "listenAddress": "localhost:10000",
        "name": "as-written",
        "scopes": ["openid", "email"],
        "type": "OIDC",
    }
    file = server.file("as-written.json", json.dumps(given))
    server.sealwright("provisioner", "add", "--from-file", file, "-D", "admin")
    with line(server.machines, server.root) as opened:
        listed = opened.send("GET", "/provisioners").json()["provisioners"]
    assert next(each for each in listed if each["name"] == "as-written") == given
    google = ("--client-id", "650445034027.apps.googleusercontent.com", "--client-secret", "6Q7lGMua_Oox4nA92QBXYypT")
    endpoint = ("--configuration-endpoint", "https://accounts.google.com/.well-known/openid-configuration")
    domains = ("--domain", "smallstep.com", "--domain", "gmail.com")
    server.sealwright("provisioner", "add", "Google", "--type", "oidc", *google, *endpoint, *domains, "-D", "admin")
    added = server.sealwright_json("provisioner", "get", "Google", "-D", "admin")
    assert (added["domains"], added["type"]) == (["smallstep.com", "gmail.com"], "OIDC")
    assert "clientSecret" not in added


def test_password_can_come_from_standard_input(server):
    server.sealwright("login", "-D", "idm_admin", "--password-file", "-", stdin=f"{ADMIN_PASSWORD}\n")
    assert server.sealwright_json("whoami", "-D", "idm_admin")["account"]["spn"] == "idm_admin@localhost"


def test_new_password_is_asked_for_twice_at_a_terminal(server):
    server.sealwright("person", "create", "erin", "Erin Example", "-D", "idm_admin")
    command = [str(SEALWRIGHT), "person", "set-password", "erin", "-D", "idm_admin"]
    shown, status = at_a_terminal(server, command, typed=["n"])
    assert (status, "Nothing was changed." in shown) == (1, True), shown
    shown, status = at_a_terminal(server, command, typed=["y", PERSON_PASSWORD, "another-one"])
    assert status == 2, shown
    assert "the two passwords differ" in shown
    shown, status = at_a_terminal(server, [*command, "--yes"], typed=[PERSON_PASSWORD, PERSON_PASSWORD])
    assert status == 0, shown
    assert "\x1b[32m✔\x1b[0m" in shown
    assert people.sign_in(server, "erin")


# --- exit codes ---


@pytest.mark.parametrize(
    ("command", "exit_code", "words"),
    [
        ("person get nobody", 4, "nobody"),
        ("group get no-such-group", 4, "no-such-group"),
        ("group add-members idm_admins no-such-person", 4, "no-such-person"),
        ("system oauth2 get no-such-client", 4, "no-such-client"),
        ("system oauth2 update-scope-map no-such-client idm_admins openid", 4, "no-such-client"),
        ("provisioner get no-such-provisioner -D admin", 4, "no-such-provisioner"),
        ("certificate show 1234567890 -D admin", 4, f"{1234567890:040x}"),
        ("certificate inspect no-such-file.crt", 4, "no-such-file.crt"),
        ("session end 00000000-0000-0000-0000-000000000000", 4, "00000000-0000-0000-0000-000000000000"),
        ("person create alice Again", 5, "alice"),
        ("person create admin Again", 5, "admin"),
        ("group create alice", 5, "alice"),
        ("group create idm_admins", 5, "idm_admins"),
        ("provisioner add first --type jwk --password-file person-password -D admin", 5, "first"),
        ("person create Alice! Wrong", 1, "Alice!"),
        ("person update alice --mail not-an-address", 1, "not-an-address"),
        ("system oauth2 create-public bad Bad not-an-address", 1, "not-an-address"),
        ("certificate revoke 0000000000000000000000000000000000000001 -D admin", 4, "1"),
        ("certificate show xyz -D admin", 1, "xyz"),
        ("provisioner add x --type jwk --password-file person-password -D idm_admin", 1, "does not have the permission"),
        ("audit list -D idm_admin", 1, "does not have the permission"),
        ("person", 2, "Usage"),
        ("person create", 2, "missing argument"),
        ("person update alice", 2, "nothing is to be changed"),
        ("person create x y --no-such-option", 2, "no such option"),
        ("no-such-command", 2, "no such command"),
        ("whoami --output yaml", 2, "yaml"),
        ("whoami -D nobody-who-signed-in", 3, "nobody-who-signed-in is not signed in"),
        ("whoami --url https://localhost:1", 3, "localhost:1"),
        ("login -D admin --password-file admin-password --url https://localhost:1", 6, "https://localhost:1"),
        ("login -D admin --password-file admin-password --url ftp://localhost", 2, "ftp://localhost"),
    ],
)
def test_exit_code_tells_the_kind_of_failure(server, command, exit_code, words):
    arguments = command.split()
    if "-D" not in arguments and arguments[0] in ("person", "group", "system", "session"):
        arguments += ["-D", "idm_admin"] if len(arguments) > 1 else []
    done = server.attempt(*arguments)
    assert done.returncode == exit_code, done.stdout + done.stderr
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    as_json = server.attempt(*arguments, "--output", "json")
    if words not in ("Usage", "yaml"):
        assert as_json.returncode == exit_code
        assert words in json.loads(as_json.stderr)["error"]["detail"] + str(json.loads(as_json.stderr)["error"]["hint"])


def test_client_that_exists_is_a_conflict(server):
    create = ("system", "oauth2", "create-public", "twice", "Twice", "https://twice.example.org", "-D", "idm_admin")
    server.sealwright(*create)
    assert "twice" in server.sealwright(*create, expect=5)


def test_someone_who_is_not_signed_in_is_told_how_to(server, stranger):
    done = stranger.attempt("whoami")
    assert done.returncode == 3
    assert "sealwright login -D NAME" in done.stderr


def test_session_that_has_ended_is_not_signed_in(server, stranger):
    password = stranger.file("password", PERSON_PASSWORD)
    stranger.sealwright("login", "-D", "alice", "--password-file", password)
    assert stranger.sealwright_json("whoami")["account"]["spn"] == "alice@localhost"
    with closing(sqlite3.connect(server.home / "sealwright.db", timeout=PATIENCE)) as opened, opened as database:
        database.execute("UPDATE sessions SET expires_at = ? WHERE kind = 'terminal' AND account_id = "
                         "(SELECT id FROM accounts WHERE name = 'alice')", (int(time.time() * 1000) - 1,))  # fmt: skip
    done = stranger.attempt("whoami")
    assert done.returncode == 3
    assert "sealwright login" in done.stderr


def test_wrong_password_is_told_like_an_unknown_name(server, stranger):
    wrong = stranger.file("wrong", "not-the-password-of-anybody-1")
    told = [stranger.attempt("login", "-D", name, "--password-file", wrong) for name in ("alice", "no-such-person")]
    assert told[0].returncode == told[1].returncode != 0
    assert told[0].stderr.replace("alice", "X") == told[1].stderr.replace("no-such-person", "X")


def test_server_whose_root_is_not_known_is_not_trusted(server, stranger):
    stranger.more_environment = {"SEALWRIGHT_HOME": "", "SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt"}
    done = stranger.attempt("login", "-D", "alice", "--password-file", "-", "--url", server.people, stdin="x\n")
    assert done.returncode == 6
    assert "is not trusted" in done.stderr
    assert "--ca FILE" in done.stderr


def test_server_is_found_by_option_environment_last_sign_in_and_home(server, tmp_path):
    for number, (arguments, environment) in enumerate(
        [
            (["--url", server.people, "--ca", str(server.root)], {"SEALWRIGHT_HOME": ""}),
            ([], {"SEALWRIGHT_HOME": "", "SEALWRIGHT_URL": server.people, "SEALWRIGHT_CA": str(server.root)}),
            ([], {"SEALWRIGHT_HOME": str(server.home)}),
        ]
    ):
        other = LiveServer.at(tmp_path / str(number))
        other.more_environment = environment
        password = other.file("password", PERSON_PASSWORD)
        other.sealwright("login", "-D", "alice", "--password-file", password, *arguments)
        other.more_environment = {"SEALWRIGHT_HOME": ""}  # from now on the last sign-in says where
        assert other.sealwright_json("whoami")["account"]["name"] == "alice"


# --- every command as JSON ---

JOURNEY = """
version
whoami
root
session list
session list --all
session end-all --others
key create backup person:read group:read --expires 30d
key list
key show {key_id}
key rotate {key_id} --overlap 1h
key narrow {key_id} person:read
key revoke {key_id}
role permissions
role list
role create r-desk session:read person:read --description Desk
role get r-desk
role update r-desk person:read
role grant r-desk --group auditors --expires 8h
role grants --role r-desk
approval set-rule profile:server --group auditors
approval rules
approval remove-rule profile:server
approval list --mine
approval show {approval}
approval withdraw {approval}
role withdraw {grant}
role delete r-desk
person create heidi Heidi --mail heidi@example.org
person get heidi
person list
person update heidi --display-name Heidi_Example
person update heidi --newname hedwig
person update hedwig --newname heidi
person validity begin-from heidi 2026-01-01
person validity expire-at heidi never
person validity show heidi
person search heid
person profile heidi
person verify-mail heidi heidi@example.org --not
person verify-mail heidi heidi@example.org
person ssh add-publickey heidi laptop 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4'
person ssh list-publickeys heidi
person ssh delete-publickey heidi laptop
person invite heidi
person import journey.csv --dry-run
person import journey.csv
person set-password heidi --password-file person-password
person reset heidi
person credential create-reset-token heidi
person credential status heidi
person credential remove-second-factors heidi --yes
person disable heidi
person enable heidi
service-account create robot Robot grace
service-account get robot
service-account list
service-account update robot --displayname Builder
service-account validity show robot
service-account validity expire-at robot never
service-account validity begin-from robot clear
service-account api-token generate robot nightly 2099-01-01 --readwrite
service-account api-token status robot
service-account api-token destroy robot {token}
service-account disable robot
service-account enable robot
service-account delete robot
group create team --description Team
group get team
group list
group add-members team heidi
group list-members team
group set-members team heidi grace
group purge-members team
group search tea
group set-description team The_team
group set-entry-manager team heidi
group account-policy enable team
group account-policy auth-expiry team 3600
group account-policy reset-auth-expiry team
group account-policy privilege-expiry team 300
group account-policy reset-privilege-expiry team
group account-policy credential-type-minimum team any
group account-policy password-minimum-length team 12
group account-policy reset-password-minimum-length team
group account-policy allow-self-mail-write team
group account-policy forbid-self-mail-write team
group account-policy reset-self-mail-write team
group account-policy show team
group account-policy disable team
group rename team squad
group rename squad team
group remove-members team heidi
system oauth2 create wiki Wiki https://wiki.example.org
system oauth2 create-public native Native https://native.example.org
system oauth2 get wiki
system oauth2 list
system oauth2 set-displayname wiki The_wiki
system oauth2 set-landing-url wiki https://wiki.example.org/start
system oauth2 set-initiate-login-url wiki https://wiki.example.org/login
system oauth2 add-redirect-url wiki https://wiki.example.org/back
system oauth2 remove-redirect-url wiki https://wiki.example.org/back
system oauth2 add-post-logout-redirect-url wiki https://wiki.example.org/bye
system oauth2 remove-post-logout-redirect-url wiki https://wiki.example.org/bye
system oauth2 set-backchannel-logout-url wiki https://wiki.example.org/logout
system oauth2 add-redirect-url wiki https://wiki.example.org/back
system oauth2 set-frontchannel-logout-url wiki https://wiki.example.org/frame
system oauth2 enable-frontchannel-logout-session wiki
system oauth2 disable-frontchannel-logout-session wiki
system oauth2 update-scope-map wiki team openid
system oauth2 delete-scope-map wiki team
system oauth2 set-implicit-scopes wiki openid
system oauth2 update-sup-scope-map wiki team extra
system oauth2 delete-sup-scope-map wiki team
system oauth2 update-claim-map wiki level team gold
system oauth2 update-claim-map-join wiki level csv
system oauth2 delete-claim-map wiki level team
system oauth2 set-profile wiki classic
system oauth2 enable-names-without-profile wiki
system oauth2 disable-names-without-profile wiki
system oauth2 enable-lean-id-token wiki
system oauth2 disable-lean-id-token wiki
system oauth2 enable-pushed-requests-only wiki
system oauth2 disable-pushed-requests-only wiki
system oauth2 enable-signed-requests-only wiki
system oauth2 disable-signed-requests-only wiki
system oauth2 enable-dpop-bound-tokens wiki
system oauth2 disable-dpop-bound-tokens wiki
system oauth2 enable-dpop-nonce wiki
system oauth2 disable-dpop-nonce wiki
system oauth2 enable-device-flow wiki
system oauth2 disable-device-flow wiki
system oauth2 add-resource wiki https://api.example.org/
system oauth2 enable-own-groups-only wiki
system oauth2 add-own-group wiki step-ca_users
system oauth2 remove-own-group wiki step-ca_users
system oauth2 disable-own-groups-only wiki
system oauth2 enable-token-exchange wiki
system oauth2 disable-token-exchange wiki
system oauth2 add-own-resource wiki https://wiki.example.org/
system oauth2 remove-own-resource wiki https://wiki.example.org/
system oauth2 set-may-act wiki 0b9c8a52-3a55-4a36-9d35-6f0a2f0d1c11
system oauth2 set-may-act wiki
system oauth2 remove-resource wiki https://api.example.org/
system oauth2 add-details-type wiki payment_initiation
system oauth2 remove-details-type wiki payment_initiation
system oauth2 set-access-token-format wiki opaque
system oauth2 set-access-token-format wiki jwt
system oauth2 enable-strict-redirect-url wiki
system oauth2 disable-strict-redirect-url wiki
system oauth2 set-image wiki image.png
system oauth2 remove-image wiki
system oauth2 set-offline-access-expiry wiki 86400
system oauth2 enable-localhost-redirects native
system oauth2 disable-localhost-redirects native
system oauth2 enable-pkce wiki
system oauth2 warning-insecure-client-disable-pkce wiki
system oauth2 warning-enable-legacy-crypto wiki
system oauth2 disable-legacy-crypto wiki
system oauth2 enable-consent-prompt wiki
system oauth2 disable-consent-prompt wiki
system oauth2 warning-insecure-client-allow-http-redirects wiki
system oauth2 disable-http-redirects wiki
system oauth2 enable-partial-scopes wiki
system oauth2 disable-partial-scopes wiki
system oauth2 set-refresh-token-grace wiki 20
system oauth2 prefer-short-username wiki
system oauth2 prefer-spn-username wiki
system oauth2 set-refresh-token-expiry wiki 3600
system oauth2 set-authentication wiki private_key_jwt --jwks-uri https://wiki.example.org/jwks
system oauth2 set-authentication wiki client_secret_basic
system oauth2 enable-certificate-bound-tokens wiki
system oauth2 disable-certificate-bound-tokens wiki
system oauth2 show-basic-secret wiki
system oauth2 reset-basic-secret wiki
system oauth2 reset-secrets wiki
system oauth2 rotate-cryptographic-keys wiki now
system oauth2 get wiki
system oauth2 revoke-cryptographic-key wiki {key}
system oauth2 issuer create shared
system oauth2 issuer list
system oauth2 set-issuer wiki shared
system oauth2 issuer rotate-keys shared
system oauth2 issuer get shared
system oauth2 issuer revoke-key shared {key}
system oauth2 set-issuer wiki
system oauth2 issuer delete shared
system oauth2 enable-assertion-grant wiki
system oauth2 trusted-issuer create github https://token.actions.githubusercontent.com
system oauth2 trusted-issuer list
system oauth2 trusted-issuer add-rule github --client wiki --when repository=example/shop
system oauth2 trusted-issuer update github --audience https://id.example.org --reusable
system oauth2 trusted-issuer update-rule github {rule} --when repository=example/other --lifetime 5m
system oauth2 trusted-issuer get github
system oauth2 trusted-issuer delete-rule github {rule}
system oauth2 trusted-issuer delete github --yes
system oauth2 disable-assertion-grant wiki
system oauth2 registration-token create
system oauth2 registration-token list
system oauth2 registration-token delete {registration}
oidc-provider test Own {people}/oauth2/openid/wiki wiki --client-secret-file person-password
oidc-provider create Own {people}/oauth2/openid/wiki wiki --client-secret-file person-password
oidc-provider register-own
oidc-provider list
oidc-provider get {provider}
oidc-provider refresh {provider}
oidc-provider key-status {provider}
oidc-provider map-group {provider} engineers r-viewer
oidc-provider mappings {provider}
oidc-provider unmap-group {mapping}
oidc-provider update {provider} --display-name Ours
oidc-provider delete {provider}
system oauth2 set-name wiki encyclopaedia
system oauth2 delete encyclopaedia
system oauth2 delete native
profile create web --name-type dns --use server_auth --use client_auth --default-dur 12h --max-dur 30d
profile update web --description Websites
profile list
profile get web
provisioner add extra --type jwk --password-file person-password --profile web
provisioner get extra
provisioner list
apply --file journey.yaml --dry-run
apply --file journey.yaml
export --kind groups
certificate issue web.example.org --provisioner extra --provisioner-password-file person-password
certificate inspect web.example.org.crt
certificate preview journey.csr --provisioner extra
certificate renew web.example.org.crt
certificate list
certificate show {serial}
certificate revoke {serial}
provisioner remove extra
profile delete web
audit list --limit 3
audit sink create hook https://hook.invalid/events
audit sink list
audit sink delete hook
recover-account heidi --dir {home}
break-glass set-password --dir {home}
break-glass remove-password --dir {home}
backup create journey.backup --dir {home}
backup check journey.backup
issuer rotate --dir {home}
doctor --dir {home}
person delete heidi
recycle-bin list
recycle-bin get heidi
recycle-bin revive heidi
recycle-bin revive encyclopaedia --kind clients
system oauth2 delete encyclopaedia
person delete heidi
group delete team
session end {session}
"""
TAKEN_OVER = {
    "system oauth2 trusted-issuer add-rule": ("rule", "id"),
    "system oauth2 registration-token create": ("registration", "id"),
    "certificate inspect": ("serial", "serial"),
    "role grant ": ("grant", "id"),
    "approval remove-rule": ("approval", "approval"),
    "key create ": ("key_id", "id"),
    "key rotate ": ("key_id", "id"),
    "oidc-provider create ": ("provider", "id"),
    "oidc-provider map-group ": ("mapping", "id"),
    "service-account api-token generate": ("token", "id"),
}
"""Commands whose answer later commands need → the name in them, and the member of the answer."""
OTHERWISE_TESTED = {
    *("init", "serve", "login", "logout", "reauth", "issuer export-root-key"),
    *(
        "machine enrol",
        "machine token",
        "machine renew",
        "machine revoke",
    ),  # in test_machine_clients.py: each is a step of a loop
    "oidc-provider explain",  # in test_keycloak.py, where someone signs in
    "system oauth2 trusted-issuer explain",  # on the page about tokens for jobs, which has one
    *(
        "backup restore",
        "help",
        "completion",
        "recover-approval",
        "audit verify",
        "audit follow",
        "audit export",
        "audit keys",
        "mcp",
    ),
    "oidc-provider sign-ins",  # in test_keycloak.py: there is none without a sign-in
    *("approval approve", "approval reject", "approval wait"),
}


def leaves(command, context, path=()):
    if not isinstance(command, click.Group):
        yield " ".join(path)
        return
    for name in command.list_commands(context):
        yield from leaves(command.get_command(context, name), context, (*path, name))


def test_every_command_is_in_the_journey():
    whole = set(leaves(tree(), click.Context(tree())))
    assert {each for each in whole if not any(text.startswith(each) for text in JOURNEY.splitlines())} == OTHERWISE_TESTED


def test_every_command_answers_in_json(server):
    """As an administrator of everything: what is printed is one JSON object, or one on each line; nothing else."""
    server.sealwright("person", "create", "grace", "Grace", "-D", "admin")
    server.sealwright("person", "set-password", "grace", "--password-file", "person-password", "-D", "admin")
    server.sealwright("group", "add-members", "system_admins", "grace", "-D", "admin")
    traveller = LiveServer(server.place, server.people_port, server.machines_port, server.status_port)
    traveller.more_environment = {"HOME": str(server.place / "traveller")}
    sign_in = ("login", "-D", "grace", "--password-file", "person-password")
    assert traveller.sealwright_json(*sign_in)["account"]["name"] == "grace"
    session = traveller.sealwright_json("whoami")["session"]["id"]
    found = {"session": session, "home": server.home, "people": server.people}
    (server.place / "image.png").write_bytes(png())
    (server.place / "journey.csr").write_text(csr("web.example.org", ("web.example.org",)))
    (server.place / "journey.csv").write_text("name,display_name,mail\nivan,Ivan,ivan@example.org\n")
    (server.place / "journey.yaml").write_text("version: 1\ngroups:\n  journey:\n    members: [heidi]\n")
    for text in JOURNEY.strip().splitlines():
        arguments = shlex.split(text.format(**found))
        done = traveller.attempt(*arguments, "--output", "json")
        assert done.returncode == 0, f"{text}\n{done.stderr}"
        answers = [json.loads(each) for each in done.stdout.splitlines()]
        assert answers, text
        assert all(isinstance(each, dict) for each in answers), text
        for start, (name, member) in TAKEN_OVER.items():
            if text.startswith(start):
                found[name] = answers[0][member]
        if text in ("system oauth2 get wiki", "system oauth2 issuer get shared"):
            found["key"] = answers[0]["keys"][0]["id"]
    assert traveller.attempt("whoami").returncode == 3
    traveller.sealwright_json(*sign_in)
    assert traveller.sealwright_json("reauth", "--password-file", "person-password")["account"]["name"] == "grace"
    assert traveller.sealwright_json("logout")["name"] == "grace"


def test_output_of_a_command_can_be_cut_off(server):
    done = subprocess.run(
        f"{SEALWRIGHT} audit list -D admin | head -1",
        shell=True, env=server.environment(), cwd=server.place, capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    assert "Broken" not in done.stderr
