"""The read endpoints of the step wire: GET and HEAD, with and without /1.0, held against the real step-ca."""

import hashlib
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.interop.wire import Requester, exchange, line, new_key, provisioners, signing_request, write_key

READS = (
    "/health",
    "/version",
    "/root/{fingerprint}",
    "/roots",
    "/roots.pem",
    "/intermediates",
    "/intermediates.pem",
    "/federation",
    "/provisioners",
    "/provisioners?limit=1",
    "/provisioners/{kid}/encrypted-key",
)


def ask(authority, path, kid, *, method="GET", prefix=""):
    root = authority.provider.root if authority.kind == "sealwright" else authority.place / "ca" / "certs" / "root_ca.crt"
    with line(authority.url, root) as opened:
        return opened.send(method, prefix + path.format(fingerprint=authority.fingerprint, kid=kid))


def kid_of_first(authority):
    listed = json.loads(ask(authority, "/provisioners", "").body)["provisioners"]
    return next(each["key"]["kid"] for each in listed if each["name"] == "first")


def shape(value):
    """What kinds of values there are, without the values."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


@pytest.mark.parametrize("path", READS)
def test_answers_like_step_ca(ours, oracle, path):
    mine, theirs = (ask(each, path, kid_of_first(each)) for each in (ours, oracle))
    assert mine.status == theirs.status
    assert mine.headers["content-type"] == theirs.headers["content-type"].partition(";")[0]
    if path.endswith(".pem"):
        assert len(x509.load_pem_x509_certificates(mine.body)) == len(x509.load_pem_x509_certificates(theirs.body)) == 1
    elif not path.startswith("/provisioners?") and path != "/provisioners":
        assert shape(json.loads(mine.body)) == shape(json.loads(theirs.body))
    else:
        assert set(json.loads(mine.body)) == set(json.loads(theirs.body)) == {"provisioners", "nextCursor"}


@pytest.mark.parametrize("path", READS)
def test_twin_answers_the_same_and_head_sends_no_body(ours, path):
    kid = kid_of_first(ours)
    plain, twin = ask(ours, path, kid), ask(ours, path, kid, prefix="/1.0")
    assert (twin.status, twin.body) == (plain.status, plain.body)
    for prefix in ("", "/1.0"):
        head = ask(ours, path, kid, method="HEAD", prefix=prefix)
        assert (head.status, head.body) == (plain.status, b"")
        assert head.headers["content-length"] == str(len(plain.body))
        assert head.headers["content-type"] == plain.headers["content-type"]


def test_provisioner_is_listed_with_the_members_that_step_reads(ours, oracle):
    found = {}
    for each in (ours, oracle):
        listed = {entry["name"]: entry for entry in json.loads(ask(each, "/provisioners?limit=100", "").body)["provisioners"]}
        found[each.kind] = listed
    set_otherwise = {"claims", "clientSecret", "scopes", "options"}  # members that the two were made with or without
    for name in ("first", "kanidm"):
        mine, theirs = found["sealwright"][name], found["step-ca"][name]
        assert set(mine) - set_otherwise == set(theirs) - set_otherwise, name
        assert mine["type"] == theirs["type"]


def test_pages_hold_every_provisioner_once(ours):
    names = [each["name"] for each in provisioners(ours.provider)]
    assert len(names) == len(set(names))
    assert {"first", "kanidm"} <= set(names)
    assert [each["name"] for each in provisioners(ours.provider, "/1.0")] == names


def test_root_is_found_by_its_fingerprint_only(ours, oracle):
    for each in (ours, oracle):
        found = json.loads(ask(each, "/root/{fingerprint}", "").body)["ca"]
        der = x509.load_pem_x509_certificate(found.encode()).public_bytes(Encoding.DER)
        assert hashlib.sha256(der).hexdigest() == each.fingerprint
        assert ask(each, f"/root/{'0' * 64}", "").status == 404


@pytest.mark.parametrize("prefix", ["", "/1.0"])
def test_sign_renew_rekey_and_revoke_have_twins(ours, tmp_path, prefix):
    server = ours.provider
    requester = Requester(server)
    with line(server.machines, server.root) as opened:
        signed = opened.send("POST", f"{prefix}/sign", requester.sign_body("twin.example.org"))
    assert signed.status == 201
    assert set(signed.json()) == {"crt", "ca", "certChain", "tlsOptions"}
    crt = tmp_path / "twin.crt"
    crt.write_text("".join(signed.json()["certChain"]))
    key = write_key(tmp_path / "twin.key", requester.key)
    with line(server.machines, server.root, certificate=(crt, key)) as opened:
        renewed = opened.send("POST", f"{prefix}/renew")
        rekeyed = opened.send("POST", f"{prefix}/rekey", {"csr": signing_request(new_key(), "twin.example.org")})
        assert (renewed.status, rekeyed.status) == (201, 201)
        serial = str(x509.load_pem_x509_certificate(signed.json()["crt"].encode()).serial_number)
        revoked = opened.send("POST", f"{prefix}/revoke", {"serial": serial, "reasonCode": 4, "passive": True})
        assert (revoked.status, revoked.json()) == (200, {"status": "ok"})
        assert opened.send("POST", f"{prefix}/renew").status in (401, 403)


def test_unknown_members_are_ignored_as_step_ca_does(ours):
    server = ours.provider
    body = Requester(server).sign_body("more.example.org") | {"templateData": {"x": 1}, "unknown": None, "CSR": "x"}
    with line(server.machines, server.root) as opened:
        assert opened.send("POST", "/sign", body).status == 201


def test_plain_http_to_a_tls_listener_gets_no_answer_of_ours(ours):
    server = ours.provider
    answer = exchange(
        server.machines.replace("https://", "http://"), server.root, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    )
    assert b"200" not in answer[:20]


def test_status_listener_answers_without_tls(ours):
    server = ours.provider
    with line(server.status, server.root) as opened:
        assert opened.send("GET", "/health").status == 200
        assert opened.send("POST", "/sign", {}).status == 404
