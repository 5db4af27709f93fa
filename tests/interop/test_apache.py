"""The Apache web server with Debian's mod_auth_openidc, configured as its users do it, protects a page by sign-in here."""

import http.client
import os
import shutil
import subprocess
import tempfile
from contextlib import closing, contextmanager
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from demo.forms import Browser, sign_in_and_allow
from tests.documentation.pages import blocks
from tests.live import PERSON_PASSWORD, end, free_ports, wait_for_port
from tests.reference_script import ROOT

APACHE, MODULES = Path("/usr/sbin/apache2"), Path("/usr/lib/apache2/modules")
OAUTH2 = ("system", "oauth2")
CONFIGURATION = """\
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
ServerRoot {place}
DefaultRuntimeDir {place}
PidFile {place}/apache.pid
ErrorLog {place}/error.log
LogLevel warn auth_openidc:info
User www-data
Group www-data
{modules}

{protection}
{more}

<Location />
    SetHandler server-status
    Header always set X-Remote-User "expr=%{{REMOTE_USER}}"
</Location>
"""
CLASSIC = """\
OIDCRedirectURI /protected/redirect_uri
OIDCCryptoPassphrase 0123456789abcdef0123456789abcdef
OIDCProviderMetadataURL {people}/oauth2/openid/{client}/.well-known/openid-configuration
OIDCScope "openid"
OIDCUserInfoTokenMethod authz_header
OIDCClientID {client}
OIDCClientSecret {secret}
OIDCCookieSameSite On
OIDCCABundlePath {root}
<Location />
    AuthType openid-connect
    Require valid-user
</Location>
"""
NEEDED = ("mpm_event", "authn_core", "authz_core", "authz_user", "headers", "status", "auth_openidc")


@contextmanager
def apache(server, client, *lines, protection=CLASSIC):
    """Apache in front of a page, as the application `client`, which is registered already; yields its address."""
    if not (APACHE.exists() and (MODULES / "mod_auth_openidc.so").exists()):
        missing = "apache2-bin with libapache2-mod-auth-openidc is missing: run scripts/debian-packages test"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    port = free_ports(1)[0]
    address = f"http://127.0.0.1:{port}"
    server.sealwright(*OAUTH2, "add-redirect-url", client, f"{address}/protected/redirect_uri")
    place = Path(tempfile.mkdtemp(prefix="sealwright-apache-"))  # started by root, its processes are another user's
    try:
        place.chmod(0o755)
        configuration = place / "apache.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(
            CONFIGURATION.format(
                port=port,
                place=place,
                modules="\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in NEEDED),
                protection=protection.format(
                    people=server.people,
                    client=client,
                    secret=server.sealwright(*OAUTH2, "show-basic-secret", client).strip(),
                    root=shutil.copy(server.root, place / "root.pem"),
                ),
                more="\n".join(lines),
            )
        )
        (place / "root.pem").chmod(0o644)
        with (place / "output.log").open("wb") as output:
            command = [str(APACHE), "-D", "FOREGROUND", "-f", str(configuration)]
            process = subprocess.Popen(command, cwd=place, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            wait_for_port(port, process, place / "output.log")
            yield address, place / "error.log"
        finally:
            end(process)
    finally:
        shutil.rmtree(place)


def remote_user(server, address, log):
    """Whom Apache takes the person for after sign-in."""
    page = sign_in_and_allow(Browser(server.root), f"{address}/", "alice", PERSON_PASSWORD)
    assert (page.url, page.status) == (f"{address}/", HTTPStatus.OK), f"{page.title}\n{log.read_text()}"
    return page.headers["x-remote-user"]


def registered(server, client, *switches):
    """Register the application `client` with `switches`; returns its name."""
    server.sealwright(*OAUTH2, "create", client, "Protected pages", "https://pages.example.org")
    server.sealwright(*OAUTH2, "update-scope-map", client, "step-ca_users", "openid", "profile")
    for switch in switches:
        server.sealwright(*OAUTH2, switch, client)
    return client


def test_apache_with_pkce_and_es256_takes_the_person_by_id(server):
    client = registered(server, "pages")
    with apache(server, client, "OIDCPKCEMethod S256") as (address, log):
        person = server.sealwright_json("person", "get", "alice")
        assert (
            remote_user(server, address, log) == f"{person['id']}@{server.people.removeprefix('https://')}/oauth2/openid/{client}"
        )


def test_apache_as_configured_years_ago_works_with_both_legacy_switches(server):
    client = registered(server, "oldpages", "warning_insecure_client_disable_pkce", "warning_enable_legacy_crypto")
    with apache(server, client, "OIDCRemoteUserClaim preferred_username", 'OIDCScope "openid profile"') as (address, log):
        assert remote_user(server, address, log) == server.sealwright_json("person", "get", "alice")["spn"]


def test_apache_without_pkce_gets_the_reason_of_the_refusal_in_the_address(server):
    """This version of the module shows a page of its own about `target_link_uri`, as the answer has the member `iss`."""
    client = registered(server, "strictpages")
    with apache(server, client) as (address, _):
        page = Browser(server.root).open(f"{address}/")
        told = parse_qs(urlsplit(page.url).query)
        assert told["error"] == ["invalid_request"]
        assert "code_challenge" in told["error_description"][0]
        assert "x-remote-user" not in page.headers


def test_page_stays_closed_without_sign_in(server):
    client = registered(server, "closedpages")
    with (
        apache(server, client, "OIDCPKCEMethod S256") as (address, _),
        closing(http.client.HTTPConnection(address.removeprefix("http://"), timeout=30)) as connection,
    ):
        connection.request("GET", "/", headers={"Accept": "text/html"})
        answer = connection.getresponse()
        assert answer.status == HTTPStatus.FOUND
        assert answer.headers["location"].startswith(f"{server.people}/oauth2/authorise?")
        answer.read()


def test_apache_as_the_handbook_configures_it_takes_the_person_by_name(server):
    client = registered(server, "wiki")
    (protection,) = [block.text for block in blocks(ROOT / "docs" / "howto" / "applications.md") if block.language == "apache"]
    for shown, given in (
        ("https://id.example.org/oauth2/openid/wiki/", "{people}/oauth2/openid/{client}/"),
        ("OIDCClientID wiki", "OIDCClientID {client}"),
        ("what-is-in-client.secret", "{secret}"),
        ("/etc/ssl/sealwright-root.pem", "{root}"),
    ):
        assert shown in protection
        protection = protection.replace(shown, given)
    with apache(server, client, protection=protection) as (address, log):
        assert remote_user(server, address, log) == server.sealwright_json("person", "get", "alice")["spn"]
