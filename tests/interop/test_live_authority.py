"""Administrators of people, groups or clients try to become a certificate authority for any name, as strangers to it would."""

import json
from urllib.parse import urlencode

import pytest
from cryptography import x509

from tests.interop import people
from tests.interop.wire import Requester, line, new_key, signing_request
from tests.live import ADMIN_PASSWORD, PERSON_PASSWORD, live_server

EVIL = "https://evil.example/cb"
ATTACKERS = {"ga": "idm_group_admins", "pa": "idm_people_admins", "oa": "idm_oauth2_admins"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server with a client and a provisioner `ops`, whose administrators are a group and an address."""
    with live_server(tmp_path_factory.mktemp("authority")) as made:
        password = made.file("person-password", PERSON_PASSWORD)
        made.sealwright("person", "create", "boss", "The Boss")
        made.sealwright("person", "update", "boss", "--mail", "boss@corp.example")
        made.sealwright("person", "set-password", "boss", "--password-file", password)
        made.sealwright("group", "create", "ca-any-name")
        for name, group in ATTACKERS.items():
            made.sealwright("person", "create", name, name.upper())
            made.sealwright("person", "update", name, "--mail", f"{name}@corp.example")
            made.sealwright("person", "set-password", name, "--password-file", password)
            made.sealwright("group", "add-members", group, name)
        made.sealwright("group", "add-members", "step-ca_users", "boss", *ATTACKERS)
        oauth2 = ("system", "oauth2")
        made.sealwright(*oauth2, "create-public", "ops", "Ops", made.machines)
        made.sealwright(*oauth2, "add-redirect-url", "ops", people.RETURN_TO)
        made.sealwright(*oauth2, "update-scope-map", "ops", "step-ca_users", "openid", "email", "groups")
        endpoint = ("--configuration-endpoint", f"{made.people}/oauth2/openid/ops/.well-known/openid-configuration")
        names = ("--admin", "ca-any-name", "--admin", "boss@corp.example")
        made.sealwright("provisioner", "add", "ops", "--type", "oidc", "--client-id", "ops", *endpoint, *names)
        for name in ATTACKERS:
            made.sealwright("login", "-D", name, "--password-file", password)
        made.sealwright("login", "-D", "admin", "--password-file", made.file("admin-password", ADMIN_PASSWORD))
        yield made


def refused_command(server, who, *arguments):
    """The command is refused for the authority of the provisioner."""
    done = server.attempt(*arguments, "-D", who)
    assert done.returncode != 0, done.stdout
    assert "the provisioner ops trusts" in done.stderr, done.stderr
    assert "certificate:issue-any-name" in done.stderr, done.stderr


def sign(server, person, *names, client="ops", scope="openid email groups"):
    """What someone gets who signs in and asks for these names."""
    browser = people.sign_in(server, person)
    answer, verifier = people.code_for(server, browser, client=client, scope=scope)
    token = people.redeem(server, answer["code"], verifier, client=client).json()["id_token"]
    return people.with_token(server, signing_request(new_key(), names[0], *names), token)


def test_group_administrator_does_not_become_an_authority_for_any_name(server):
    refused_command(server, "ga", "group", "add-members", "ca-any-name", "ga")
    refused_command(server, "ga", "group", "delete", "ca-any-name", "--even-if-used")
    answer = sign(server, "ga", "web.example.org")
    assert (answer.status, "You may not have the name web.example.org" in answer.json()["message"]) == (403, True)


def test_people_administrator_does_not_become_an_authority_for_any_name(server):
    refused_command(server, "pa", "person", "update", "pa", "--mail", "boss@corp.example")
    refused_command(server, "pa", "person", "update", "boss", "--mail", "elsewhere@corp.example")
    refused_command(server, "pa", "person", "delete", "boss")
    password = server.file("stolen-password", "marble-tangent-owl-31")
    refused_command(server, "pa", "person", "set-password", "boss", "--password-file", password)
    people.sign_in(server, "boss")
    answer = sign(server, "pa", "ceo@victim.example")
    assert (answer.status, "You may not have the name ceo@victim.example" in answer.json()["message"]) == (403, True)


def test_client_administrator_does_not_have_codes_sent_elsewhere(server):
    refused_command(server, "oa", "system", "oauth2", "add-redirect-url", "ops", EVIL)
    refused_command(server, "oa", "system", "oauth2", "set-landing-url", "ops", EVIL)
    refused_command(server, "oa", "system", "oauth2", "enable-localhost-redirects", "ops")
    refused_command(server, "oa", "system", "oauth2", "delete", "ops", "--even-if-used")
    browser = people.sign_in(server, "boss")
    people.code_for(server, browser, client="ops")  # from now on consent is remembered
    query = {"client_id": "ops", "redirect_uri": EVIL, "response_type": "code", "scope": "openid email", "state": "s" * 16}
    page = browser.open(f"{server.people}/oauth2/authorise?{urlencode(query)}")
    assert page.url.startswith(server.people)
    assert page.status == 400


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", "127.0.0.1"])
def test_no_one_gets_a_certificate_with_which_to_pose_as_the_server(server, name):
    answer = sign(server, "boss", "web.example.org", name)
    assert (answer.status, "it belongs to this server" in answer.json()["message"]) == (403, True)
    with line(server.machines, server.root) as opened:
        answer = opened.send("POST", "/sign", Requester(server).sign_body(name))
    assert (answer.status, "it belongs to this server" in answer.json()["message"]) == (403, True)


def test_administrator_by_id_stays_one_under_another_address_and_step_reads_the_definition(server):
    made = server.sealwright_json("person", "create", "dora", "Dora")
    server.sealwright("person", "update", "dora", "--mail", "dora@corp.example")
    server.sealwright("person", "set-password", "dora", "--password-file", server.file("dora-password", PERSON_PASSWORD))
    server.sealwright("group", "add-members", "step-ca_users", "dora")
    server.sealwright("system", "oauth2", "create-public", "by-id", "By id", server.machines)
    server.sealwright("system", "oauth2", "add-redirect-url", "by-id", people.RETURN_TO)
    server.sealwright("system", "oauth2", "update-scope-map", "by-id", "step-ca_users", "openid", "email")
    group = server.sealwright_json("group", "create", "signers")
    admins = [f"account:{made['id']}", f"group:{group['id']}"]
    endpoint = ("--configuration-endpoint", f"{server.people}/oauth2/openid/by-id/.well-known/openid-configuration")
    named = [each for admin in admins for each in ("--admin", admin)]
    server.sealwright("provisioner", "add", "by-id", "--type", "oidc", "--client-id", "by-id", *endpoint, *named)
    server.sealwright("person", "update", "dora", "--mail", "other@corp.example")
    answer = sign(server, "dora", "web.example.org", client="by-id", scope="openid email")
    assert answer.status == 201, answer.body
    listed = server.step("ca", "provisioner", "list", "--ca-url", server.machines, "--root", server.root)
    assert next(each for each in json.loads(listed) if each["name"] == "by-id")["admins"] == admins
    refused = server.attempt("group", "add-members", "signers", "ga", "-D", "ga")
    assert (refused.returncode != 0, "the provisioner by-id trusts the group" in refused.stderr) == (True, True)


def test_who_is_named_still_gets_any_other_name(server):
    answer = sign(server, "boss", "web.example.org", "10.0.0.1")
    assert answer.status == 201, answer.body
    leaf = x509.load_pem_x509_certificate(answer.json()["crt"].encode())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(each.value) for each in names] == ["web.example.org", "10.0.0.1"]
