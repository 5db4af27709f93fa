"""A client that does what Nextcloud's user_oidc does, against a live server: the old version, and the present one.

Nextcloud itself is in no registry that the tests install from.
"""

from tests.interop.client_programs import GOODBYE, OAUTH2, python_client, register, sign_in, sign_in_and_out, signs_with
from tests.live import free_ports

SCOPES = ("openid", "profile", "email")


def test_nextcloud_without_pkce_and_es256_works_with_both_legacy_switches(server, tmp_path):
    """It takes the name and the address from the ID token and never asks userinfo for them."""
    settings = register(server, "nextcloud-old", *SCOPES)
    server.sealwright(*OAUTH2, "warning_insecure_client_disable_pkce", "nextcloud-old")
    server.sealwright(*OAUTH2, "warning_enable_legacy_crypto", "nextcloud-old")
    signs_with(server, settings, "RS256")
    with python_client("user_oidc.py", server, tmp_path, old=True, **settings) as program:
        program.send({"callback": sign_in(server, program.receive()["open"], settings["redirect_uri"])})
        result = program.receive()
    person = server.sealwright_json("person", "get", "alice")
    told = result["claims"]
    assert (told["sub"], told["name"], told["email"]) == (person["id"], person["display_name"], person["mails"][0]["address"])


def test_nextcloud_with_pkce_ends_its_session_when_it_is_told_by_the_back_channel(server, tmp_path):
    (port,) = free_ports(1)
    settings = register(server, "nextcloud", *SCOPES)
    address = f"https://127.0.0.2:{port}/apps/user_oidc/backchannel-logout/Sealwright"
    server.sealwright(*OAUTH2, "set-backchannel-logout-url", "nextcloud", address)
    of_tls = {"certificate": str(tmp_path / "nextcloud.crt"), "key": str(tmp_path / "nextcloud.key")}
    password = ("--provisioner", "first", "--provisioner-password-file", server.place / "provisioner-password")
    ca = ("--ca-url", server.machines, "--root", server.root)
    server.step("ca", "certificate", "127.0.0.2", of_tls["certificate"], of_tls["key"], *password, *ca)
    with python_client("user_oidc.py", server, tmp_path, port=port, **of_tls, **settings) as program:
        result = sign_in_and_out(server, program, settings)
    person = server.sealwright_json("person", "get", "alice")
    assert (result["claims"]["sub"], result["person"]["email"]) == (person["id"], person["mails"][0]["address"])
    assert result["left"] == GOODBYE
    (told,) = result["told"]
    assert told["ended"], told
    assert told["claims"]["sid"] == result["claims"]["sid"]
    assert result["signed_in"] == 0
