"""People, groups, clients and provisioners from the terminal."""

import json

import pytest

from tests.unit.api.world import PEOPLE
from tests.unit.identity.world import PASSWORD
from tests.unit.oauth.clients.test_image_formats import png

OAUTH2 = ("system", "oauth2")


@pytest.fixture
def admin(shell):
    shell.sign_in("root", "system_admins")
    return shell


def test_script_that_kanidm_users_know_runs_as_written(admin):
    admin.person("ariel")
    admin.ok("group", "create", "step-ca_users")
    admin.ok("group", "add-members", "step-ca_users", "ariel@example.org")
    admin.ok(*OAUTH2, "create-public", "step-ca", "Step-CA", "https://ca.example.org")
    admin.ok(*OAUTH2, "enable-localhost-redirects", "step-ca")
    admin.ok(*OAUTH2, "set-landing-url", "step-ca", "https://ca.example.org")
    admin.ok(*OAUTH2, "add-redirect-url", "step-ca", "http://localhost:10000")
    admin.ok(*OAUTH2, "update-scope-map", "step-ca", "step-ca_users", "openid", "email")
    done = admin.ok(*OAUTH2, "get", "step-ca")
    for line in (
        "name: step-ca",
        "kind: public",
        "landing URL: https://ca.example.org",
        "redirect URLs: http://localhost:10000",
        "localhost redirects: yes",
        "PKCE required: yes",
        "signs with: ES256",
    ):
        assert line in done.members
    assert "step-ca_users: " in done.out
    found = admin.ok(*OAUTH2, "get", "step-ca", "-o", "json").json
    assert set(found["scope_maps"][0]["scopes"]) == {"openid", "email"}


def test_all_is_well_is_said_by_silence_in_a_script_and_by_a_line_to_a_person(admin):
    assert admin.ok("group", "create", "a").out == ""
    assert admin.ok("group", "create", "b", tty=True).out == "\x1b[32m✔\x1b[0m Created group b\n"
    assert admin.ok("group", "create", "c", "-o", "json").json["name"] == "c"


def test_person_is_created_changed_and_deleted(admin):
    admin.ok("person", "create", "alice", "Alice Example")
    admin.ok("person", "update", "alice", "--mail", "alice@example.org", "--mail", "a@example.org")
    admin.ok("person", "update", "alice", "--display-name", "Alice E.")
    admin.ok("person", "set-password", "alice", "--password-file", "-", stdin=PASSWORD)
    shown = admin.ok("person", "get", "alice").members
    assert shown[shown.index("mail: alice@example.org") + 1] == "a@example.org"
    assert {"display name: Alice E.", "state: active", "member of: idm_all_accounts", "idm_all_persons"} <= set(shown)
    admin.ok("person", "disable", "alice")
    assert admin.ok("person", "get", "alice", "-o", "json").json["state"] == "disabled"
    admin.ok("person", "enable", "alice")
    admin.ok("person", "delete", "alice")
    done = admin.run("person", "get", "alice")
    assert (done.code, done.err) == (
        4,
        (
            "Not found: there is no account 'alice'.\n"
            "  built in are admin and idm_admin\n"
            "  See all people with: sealwright person list\n"
        ),
    )


def test_new_password_is_asked_for_twice(admin):
    admin.person("alice")
    admin.hidden = [PASSWORD, "something else"]
    done = admin.run("person", "set-password", "alice", "--yes", tty=True)
    assert (done.code, done.err) == (2, "\x1b[31m✘\x1b[0m Wrong usage: the two passwords differ.\n")
    admin.hidden = [PASSWORD, PASSWORD]
    assert "alice has a new password" in admin.ok("person", "set-password", "alice", tty=True, stdin="y\n").out


def test_invitation_creates_the_person_and_prints_the_link_alone(admin):
    done = admin.ok("person", "invite", "alice", "--mail", "alice@example.org")
    assert done.out.startswith(f"{PEOPLE}/invitation/")
    assert done.out.count("\n") == 1
    assert "It works once, until " in done.err
    token = done.out.strip().rpartition("/")[2]
    assert admin.wait(admin.world.invitations.person_of(token)).mails[0].address == "alice@example.org"
    assert "Invited alice" in admin.ok("person", "invite", "alice", tty=True).out
    assert "Created and invited bob" in admin.ok("person", "invite", "bob", tty=True).out


@pytest.mark.parametrize("command", [("reset",), ("credential", "create-reset-token")])
def test_reset_prints_a_link_with_which_a_password_is_set(admin, command):
    admin.person("alice")
    done = admin.ok("person", *command, "alice")
    assert done.out.startswith(f"{PEOPLE}/reset/")
    token = done.out.strip().rpartition("/")[2]
    assert admin.wait(admin.world.reset.require(token)).end_certificates
    kept = admin.ok("person", *command, "alice", "--keep-certificates").out.strip().rpartition("/")[2]
    assert not admin.wait(admin.world.reset.require(kept)).end_certificates


def test_life_of_a_link_is_a_duration_within_bounds(admin):
    admin.person("alice")
    assert admin.run("person", "reset", "alice", "--lifetime", "soon").code == 2
    done = admin.run("person", "reset", "alice", "--lifetime", "48h")
    assert "a link cannot last 2 days" in done.err
    assert "5 minutes to 24 hours" in done.err
    done = admin.run("person", "credential", "create-reset-token", "alice", "--ttl", "0")
    assert "lifetime_seconds is 0" in done.err


def test_people_are_listed_as_a_table_or_one_object_per_line(admin):
    admin.ok("person", "create", "alice", "Alice Example", "--mail", "alice@example.org")
    lines = admin.ok("person", "list").out.splitlines()
    assert lines[0].split() == ["NAME", "DISPLAY", "NAME", "MAIL", "STATE"]
    assert lines[1] == "alice  Alice Example  alice@example.org  active"
    assert [each["name"] for each in admin.ok("person", "list", "--output", "json").lines] == ["alice", "root"]


def test_every_page_of_a_list_is_fetched(admin):
    for number in range(105):
        admin.wait(admin.world.person(f"p{number:03}", password=None))
    assert len(admin.ok("person", "list", "-o", "json").lines) == 106


def test_nothing_to_change_is_wrong_usage(admin):
    done = admin.run("person", "update", "root")
    assert done.code == 2
    assert "Say what with --mail, --display-name, --newname or --attribute." in done.err


def test_conflict_and_refusal_have_their_exit_codes_and_reasons(admin):
    admin.ok("group", "create", "staff")
    done = admin.run("group", "create", "staff")
    assert (done.code, done.err) == (
        5,
        "Conflict: there is a group 'staff' already.\n  accounts and groups share one set of names\n  Choose another name.\n",
    )
    admin.sign_in("mallory")
    done = admin.run("group", "create", "other")
    assert done.code == 1
    assert done.err.startswith("Refused: mallory does not have the permission group:write.\n  group:write is held by members of ")
    done = admin.run("group", "create", "other", "-o", "json")
    error = json.loads(done.err)["error"]
    assert (error["code"], done.out) == ("not_permitted", "")
    assert error["reasons"]
    assert error["hint"]


def test_group_members_are_listed_added_and_removed(admin):
    admin.person("alice")
    admin.ok("group", "create", "staff", "--description", "All of us")
    assert "staff has no members." in admin.ok("group", "list-members", "staff").err
    done = admin.ok("group", "add_members", "staff", "alice", "auditors", tty=True)
    assert done.out.endswith("Added alice and auditors to staff (now 2 members)\n")
    assert admin.ok("group", "list-members", "staff").out == "alice@example.org\nauditors\n"
    assert admin.ok("group", "list-members", "staff", "-o", "json").lines[0] == {"member": "alice@example.org"}
    done = admin.run("group", "add-members", "staff", "root", "eve")
    assert (done.code, done.err) == (
        4,
        (
            "Not found: there is no account or group 'eve'.\n  nothing was changed\n"
            "  See all with: sealwright person list, and: sealwright group list\n"
        ),
    )
    admin.ok("group", "remove-members", "staff", "auditors")
    assert "description: All of us" in admin.ok("group", "get", "staff").members
    assert "staff" in admin.ok("group", "list").out
    admin.ok("group", "delete", "staff")


@pytest.mark.parametrize(
    ("verb", "member", "value"),
    [
        ("enable-localhost-redirects", "localhost_redirects", True),
        ("disable-localhost-redirects", "localhost_redirects", False),
        ("enable_localhost_redirects", "localhost_redirects", True),
        ("warning-insecure-client-allow-http-redirects", "http_redirects", True),
        ("disable-http-redirects", "http_redirects", False),
        ("enable-partial-scopes", "partial_scopes", True),
        ("disable-partial-scopes", "partial_scopes", False),
        ("prefer-short-username", "short_username", True),
        ("prefer-spn-username", "short_username", False),
        ("enable-pkce", "require_pkce", True),
        ("warning-enable-legacy-crypto", "id_token_signed_response_alg", "RS256"),
        ("warning_enable_legacy_crypto", "id_token_signed_response_alg", "RS256"),
        ("disable_legacy_crypto", "id_token_signed_response_alg", "ES256"),
        ("enable-consent-prompt", "consent_prompt", True),
    ],
)
def test_switches_of_a_client_in_new_and_old_spelling(admin, verb, member, value):
    admin.ok(*OAUTH2, "create-public", "step-ca", "Step-CA", "https://ca.example.org")
    assert admin.ok(*OAUTH2, verb, "step-ca", "-o", "json").json[member] == value


def test_confidential_client_has_a_secret_and_may_do_without_pkce(admin):
    admin.ok(*OAUTH2, "create", "wiki", "Wiki", "https://wiki.example.org")
    first = admin.ok(*OAUTH2, "show-basic-secret", "wiki").out.strip()
    second = admin.ok(*OAUTH2, "reset_secrets", "wiki").out.strip()
    assert first != second
    assert admin.ok(*OAUTH2, "show-basic-secret", "wiki", "-o", "json").json == {"name": "wiki", "secret": second}
    done = admin.ok(*OAUTH2, "warning-insecure-client-disable-pkce", "wiki", "-o", "json")
    assert done.json["require_pkce"] is False
    assert admin.ok(*OAUTH2, "disable-consent-prompt", "wiki", "-o", "json").json["consent_prompt"] is False
    assert admin.ok(*OAUTH2, "set-refresh-token-expiry", "wiki", "3600", "-o", "json").json["refresh_seconds"] == 3600
    assert admin.ok(*OAUTH2, "set-refresh-token-grace", "wiki", "0", "-o", "json").json["refresh_grace_seconds"] == 0
    assert admin.ok(*OAUTH2, "set-refresh-token-grace", "wiki", "-o", "json").json["refresh_grace_seconds"] == 10
    assert admin.ok(*OAUTH2, "set_displayname", "wiki", "Our wiki", "-o", "json").json["display_name"] == "Our wiki"
    admin.ok(*OAUTH2, "delete", "wiki")
    assert admin.run(*OAUTH2, "get", "wiki").code == 4


def test_secret_is_changed_with_an_overlap_or_at_once(admin):
    admin.ok(*OAUTH2, "create", "wiki", "Wiki", "https://wiki.example.org")
    done = admin.ok(*OAUTH2, "reset-basic-secret", "wiki", "--overlap", "30m")
    assert "The old secret works on until" in done.err
    assert admin.ok(*OAUTH2, "show-basic-secret", "wiki").out == done.out
    assert admin.ok(*OAUTH2, "reset-basic-secret", "wiki", "-o", "json").json["old_until"]
    assert admin.ok(*OAUTH2, "reset-basic-secret", "wiki", "--at-once", "-o", "json").json["old_until"] is None
    assert admin.run(*OAUTH2, "reset-basic-secret", "wiki", "--overlap", "soon").code == 2
    assert admin.run(*OAUTH2, "reset-basic-secret", "wiki", "--overlap", "40d").code != 0


def test_keys_are_shown_rotated_and_revoked(admin):
    admin.ok(*OAUTH2, "create-public", "step-ca", "Step-CA", "https://ca.example.org")
    (key,) = admin.ok(*OAUTH2, "get", "step-ca", "-o", "json").json["keys"]
    assert f"{key['id']} ES256, signs" in admin.ok(*OAUTH2, "get", "step-ca").out
    assert len(admin.ok(*OAUTH2, "rotate-cryptographic-keys", "step-ca", "now", "-o", "json").json["items"]) == 2
    for wrong in ("yesterday", "2020-01-01T00:00:00Z", "2030-01-01T00:00:00"):
        assert admin.run(*OAUTH2, "rotate_cryptographic_keys", "step-ca", wrong).code == 1
    left = admin.ok(*OAUTH2, "revoke-cryptographic-key", "step-ca", key["id"], "-o", "json").json["items"]
    assert key["id"] not in [each["id"] for each in left]
    done = admin.run(*OAUTH2, "revoke-cryptographic-key", "step-ca", key["id"])
    assert (done.code, done.err.splitlines()[-1]) == (4, "  See it with: sealwright system oauth2 get step-ca")


def test_client_is_renamed(admin):
    admin.ok(*OAUTH2, "create-public", "step-ca", "Step-CA", "https://ca.example.org")
    found = admin.ok(*OAUTH2, "set_name", "step-ca", "step", "-o", "json").json
    assert (found["name"], found["issuer_url"].rpartition("/")[2]) == ("step", "step")
    assert admin.run(*OAUTH2, "get", "step-ca").code == 4


def test_profile_says_what_the_application_has_to_do(admin):
    admin.ok(*OAUTH2, "create", "wiki", "Wiki", "https://wiki.example.org")
    shown = admin.ok(*OAUTH2, "get", "wiki").out
    assert "It uses PKCE with S256." in shown
    assert "oauth2-proxy: --code-challenge-method=S256" in shown
    admin.ok(*OAUTH2, "create", "old", "Old", "https://old.example.org", "--profile", "classic")
    shown = admin.ok(*OAUTH2, "get", "old").out
    assert "It may use PKCE with S256 and need not." in shown
    assert "It accepts tokens signed with RS256." in shown
    assert "oauth2-proxy" not in shown
    assert admin.ok(*OAUTH2, "set-profile", "old", "oauth2.1", "-o", "json").json["require_pkce"] is True


def test_image_is_set_in_place_of_another_and_removed(admin):
    admin.ok(*OAUTH2, "create", "wiki", "Wiki", "https://wiki.example.org")
    for size in ((3, 2), (64, 64)):
        file = admin.file("wiki.png", png(*size))
        made = admin.ok(*OAUTH2, "set-image", "wiki", file, "png", "-o", "json").json
        assert (made["media_type"], made["width"], made["height"]) == ("image/png", *size)
    for name, content in (("wiki.svg", b"<svg/>"), ("wiki.txt", b"hello"), ("large.png", bytes(300_000))):
        assert admin.run(*OAUTH2, "set_image", "wiki", admin.file(name, content)).code == 1
    admin.ok(*OAUTH2, "remove-image", "wiki")
    assert admin.run(*OAUTH2, "remove-image", "wiki").code == 4


@pytest.mark.parametrize("verb", ["enable-strict-redirect-url", "disable_strict_redirect_url"])
def test_redirect_urls_are_strict_whatever_is_said(admin, verb):
    admin.ok(*OAUTH2, "create", "wiki", "Wiki", "https://wiki.example.org")
    assert "always" in admin.ok(*OAUTH2, verb, "wiki", tty=True).out
    assert admin.run(*OAUTH2, verb, "nobody").code == 4


def test_public_client_has_no_secret(admin):
    admin.ok(*OAUTH2, "create-public", "step-ca", "Step-CA", "https://ca.example.org")
    done = admin.run(*OAUTH2, "show-basic-secret", "step-ca")
    assert (done.code, done.err) == (
        4,
        "Not found: step-ca has no secret: it is public, or authenticates by a key or certificate.\n",
    )


def test_scope_maps_and_redirects_come_and_go(admin):
    admin.ok(*OAUTH2, "create-public", "step-ca", "Step-CA", "https://ca.example.org")
    admin.ok(*OAUTH2, "create_scope_map", "step-ca", "auditors", "openid")
    admin.ok(*OAUTH2, "delete_scope_map", "step-ca", "auditors")
    admin.ok(*OAUTH2, "add-redirect-url", "step-ca", "http://localhost:1/a?b=c&d")
    assert (
        admin.ok(*OAUTH2, "remove-redirect-url", "step-ca", "http://localhost:1/a?b=c&d", "-o", "json").json["redirect_uris"]
        == []
    )
    for verb, what in (("remove-redirect-url", "http://localhost:1/"), ("delete-scope-map", "auditors")):
        done = admin.run(*OAUTH2, verb, "step-ca", what)
        assert (done.code, done.err.splitlines()[-1]) == (4, "  See it with: sealwright system oauth2 get step-ca")
    assert [each["name"] for each in admin.ok(*OAUTH2, "list", "-o", "json").lines] == ["step-ca"]


PROVISIONER = {
    "admins": ["ariel@example.org"],
    "claims": {"defaultTLSCertDuration": "2h", "disableRenewal": True, "maxTLSCertDuration": "8h"},
    "clientID": "step-ca",
    "clientSecret": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "configurationEndpoint": "https://id.example.org/oauth2/openid/step-ca/.well-known/openid-configuration",
    "domains": ["example.org"],
    "listenAddress": "localhost:10000",
    "name": "kanidm",
    "scopes": ["openid", "email"],
    "type": "OIDC",
}


def test_provisioner_object_of_step_ca_is_taken_as_it_is(admin):
    file = admin.file("kanidm.json", json.dumps(PROVISIONER))
    admin.ok("provisioner", "add", "--from-file", file)
    shown = admin.ok("provisioner", "get", "kanidm", "-o", "json").json
    assert shown == {name: value for name, value in PROVISIONER.items() if name != "clientSecret"}
    assert "clientSecret" not in admin.ok("provisioner", "get", "kanidm").out
    lines = admin.ok("provisioner", "list").out.splitlines()
    assert lines[1].split() == ["kanidm", "OIDC", "step-ca", "2h", "no"]


def test_provisioner_is_added_with_the_flags_that_step_users_know(admin):
    admin.ok(
        *("provisioner", "add", "Google", "--type", "oidc"),
        *("--client-id", "650445034027.apps.googleusercontent.com", "--client-secret", "6Q7lGMua"),
        *("--configuration-endpoint", "https://accounts.google.com/.well-known/openid-configuration"),
        *("--domain", "smallstep.com", "--domain", "gmail.com", "--admin", "a@smallstep.com", "--group", "staff"),
        *("--listen-address", ":10000", "--scope", "openid", "--auth-param", "prompt=login"),
        *("--x509-min-dur", "10m", "--x509-default-dur", "1h", "--x509-max-dur", "2h", "--disable-renewal"),
    )
    shown = admin.ok("provisioner", "get", "Google", "-o", "json").json
    assert shown == {
        "type": "OIDC",
        "name": "Google",
        "clientID": "650445034027.apps.googleusercontent.com",
        "configurationEndpoint": "https://accounts.google.com/.well-known/openid-configuration",
        "domains": ["smallstep.com", "gmail.com"],
        "admins": ["a@smallstep.com"],
        "groups": ["staff"],
        "listenAddress": ":10000",
        "scopes": ["openid"],
        "authParams": ["prompt=login"],
        "claims": {
            "minTLSCertDuration": "10m",
            "defaultTLSCertDuration": "1h",
            "maxTLSCertDuration": "2h",
            "disableRenewal": True,
        },
    }
    stored = admin.wait(admin.world.ca.provisioners.named("Google"))
    assert stored.definition.client_secret == "6Q7lGMua"
    admin.ok("provisioner", "remove", "Google")
    assert admin.run("provisioner", "get", "Google").code == 4


def test_secret_may_come_from_a_file(admin):
    file = admin.file("secret", "hush\n")
    endpoint = "https://accounts.google.com"
    admin.ok(
        *("provisioner", "add", "G", "--type", "OIDC", "--client-id", "x", "--client-secret-file", file),
        *("--configuration-endpoint", endpoint),
    )
    assert admin.wait(admin.world.ca.provisioners.named("G")).definition.client_secret == "hush"


def test_key_of_a_jwk_provisioner_is_made_here_and_leaves_sealed(admin):
    admin.ok("provisioner", "add", "ops", "--type", "jwk", "--create", "--password-file", "-", stdin="correct horse\n")
    shown = admin.ok("provisioner", "get", "ops", "-o", "json").json
    assert set(shown["key"]) == {"use", "kty", "crv", "x", "y", "kid", "alg"}
    assert shown["encryptedKey"].count(".") == 4
    from sealwright.cli.provisioner_key import open_sealed

    assert open_sealed(shown["encryptedKey"], "correct horse").id == shown["key"]["kid"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "a provisioner needs a NAME and a --type, or --from-file."),
        (("x", "--type", "oidc"), "needs --client-id."),
        (("x", "--type", "oidc", "--client-id", "y"), "needs --configuration-endpoint."),
        (("x", "--type", "jwk", "--client-id", "y"), "--client-id goes with --type oidc."),
        (("x", "--type", "oidc", "--password-file", "y"), "--password-file goes with --type jwk."),
        (("x", "--type", "acme"), "'acme' is not one of"),
        (("--from-file", "x.json", "--client-id", "y"), "--from-file holds the whole definition"),
        (("x", "--type", "jwk", "--public-key", "k", "--create"), "--public-key brings a key"),
    ],
)
def test_provisioner_options_that_do_not_go_together_are_told(admin, arguments, words):
    done = admin.run("provisioner", "add", *arguments)
    assert done.code == 2
    assert words in done.err


def test_file_that_is_no_definition_is_refused(admin):
    for text, words in (("{", "is not JSON"), ("[]", "must hold one JSON object")):
        done = admin.run("provisioner", "add", "--from-file", admin.file("p.json", text))
        assert done.code == 1
        assert words in done.err
    done = admin.run("provisioner", "add", "--from-file", admin.file("p.json", json.dumps({**PROVISIONER, "admin": 1})))
    assert done.code == 1
    assert "the member admin is not known here" in done.err


@pytest.mark.parametrize(("scopes", "warned"), [((), True), (("openid", "email", "groups"), False)])
def test_groups_without_their_scope_are_pointed_out(admin, scopes, warned):
    more = [word for scope in scopes for word in ("--scope", scope)]
    endpoint = "https://id.example.org/oauth2/openid/x"
    done = admin.ok(
        *("provisioner", "add", "x", "--type", "oidc", "--client-id", "x", "--configuration-endpoint", endpoint),
        *("--group", "staff", *more),
    )
    assert ("not for the scope groups" in done.err) is warned


def test_provisioner_is_found_by_the_id_that_the_record_of_events_holds(admin):
    admin.ok("provisioner", "add", "--from-file", admin.file("p.json", json.dumps({**PROVISIONER, "name": "p", "clientID": "c"})))
    assert admin.ok("provisioner", "get", "c").out == admin.ok("provisioner", "get", "p").out
    assert admin.run("provisioner", "get", "x").code == 4


def test_weak_password_of_a_new_provisioner_is_refused(admin):
    done = admin.run("provisioner", "add", "ops", "--type", "jwk", "--password-file", "-", stdin="letmein\n")
    assert (done.code, "password of the provisioner ops is not strong enough" in done.err) == (1, True)
    assert admin.run("provisioner", "get", "ops").code != 0


def test_member_that_is_given_twice_is_refused_by_name(admin):
    text = json.dumps(PROVISIONER)
    done = admin.run("provisioner", "add", "--from-file", admin.file("p.json", f'{text[:-1]}, "name": "other"}}'))
    assert (done.code, "p.json gives the member 'name' twice." in done.err) == (1, True)


def test_audit_is_listed(admin):
    admin.ok("group", "create", "staff")
    events = admin.ok("audit", "list", "--limit", "1", "-o", "json").lines
    assert events[0]["event"] == "group.created"
    text = admin.ok("audit", "list", "--target", events[0]["target"]).out
    assert "group.created" in text
    assert "root" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("group", "list-members", "nosuch"), ("Not found: there is no group 'nosuch'.", "See all with: sealwright group list")),
        (
            ("group", "add-members", "staff", "nosuch"),
            (
                "Not found: there is no account or group 'nosuch'.",
                "nothing was changed",
                "See all with: sealwright person list, and: sealwright group list",
            ),
        ),
        (
            ("group", "create", "staff"),
            ("Conflict: there is a group 'staff' already.", "accounts and groups share one set of names", "Choose another name."),
        ),
        (
            ("person", "get", "nosuch"),
            (
                "Not found: there is no account 'nosuch'.",
                "built in are admin and idm_admin",
                "See all people with: sealwright person list",
            ),
        ),
    ],
)
def test_name_that_is_not_known_or_not_free_is_told_with_what_to_do_next(shell, arguments, words):
    shell.sign_in("desk", "system_admins")
    shell.ok("group", "create", "staff")
    done = shell.run(*arguments)
    assert [line.strip() for line in done.err.splitlines()] == list(words)


def test_empty_file_in_place_of_a_client_secret_stands_for_a_public_client(admin):
    made = admin.ok(
        *(
            "provisioner",
            "add",
            "Public",
            "--type",
            "oidc",
            "--client-id",
            "desktop",
            "--client-secret-file",
            admin.file("s", "\n"),
        ),
        *("--configuration-endpoint", "https://idp.example.org", "-o", "json"),
    )
    assert "clientSecret" not in made.json
    assert made.json["clientID"] == "desktop"


def test_old_and_new_spellings_of_maps_do_the_same(admin):
    admin.ok("group", "create", "staff")
    admin.ok("system", "oauth2", "create", "wiki", "Wiki", "https://wiki.example.org")
    for verb in ("create_scope_map", "update-scope-map"):
        admin.ok("system", "oauth2", verb, "wiki", "staff", "openid", "email")
    for verb in ("set_implicit_scopes", "set-implicit-scopes"):
        admin.ok("system", "oauth2", verb, "wiki", "openid")
    for verb in ("create-sup-scope-map", "update-sup-scope-map"):
        admin.ok("system", "oauth2", verb, "wiki", "staff", "edit")
    for verb in ("create-claim-map", "update-claim-map"):
        admin.ok("system", "oauth2", verb, "wiki", "roles", "staff", "editor", "reader")
    admin.ok("system", "oauth2", "update-claim-map-join", "wiki", "roles", "csv")
    shown = admin.ok("system", "oauth2", "get", "wiki").members
    assert {"scopes: idm_all_accounts: openid", "staff: openid email", "supplementary: staff: edit"} <= set(shown)
    assert "claims: roles (csv): staff: editor reader" in shown
    admin.ok("system", "oauth2", "set_implicit_scopes", "wiki")
    admin.ok("system", "oauth2", "delete-sup-scope-map", "wiki", "staff")
    admin.ok("system", "oauth2", "delete-claim-map", "wiki", "roles", "staff")
    admin.ok("system", "oauth2", "delete_scope_map", "wiki", "staff")
    found = admin.ok("system", "oauth2", "get", "wiki", "-o", "json").lines[0]
    assert (found["scope_maps"], found["supplementary_scope_maps"], found["claim_maps"]) == ([], [], [])
    done = admin.run("system", "oauth2", "update-claim-map", "wiki", "email", "staff", "x")
    assert "The claim email cannot be mapped" in done.err.replace("the claim", "The claim")


def test_attributes_and_ssh_keys_of_a_person_are_set_and_shown(admin):
    line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me@laptop"
    admin.ok("person", "create", "alice", "Alice Example")
    admin.ok("person", "update", "alice", "-a", "given_name=Alice", "-a", "address.country=DE", "--attribute", "nickname=Al")
    admin.ok("person", "update", "alice", "-a", "nickname=")
    admin.ok("person", "ssh", "add-publickey", "alice", "laptop", line)
    shown = admin.ok("person", "profile", "alice").members
    assert {"given_name: Alice", "address.country: DE", f"SSH public keys: laptop: {line.rpartition(' ')[0]}"} <= set(shown)
    assert "laptop" in admin.ok("person", "ssh", "list-publickeys", "alice").out
    admin.ok("person", "ssh", "delete-publickey", "alice", "laptop")
    assert "has no SSH public keys" in admin.ok("person", "ssh", "list-publickeys", "alice", tty=True).err
    assert "NAME=VALUE" not in admin.run("person", "update", "alice", "-a", "given_name").err
    assert "the phone_number of a person" in admin.run("person", "update", "alice", "-a", "phone_number=12").err


def test_people_are_searched_by_the_beginnings_of_words(admin):
    for name, display_name in (("alice", "Alice Example"), ("bob", "Robert Sample")):
        admin.ok("person", "create", name, display_name)
    assert [each["name"] for each in admin.ok("person", "search", "ROBERT", "-o", "json").lines] == ["bob"]
    assert [each["name"] for each in admin.ok("person", "search", "exam", "-o", "json").lines] == ["alice"]
    assert "No name or address has words that begin with 'zoe'" in admin.ok("person", "search", "zoe", tty=True).err


def test_clients_share_an_issuer_and_get_their_own_back(admin):
    told = admin.ok(*OAUTH2, "issuer", "create", "team", tty=True)
    assert f"Created the issuer team: {PEOPLE}/oauth2/issuers/team" in told.out
    admin.ok(*OAUTH2, "create", "wiki", "Wiki", "https://wiki.example.org", "--issuer", "team")
    shown = admin.ok(*OAUTH2, "get", "wiki")
    assert {f"issuer: {PEOPLE}/oauth2/issuers/team", "shared issuer: team"} <= set(shown.members)
    assert "team" in admin.ok(*OAUTH2, "issuer", "list").out
    assert "RS256, signs" in admin.ok(*OAUTH2, "issuer", "get", "team").out
    done = admin.run(*OAUTH2, "rotate-cryptographic-keys", "wiki", "now")
    assert done.code == 1
    assert "Do it with: sealwright system oauth2 issuer rotate-keys team" in done.err
    assert len(admin.ok(*OAUTH2, "issuer", "rotate-keys", "team", "-o", "json").json["items"]) == 4
    assert admin.run(*OAUTH2, "issuer", "delete", "team").code != 0
    moved = admin.ok(*OAUTH2, "set-issuer", "wiki", "-o", "json").json
    assert (moved["issuer"], moved["issuer_url"]) == (None, f"{PEOPLE}/oauth2/openid/wiki")
    admin.ok(*OAUTH2, "issuer", "delete", "team")
    assert admin.run(*OAUTH2, "issuer", "get", "team").code == 4


def test_registration_token_is_printed_once_listed_and_deleted(admin):
    made = admin.ok(*OAUTH2, "registration-token", "create", "--uses", "2", "--expires", "30m")
    (token,) = made.out.split()
    listed = admin.ok(*OAUTH2, "registration-token", "list").out
    assert token not in listed
    made = admin.ok(*OAUTH2, "registration-token", "create", "--group", "idm_all_accounts", "--scope", "a", "-o", "json").json
    assert (made["uses_left"], made["scopes"], made["group"]) == (1, ["a"], "idm_all_accounts")
    admin.ok(*OAUTH2, "registration-token", "delete", made["id"])
    assert made["id"] not in admin.ok(*OAUTH2, "registration-token", "list").out
    assert admin.run(*OAUTH2, "registration-token", "create", "--expires", "soon").code == 2
    assert admin.run(*OAUTH2, "registration-token", "create", "--scope", "a").code == 1


@pytest.mark.parametrize("command", [("revoke-cryptographic-key", "wiki"), ("issuer", "revoke-key", "team")])
@pytest.mark.parametrize("key", ["-o" + "A" * 41, "--" + "z" * 41, "-m_" + "7" * 40])
def test_id_of_a_key_that_begins_with_a_hyphen_is_no_option(admin, command, key):
    admin.ok(*OAUTH2, "issuer", "create", "team")
    admin.ok(*OAUTH2, "create", "wiki", "Wiki", "https://wiki.example.org")
    done = admin.run(*OAUTH2, *command, key, "-o", "json")
    assert done.code == 4
    assert key in done.err


def test_what_someone_proves_themselves_with_is_shown_and_lost_second_factors_are_removed(admin):
    admin.person("alice")
    shown = admin.ok("person", "credential", "status", "alice")
    assert any(each.startswith("password: since ") for each in shown.members)
    assert "recovery codes left: 0" in shown.members
    done = admin.ok("person", "credential", "remove-second-factors", "alice", "-o", "json").json
    assert (done["second_factors_removed"], done["passkeys_removed"], done["certificates_kept"]) == (0, 0, 0)
    assert done["api_keys_ended"] == 0
    assert (
        "Removed of alice: 0 second factors and 0 passkeys"
        in admin.ok("person", "credential", "remove-second-factors", "alice", "--keep-certificates", tty=True, stdin="y\n").out
    )
    assert admin.run("person", "credential", "status", "nobody").code == 4
    assert admin.run("person", "credential", "remove-second-factors", "admin").code == 5
