"""Runs the commands of each tutorial exactly as they are written, and compares what they print with what the page shows."""

from __future__ import annotations

import ast
import html
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from demo.forms import Browser, sign_in_and_allow
from sealwright.jose import jwk_of, sign
from tests.documentation.pages import Step, missing_line, steps, variables
from tests.documentation.shell import Shell, shell
from tests.live import PERSON_PASSWORD, SEALWRIGHT, TOOLS, LiveServer, free_ports, live_server
from tests.reference_script import ROOT
from tests.signing import signing_key
from tests.unit.oauth.clients.test_image_formats import png

pytestmark = pytest.mark.interop
TUTORIALS = ROOT / "docs" / "tutorial"
HOW_TO = ROOT / "docs" / "howto"


def expect_printed(page: Path, session: Shell, given: dict[str, str], instead: Mapping[str, str] = MappingProxyType({})) -> str:
    """Do what the page says. Its first block sets variables, which get the values in `given` instead; all that was printed.

    `instead` has other words for some of the commands, where they would change this machine.
    """
    first, *rest = steps(page)
    usual = variables(first.commands)
    assert set(usual) == set(given), "the first block sets what the reader has to set"
    session.run("".join(f"export {name}='{value}'\n" for name, value in given.items()))
    return expect_steps(page, rest, session, usual, given, instead)


def expect_steps(
    page: Path,
    shown: Sequence[Step],
    session: Shell,
    usual: Mapping[str, str] = MappingProxyType({}),
    given: Mapping[str, str] = MappingProxyType({}),
    instead: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Do these steps of the page; what it shows with the `usual` values of variables is printed with those `given`."""
    everything = ""
    for step in shown:
        commands = step.commands
        for words, others in instead.items():
            commands = commands.replace(words, others)
        printed = session.run(commands)
        expected = step.expected
        for name, value in usual.items():
            expected = expected.replace(value, given[name]) if value else expected
        missing = missing_line(expected, printed)
        assert missing is None, f"{page.name}, line {step.line}: nothing like {missing!r} was printed, but:\n{printed}"
        everything += printed
    return everything


def tools() -> str:
    if not (TOOLS / "step").exists():
        pytest.fail("build/tools/step is missing: run scripts/install-step")
    return f"{TOOLS}:{SEALWRIGHT.parent}:/usr/bin:/bin:/usr/sbin:/sbin"


def test_certificates_by_single_sign_on(tmp_path):
    people, machines, status = free_ports(3)
    home = tmp_path / "work" / "home"
    name = ""

    def sign_in(address: str) -> None:
        password = (tmp_path / "work" / "person.password").read_text().strip()
        sign_in_and_allow(Browser(home / "certs" / "root_ca.crt"), address, name, password)

    with shell(tmp_path, {"PATH": tools()}, sign_in) as session:
        name = session.run("whoami").strip()
        given = {"PEOPLE": f"localhost:{people}", "MACHINES": f"localhost:{machines}", "STATUS": f"localhost:{status}"}
        expect_printed(TUTORIALS / "certificates-by-single-sign-on.md", session, {**given, "MAIL_DOMAIN": "example.org"})
    assert (tmp_path / "work" / f"{name}.crt").exists()


def test_tokens_by_certificate(tmp_path):
    people, machines, status = free_ports(3)
    given = {"PEOPLE": f"localhost:{people}", "MACHINES": f"localhost:{machines}", "STATUS": f"localhost:{status}"}
    with shell(tmp_path, {"PATH": tools()}, print) as session:
        expect_printed(TUTORIALS / "tokens-by-certificate.md", session, given)


@pytest.fixture
def provider(tmp_path) -> Iterator[LiveServer]:
    """The other provider: a server of its own, with clients for native applications, one with a secret and one without."""
    with live_server(tmp_path / "provider") as server:
        client = ("system", "oauth2")
        for verb, name in (("create", "confidential"), ("create-public", "public")):
            server.sealwright(*client, verb, name, "Desktop", "https://ca.example.org")
            server.sealwright(*client, "add-redirect-url", name, "http://127.0.0.1")
            server.sealwright(*client, "enable-localhost-redirects", name)  # any port of the registered address
            server.sealwright(*client, "update-scope-map", name, "step-ca_users", "openid", "email")
        yield server


@pytest.mark.parametrize("kind", ["confidential", "public"])
def test_certificates_with_another_provider(tmp_path, provider, kind):
    people, machines, status, greeting = free_ports(4)
    given = {
        "CLIENT_ID": kind,
        "CLIENT_SECRET": "" if kind == "public" else provider.sealwright("system", "oauth2", "show-basic-secret", kind).strip(),
        "CONFIGURATION_ENDPOINT": f"{provider.people}/oauth2/openid/{kind}/.well-known/openid-configuration",
        "MAIL": "alice@example.org",
        "MAIL_DOMAIN": "example.org",
        "PROVIDER_NETWORK": "127.0.0.0/8",
        "PROVIDER_CA": str(provider.root),
        "PEOPLE": f"localhost:{people}",
        "MACHINES": f"localhost:{machines}",
        "STATUS": f"localhost:{status}",
        "GREETING_PORT": str(greeting),
    }

    def sign_in(address: str) -> None:
        sign_in_and_allow(Browser(provider.root), address, "alice", PERSON_PASSWORD)

    with shell(tmp_path, {"PATH": tools()}, sign_in) as session:
        expect_printed(TUTORIALS / "certificates-with-another-provider.md", session, given)


def test_trust_the_root(tmp_path):
    """The commands for Debian, curl and Python; what Debian trusts lies in a directory of its own here."""
    local, etc, hooks = (tmp_path / each for each in ("local", "etc", "hooks"))
    for each in (local, etc, hooks):
        each.mkdir()
    update = f"/usr/sbin/update-ca-certificates --localcertsdir '{local}' --etccertsdir '{etc}' --hooksdir '{hooks}'"
    instead = {"sudo update-ca-certificates": update, "/usr/local/share/ca-certificates": str(local), "sudo cp": "cp"}
    with live_server(tmp_path / "server", set_up=False) as server, shell(tmp_path, {"PATH": tools()}, print) as session:
        session.run(update)  # the public roots are there before
        printed = expect_printed(HOW_TO / "trust-the-root.md", session, {"PEOPLE_URL": server.people}, instead)
        fingerprint = re.search(r"Fingerprint=(\S+)", printed)
        assert fingerprint is not None
        assert fingerprint[1].replace(":", "").lower() == root_of(server)
        trusted = f"curl --silent --show-error --cacert '{etc}/ca-certificates.crt' '{server.people}/trust' > /dev/null"
        session.run(trusted)
        session.run(f"! curl --silent '{server.people}/trust'")


def root_of(server: LiveServer) -> str:
    return x509.load_pem_x509_certificate(server.root.read_bytes()).fingerprint(hashes.SHA256()).hex()


def test_page_of_the_server_shows_the_commands_of_the_how_to():
    template = (ROOT / "src" / "sealwright" / "web" / "templates" / "trust.html").read_text(encoding="utf-8")
    page = (HOW_TO / "trust-the-root.md").read_text(encoding="utf-8")
    shown = [html.unescape(each) for each in re.findall(r'<code class="copy">([^{}<]*)</code>', template)]
    assert len(shown) == 5  # Debian, Fedora, macOS, Windows, Chromium: the others hold this server's address
    assert [each for each in shown if each not in page] == []
    assert [each for each in re.findall(r"<summary>(\w+)", template) if each not in page] == []


def test_greeting_server_of_the_tutorial_is_the_one_of_the_demo():
    page = next(
        step.commands for step in steps(TUTORIALS / "certificates-with-another-provider.md") if "server.py" in step.commands
    )
    shown = page.partition("<<'EOF'\n")[2].rpartition("\nEOF")[0]
    assert bare(shown) == bare((ROOT / "demo" / "greeting_server.py").read_text(encoding="utf-8"))


def bare(source: str) -> str:
    """Classes and functions without docstrings, comments, and bodies that say nothing."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            node.body = [each for each in node.body if not is_silent(each)]
    return "\n".join(ast.unparse(node) for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.If))


def is_silent(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def test_application_is_registered_as_the_handbook_says(tmp_path):
    with live_server(tmp_path / "server") as server:
        environment = {**server.environment(), "PATH": tools()}
        with shell(tmp_path, environment, lambda _: None) as session:
            given = {
                "CLIENT": "wiki",
                "APPLICATION": "https://wiki.example.org",
                "CALLBACK": "https://wiki.example.org/protected/redirect_uri",
                "GROUP": "staff",
                "PERSON": "alice",
            }
            expect_printed(HOW_TO / "applications.md", session, given)
        secret = (tmp_path / "work" / "client.secret").read_text().strip()
        assert secret == server.sealwright("system", "oauth2", "show-basic-secret", "wiki").strip()
        (scope_map,) = server.sealwright_json("system", "oauth2", "get", "wiki")["scope_maps"]
        assert (scope_map["group"], sorted(scope_map["scopes"])) == ("staff", ["email", "openid", "profile"])


def test_tokens_are_asked_about_and_given_back_as_the_handbook_says(tmp_path):
    with live_server(tmp_path / "server") as server:
        environment = {**server.environment(), "PATH": tools()}
        with shell(tmp_path, environment, lambda _: None) as session:
            given = {
                "SERVER": server.people,
                "ROOT_CERTIFICATE": str(server.root),
                "CLIENT": "backup",
                "GROUP": "operators",
            }
            expect_printed(HOW_TO / "tokens.md", session, given)
        assert (tmp_path / "work" / "client.curl").stat().st_mode & 0o077 == 0


def test_tokens_are_exchanged_as_the_handbook_says(tmp_path):
    with live_server(tmp_path / "server") as server, shell(tmp_path, {**server.environment(), "PATH": tools()}, print) as session:
        given = {
            "SERVER": server.people,
            "ROOT_CERTIFICATE": str(server.root),
            "CLIENT": "gateway",
            "BACKEND": "https://backend.example.org/",
        }
        expect_printed(HOW_TO / "exchange-tokens.md", session, given)
        issued = server.sealwright_json("audit", "list", "--event", "token.issued", "--limit", "1")
    assert issued["details"]["subject_name"] == "robot"
    assert issued["details"]["acting_client"] == "gateway"


def test_jobs_get_tokens_as_the_handbook_says(tmp_path):
    key, now, work = signing_key("ES256"), int(time.time()), tmp_path / "work"
    with live_server(tmp_path / "server") as server, shell(tmp_path, {**server.environment(), "PATH": tools()}, print) as session:
        issuer = "https://ci.example.org"
        claims = {"iss": issuer, "sub": "repo:example/shop", "aud": server.people, "iat": now, "exp": now + 600, "jti": "1"}
        about = {"repository": "example/shop", "ref": "refs/heads/main"}
        (work / "job.token").write_text(sign(key, claims | about))
        (work / "next.token").write_text(sign(key, claims | about | {"jti": "2"}))
        (work / "jwks.json").write_bytes(msgspec.json.encode({"keys": [jwk_of(key.public_key, key.id, "ES256")]}))
        given = {
            "SERVER": server.people,
            "CA_URL": server.machines,
            "ROOT_CERTIFICATE": str(server.root),
            "ISSUER": issuer,
            "KEYS": "jwks.json",
            "JOB_TOKEN": "job.token",
            "NEXT_TOKEN": "next.token",
        }
        expect_printed(HOW_TO / "trusted-issuers.md", session, given)
        issued = server.sealwright_json("audit", "list", "--event", "token.issued", "--limit", "1")
        signed = server.sealwright_json("audit", "list", "--event", "certificate.intended", "--limit", "1")
    assert issued["details"]["assertion_subject"] == "repo:example/shop"
    assert signed["details"]["family"] == issued["details"]["family"]


def test_applications_are_signed_out_of_as_the_handbook_says(tmp_path):
    with live_server(tmp_path / "server") as server:
        server.sealwright("system", "oauth2", "create", "wiki", "Wiki", "https://wiki.example.org")
        with shell(tmp_path, {**server.environment(), "PATH": tools()}, lambda _: None) as session:
            page = HOW_TO / "sign-out-of-applications.md"
            expect_steps(page, steps(page), session)
        client = server.sealwright_json("system", "oauth2", "get", "wiki")
    assert client["post_logout_redirect_uris"] == ["https://wiki.example.org/goodbye"]
    assert client["backchannel_logout_uri"] == "https://wiki.example.org/backchannel-logout"
    assert client["frontchannel_logout_session_required"]


def test_clients_are_changed_as_the_handbook_says(tmp_path):
    with live_server(tmp_path / "server") as server:
        with shell(tmp_path, {**server.environment(), "PATH": tools()}, lambda _: None) as session:
            (tmp_path / "work" / "wiki.png").write_bytes(png())
            server.sealwright("system", "oauth2", "create", "mail", "Mail", "https://mail.example.org")
            page = HOW_TO / "clients.md"
            newest = f"$({SEALWRIGHT} system oauth2 get wiki | grep -o '^ *keys.*' | grep -oE '[A-Za-z0-9_-]{{43}}' | head -1)"
            renamed = "sealwright system oauth2 set-name wiki handbook"
            back = f"{renamed}\n{renamed.replace('wiki handbook', 'handbook wiki')}"
            # One page shows several ways to begin; here they follow each other.
            instead = {"KEY_ID": newest, renamed: back}
            instead['create wiki "The wiki" https://wiki.example.org --issuer'] = (
                "create team-wiki Wiki https://t.example.org --issuer"
            )
            expect_steps(page, steps(page), session, instead=instead)
        client = server.sealwright_json("system", "oauth2", "get", "wiki")
    assert (client["name"], client["profile"]) == ("wiki", "oauth2.1")
