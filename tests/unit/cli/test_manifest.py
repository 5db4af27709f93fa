"""Manifests at the terminal: applied, compared, refused with the line, exported."""

import json

import pytest

from tests.unit.oauth.clients.test_image_formats import gif, png

MANIFEST = """\
version: 1
groups:
  wiki-users:
    description: Anyone who may use the wiki
    members: [alice]
people:
  alice:
    display_name: Alice Example
    mails: [alice@example.org]
clients:
  wiki:
    kind: confidential
    display_name: The wiki
    landing_url: https://wiki.example.org
    redirect_uris:
      - https://wiki.example.org/callback
    scope_maps:
      wiki-users: [email, openid]
provisioners:
  Google:
    type: OIDC
    clientID: abc
    clientSecret: {env: GOOGLE_SECRET}
    configurationEndpoint: https://accounts.google.com/.well-known/openid-configuration
"""
SECRET = {"GOOGLE_SECRET": "the secret of Google"}


def fails(admin, *arguments, stdin=""):
    done = admin.run(*arguments, stdin=stdin)
    assert (done.code != 0, done.out) == (True, ""), done
    return done


@pytest.fixture
def admin(shell, tmp_path):
    shell.sign_in("root", "system_admins")
    (tmp_path / "example.yaml").write_text(MANIFEST)
    return shell


def test_manifest_is_compared_applied_and_then_nothing_is_left_to_do(admin, tmp_path):
    admin.environ |= SECRET
    file = str(tmp_path / "example.yaml")
    trial = admin.ok("apply", "-f", file, "--dry-run")
    assert trial.out.splitlines()[:4] == [
        "+ group wiki-users",
        "    description: Anyone who may use the wiki",
        "    members:",
        "      + alice",
    ]
    assert "    clientSecret: (secret)" in trial.out.splitlines()
    assert trial.out.splitlines()[-1] == "Would be 4 created."
    done = admin.ok("apply", "-f", file)
    assert done.out.splitlines()[:-1] == trial.out.splitlines()[:-1]
    assert done.out.splitlines()[-1] == "Applied: 4 created."
    again = admin.ok("apply", "-f", file)
    assert again.out == "Nothing to change: the server is as the manifest says.\n"
    assert admin.ok("apply", "-f", file, "-o", "json").json == {"dry_run": False, "changes": []}
    assert "the secret of Google" not in trial.out + trial.err + done.out + done.err


def test_difference_is_told_member_by_member(admin, tmp_path):
    admin.environ |= SECRET
    file = tmp_path / "example.yaml"
    admin.ok("apply", "-f", str(file))
    file.write_text(
        MANIFEST.replace("The wiki", "Our wiki").replace("/callback", "/back").replace("[email, openid]", "[openid, groups]")
    )
    assert admin.ok("apply", "-f", str(file)).out.splitlines() == [
        "~ client wiki",
        "    display_name: The wiki → Our wiki",
        "    redirect_uris:",
        "      - https://wiki.example.org/callback",
        "      + https://wiki.example.org/back",
        "    scope_maps.wiki-users:",
        "      - email",
        "      + groups",
        "Applied: 1 changed.",
    ]


def test_every_fault_of_a_file_is_told_with_its_line_before_anything_is_sent(admin, tmp_path):
    file = tmp_path / "example.yaml"
    file.write_text(
        MANIFEST.replace("display_name: Alice", "displayname: Alice").replace("  wiki:\n", "  wiki:\n    require_pkce: 1\n")
    )
    before = len(admin.requests)
    refused = fails(admin, "apply", "-f", str(file))
    assert refused.code == 1
    assert refused.err.splitlines() == [
        f"Wrong value: {file}, line 8: 'displayname' is not known here. Perhaps display_name was meant.",
        f"  {file}, line 12: require_pkce must be true or false or null, not a whole number.",
        "  nothing was applied",
    ]
    assert len(admin.requests) == before


def test_what_the_server_refuses_is_told_with_its_line(admin, tmp_path):
    admin.environ |= SECRET
    file = tmp_path / "example.yaml"
    file.write_text(MANIFEST.replace("wiki-users: [email", "no-users: [email"))
    refused = fails(admin, "apply", "-f", str(file))
    assert f"{file}, line 18: There is no group 'no-users'." in refused.err
    assert "nothing was applied" in refused.err
    assert fails(admin, "person", "get", "alice").code == 4


def test_secrets_are_read_where_the_file_says(admin, tmp_path):
    file = tmp_path / "example.yaml"
    unset = fails(admin, "apply", "-f", str(file))
    assert (unset.code, "GOOGLE_SECRET is not set" in unset.err) == (2, True)
    (tmp_path / "google.secret").write_text("the secret of Google\n")
    file.write_text(MANIFEST.replace("{env: GOOGLE_SECRET}", "{file: google.secret}"))
    admin.ok("apply", "-f", str(file))
    admin.environ |= SECRET
    file.write_text(MANIFEST)
    assert admin.ok("apply", "-f", str(file)).out.startswith("Nothing to change")
    file.write_text(MANIFEST.replace("{env: GOOGLE_SECRET}", "in-the-clear"))
    refused = fails(admin, "apply", "-f", str(file))
    assert "a manifest holds none" in refused.err
    assert "in-the-clear" not in refused.err


def test_export_is_a_manifest_that_changes_nothing(admin, tmp_path):
    admin.environ |= {**SECRET, "GOOGLE_CLIENT_SECRET": SECRET["GOOGLE_SECRET"]}
    admin.ok("apply", "-f", str(tmp_path / "example.yaml"))
    text = admin.ok("export").out
    assert "the secret of Google" not in text
    assert "\n    clientSecret:\n      env: GOOGLE_CLIENT_SECRET\n" in text
    file = tmp_path / "exported.yaml"
    file.write_text(text)
    assert admin.ok("apply", "-f", str(file)).out.startswith("Nothing to change")
    assert admin.ok("export").out == text
    only = admin.ok("export", "--kind", "clients").out
    assert only.startswith("version: 1\nclients:\n  wiki:\n    display_name: The wiki\n    kind: confidential\n")
    assert "people:" not in only
    assert set(json.loads(admin.ok("export", "-o", "json").out)) == {"version", "groups", "people", "clients", "provisioners"}


def test_image_is_read_beside_the_manifest_and_exported_beside_it(admin, tmp_path):
    admin.environ |= SECRET
    file, exported = tmp_path / "example.yaml", tmp_path / "exported.yaml"
    (tmp_path / "wiki.png").write_bytes(png())
    file.write_text(MANIFEST.replace("    display_name: The wiki\n", "    display_name: The wiki\n    image: {file: wiki.png}\n"))
    assert "    image: sha256 " in admin.ok("apply", "-f", str(file)).out
    assert admin.ok("apply", "-f", str(file)).out.startswith("Nothing to change")
    exported.write_text(admin.ok("export", "--kind", "clients").out)
    assert "\n    image:\n      data: iVBORw0" in exported.read_text()
    assert admin.ok("apply", "-f", str(exported)).out.startswith("Nothing to change")
    exported.write_text(admin.ok("export", "--kind", "clients", "--images", str(tmp_path / "images")).out)
    assert f"\n    image:\n      file: {tmp_path}/images/wiki.png\n" in exported.read_text()
    assert (tmp_path / "images" / "wiki.png").read_bytes() == png()
    assert admin.ok("apply", "-f", str(exported)).out.startswith("Nothing to change")
    (tmp_path / "images" / "wiki.png").write_bytes(gif())
    assert admin.ok("apply", "-f", str(exported)).out.splitlines()[-1] == "Applied: 1 changed."
    (tmp_path / "images" / "wiki.png").write_bytes(b"<html>")
    refused = fails(admin, "apply", "-f", str(exported))
    assert f"{exported}, line 13: The file is not an image of a kind that is shown here." in refused.err
    (tmp_path / "images" / "wiki.png").unlink()
    assert fails(admin, "apply", "-f", str(exported)).code == 4


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"version: 1\npeople: [", "line 2: the manifest is not YAML"),
        (b"version: 1\na: \xff", "is not text in UTF-8"),
        (b"", "A manifest is a mapping."),
        (b"#" * 600_000, "is longer than 524288 bytes"),
        (b"version: 1\npeople: &a {}\nclients: *a", "line 2: the manifest uses an anchor"),
    ],
)
def test_file_that_is_no_manifest_is_refused(admin, tmp_path, content, words):
    (tmp_path / "wrong.yaml").write_bytes(content)
    refused = fails(admin, "apply", "-f", str(tmp_path / "wrong.yaml"))
    assert words in refused.err


def test_manifest_comes_from_standard_input(admin):
    assert admin.ok("apply", "-f", "-", stdin="version: 1\ngroups: {team: {}}\n").out.splitlines()[-1] == "Applied: 1 created."
    assert "line 2" in fails(admin, "apply", "-f", "-", stdin="version: 1\ngroup: {}\n").err


def test_missing_file_is_told(admin, tmp_path):
    assert fails(admin, "apply", "-f", str(tmp_path / "none.yaml")).code == 4
