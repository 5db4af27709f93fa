"""The main flow on PostgreSQL, and two nodes that share one database."""

import asyncio
import base64
import json
import subprocess
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import asyncpg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.interop import people
from tests.interop.client_programs import OAUTH2
from tests.interop.test_machine_clients import introspected, own_token, sent_json
from tests.interop.wire import Requester, line, new_key, signing_request
from tests.live import PATIENCE, PERSON_PASSWORD, PROVISIONER_PASSWORD, LiveServer, wait_until

CURL = 0.5
"""Seconds that one call of curl may take on a busy machine."""
KEY = base64.b64encode(bytes(range(32))).decode()


@contextmanager
def empty_database(postgresql_url):
    """A database without any table; its URL."""
    name = f"live_{uuid.uuid4().hex}"

    async def execute(statement):
        connection = await asyncpg.connect(postgresql_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(execute(f"CREATE DATABASE {name}"))
    try:
        yield f"{postgresql_url.rpartition('/')[0]}/{name}"
    finally:
        asyncio.run(execute(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="module")
def database_url(postgresql_url):
    with empty_database(postgresql_url) as url:
        yield url


@pytest.fixture(scope="module")
def nodes(database_url, tmp_path_factory):
    """Two servers with homes of their own, one database, one key-encryption key and one public address, that of the first."""
    first = LiveServer.at(tmp_path_factory.mktemp("first"), database_url=database_url)
    second = LiveServer.at(tmp_path_factory.mktemp("second"), database_url=database_url)
    for node in (first, second):
        node.more_environment = {"SEALWRIGHT_KEY": KEY}
        node.init(provisioner=node is first)
    for listener in ("people", "machines"):
        second.set(f"urls.{listener}", f'"{getattr(first, listener)}"')
    with ExitStack() as running:
        for node in (first, second):
            node.start()
            running.callback(node.stop)
        first.set_up()
        yield first, second


def person_of(node, name):
    """A new person who may sign in at the client."""
    password = node.file(f"{name}-password", PERSON_PASSWORD)
    node.sealwright("person", "create", name, f"{name.title()} Example", "--mail", f"{name}@example.org")
    node.sealwright("person", "set-password", name, "--password-file", password)
    node.sealwright("group", "add-members", "step-ca_users", name)
    return name


def issued_on(node, person):
    """A certificate of a person in files: certificate and key."""
    done = people.issue(node, f"{person}@example.org", f"{person}.crt", f"{person}.key", "--provisioner", "kanidm", person=person)
    assert done.returncode == 0, done.stderr
    return node.place / f"{person}.crt", node.place / f"{person}.key"


def renew_on(node, pair):
    with line(node.machines, node.root, certificate=pair) as opened:
        return opened.send("POST", "/renew")


def test_main_flow(nodes):
    first, _ = nodes
    crt, key = issued_on(first, person_of(first, "dave"))
    assert "dave@example.org" in first.sealwright("certificate", "inspect", "--short", crt)
    first.sealwright("certificate", "renew", crt, key)
    curl = ["curl", "--silent", "--fail", "--cacert", first.root, "--cert", crt, "--key", key, f"{first.machines}/health"]
    assert '"ok"' in subprocess.run(curl, capture_output=True, text=True, check=True, timeout=PATIENCE).stdout
    listed = [json.loads(each) for each in first.sealwright("certificate", "list", "-o", "json").splitlines()]
    old, new = sorted(
        (each for each in listed if each["person"] == "dave@localhost"), key=lambda each: each["renewed_from"] or ""
    )
    assert (old["state"], old["renewed_from"]) == ("issued", None)
    assert (new["state"], new["renewed_from"]) == ("issued", old["serial"])
    user = ("--provisioner", "first", "--provisioner-password-file", "provisioner-password", "--ca-url", first.machines)
    first.step("ca", "certificate", "web.example.org", "web.crt", "web.key", *user, "--root", first.root)
    first.step("certificate", "verify", "web.crt", "--roots", first.root)


def test_both_homes_are_sound_and_hold_one_root(nodes):
    first, second = nodes
    assert first.root.read_bytes() == second.root.read_bytes()
    for node in nodes:
        findings = node.sealwright("doctor", "--dir", node.home)
        assert "PostgreSQL, schema" in findings


def test_database_url_is_shown_nowhere_with_its_password(nodes):
    first, _ = nodes
    assert first.database_url.rpartition("/")[2] not in first.log.read_text()


def test_third_node_with_another_key_is_refused(nodes, tmp_path):
    first, _ = nodes
    third = LiveServer.at(tmp_path, database_url=first.database_url)
    done = third.attempt("init", "--dir", third.home)
    assert done.returncode == 1
    assert "belongs to a server with another key-encryption key" in done.stderr
    assert "SEALWRIGHT_KEY" in done.stderr
    assert not third.home.exists()


def test_further_node_with_the_provisioner_of_the_first_is_told_to_leave_it_out(nodes, tmp_path):
    first, _ = nodes
    third = LiveServer.at(tmp_path, database_url=first.database_url)
    password = third.file("provisioner-password", PROVISIONER_PASSWORD)
    flags = ("--provisioner", "first", "--provisioner-password-file", password)
    done = third.attempt("init", "--dir", third.home, *flags, SEALWRIGHT_KEY=KEY)
    assert done.returncode == 5
    assert "a provisioner with the name 'first' exists already." in done.stderr
    assert "\n  Leave --provisioner out: the first node, or an init that did not come to its end, has made it.\n" in done.stderr
    assert not third.home.exists()


def test_init_that_is_refused_leaves_nothing_in_the_database_that_only_its_key_would_open(postgresql_url, tmp_path):
    with empty_database(postgresql_url) as url:
        node = LiveServer.at(tmp_path, database_url=url)
        password = node.file("provisioner-password", PROVISIONER_PASSWORD)
        flags = ("--provisioner", "p" * 1000, "--provisioner-password-file", password)
        assert "printable characters" in node.attempt("init", "--dir", node.home, *flags).stderr
        assert not node.home.exists()
        done = node.attempt("init", "--dir", node.home)
        assert (done.returncode, done.stderr) == (0, "")


def test_nodes_that_are_made_at_once_on_an_empty_database_share_one_root(postgresql_url, tmp_path):
    with empty_database(postgresql_url) as url, ThreadPoolExecutor(3) as pool:
        several = [LiveServer.at(tmp_path / str(number), database_url=url) for number in range(3)]
        for node in several:
            node.more_environment = {"SEALWRIGHT_KEY": KEY}
        done = list(pool.map(lambda node: node.attempt("init", "--dir", node.home), several))
        assert [(each.returncode, each.stderr) for each in done] == [(0, "")] * 3
        assert len({node.root.read_bytes() for node in several}) == 1


def test_person_who_is_disabled_on_one_node_is_disabled_on_the_other_at_once(nodes):
    first, second = nodes
    person = person_of(first, "bob")
    pair = issued_on(first, person)
    browser = people.sign_in(first, person)
    token = people.id_token(first, browser)
    assert renew_on(second, pair).status == 201
    first.sealwright("person", "disable", person)
    refused = renew_on(second, pair)
    assert refused.status == 403, refused.body
    assert "disabled" in refused.json()["message"]
    assert people.with_token(second, signing_request(new_key(), ""), token).status == 403
    second.step("ca", "renew", "--force", "--mtls=false", *pair, "--ca-url", second.machines, "--root", second.root, expect=1)
    first.sealwright("person", "enable", person)
    assert renew_on(second, pair).status == 201


def test_revoked_on_one_node_is_not_renewed_on_the_other(nodes):
    first, second = nodes
    pair = issued_on(first, person_of(first, "carol"))
    serial = x509.load_pem_x509_certificates(pair[0].read_bytes())[0].serial_number
    first.sealwright("certificate", "revoke", str(serial), "--reason", "superseded")
    assert renew_on(second, pair).status in (401, 403)


def test_provisioner_added_and_removed_on_one_node_counts_on_the_other_at_once(nodes):
    first, second = nodes

    def known():
        with line(second.machines, second.root) as opened:
            return [each["name"] for each in opened.send("GET", "/provisioners").json()["provisioners"]]

    password = first.file("ops-password", "a-password-for-operations-7")
    first.sealwright("provisioner", "add", "ops", "--type", "jwk", "--password-file", password)
    assert "ops" in known()
    first.sealwright("provisioner", "remove", "ops")
    assert "ops" not in known()


@pytest.mark.parametrize("kind", ["jwk", "oidc"])
def test_token_is_good_for_one_certificate_on_all_nodes_together(nodes, kind):
    first, second = nodes
    requester = Requester(first)
    if kind == "jwk":
        body = requester.sign_body("once.example.org")
    else:
        body = {"csr": signing_request(requester.key, ""), "ott": people.id_token(first, people.sign_in(first))}

    def send(node):
        with line(node.machines, node.root) as opened:
            return opened.send("POST", "/sign", body)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, [first, second] * 8))
    assert sorted(each.status for each in answers) == [201] + [401] * 15
    assert send(first).status == send(second).status == 401
    assert "used before" in send(second).json()["message"]


async def end_all_connections(database_url):
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    finally:
        await connection.close()


def test_connections_that_the_database_ends_are_made_anew(nodes):
    first, second = nodes
    requester = Requester(first)
    with line(first.machines, first.root) as one, line(second.machines, second.root) as other:
        for each in (one, other):
            assert each.send("POST", "/sign", requester.sign_body("before.example.org")).status == 201
        asyncio.run(end_all_connections(first.database_url))
        for each in (one, other):
            statuses = [each.send("POST", "/sign", requester.sign_body("after.example.org")).status for _ in range(5)]
            assert set(statuses) <= {201, 503}
            assert statuses[-1] == 201


def test_node_that_is_killed_leaves_nothing_half_done_and_the_other_goes_on(nodes):
    first, second = nodes
    requester = Requester(first)
    received, stopped, failures = [], threading.Event(), []
    requester.token("load.example.org")

    def ask(node, may_break):
        try:
            with line(node.machines, node.root) as opened:
                while not stopped.is_set():
                    answer = opened.send("POST", "/sign", requester.sign_body("load.example.org"))
                    assert answer.status == 201
                    received.append(answer.json()["crt"])
        except (OSError, AssertionError, ValueError) as failure:
            if not may_break:
                failures.append(failure)

    threads = [threading.Thread(target=ask, args=(second, True)) for _ in range(3)]
    threads.append(threading.Thread(target=ask, args=(first, False)))
    for each in threads:
        each.start()
    try:
        wait_until(lambda: len(received) >= 40 or failures, "40 certificates")
        second.kill()
        count = len(received)
        wait_until(lambda: len(received) >= count + 10 or failures, "certificates from the other node")
    finally:
        stopped.set()
        for each in threads:
            each.join(2 * PATIENCE)
    assert failures == []
    second.start()
    assert Requester(second).token("x")
    with line(second.machines, second.root) as opened:
        assert opened.send("POST", "/sign", requester.sign_body("again.example.org")).status == 201
    assert set(received) <= set(stored(first))
    assert "unbroken" in second.sealwright("doctor", "--dir", second.home)


def stored(node):
    """The PEM of every certificate in the store."""

    async def read():
        connection = await asyncpg.connect(node.database_url)
        try:
            return [row["der"] for row in await connection.fetch("SELECT der FROM certificates WHERE der IS NOT NULL")]
        finally:
            await connection.close()

    return [x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM).decode() for der in asyncio.run(read())]


def test_machine_enrols_renews_twice_and_ends_with_its_certificate_on_the_other_node_within_a_second(nodes):
    first, second = nodes
    user = ("--provisioner", "first", "--provisioner-password-file", "provisioner-password")
    here, there = (("--ca-url", node.machines, "--root", node.root) for node in nodes)
    crt, key = first.place / "svc.crt", first.place / "svc.key"
    first.step("ca", "certificate", "svc.example.org", crt, key, *user, *here)
    first.sealwright(*OAUTH2, "issuer", "create", "main", "--root")
    scope = ("--group", "step-ca_users", "--scope", "bills:read")
    let_in = first.sealwright(*OAUTH2, "registration-token", "create", *scope).strip()
    document = {"redirect_uris": [], "response_types": [], "grant_types": ["client_credentials"]} | {
        "token_endpoint_auth_method": "tls_client_auth",
        "tls_client_auth_san_dns": "svc.example.org",
        "tls_client_certificate_bound_access_tokens": True,
    }
    status, registered = sent_json(second, "/reg", document, let_in)
    assert status == 201, registered
    client = registered["client_id"]
    tokens = []
    for node, place in ((first, there), (second, here), (first, None)):
        status, told = own_token(node, client, crt, key)
        assert status == 200, told
        tokens.append(told["access_token"])
        if place is not None:
            first.step("ca", "rekey", crt, key, "--force", *place)
    bound = [introspected(second, client, token, crt, key)[1]["cnf"]["x5t#S256"] for token in tokens]
    assert len(set(bound)) == 3
    old = (first.place / "old.crt", first.place / "old.key")
    for now, before in zip((crt, key), old, strict=True):
        before.write_bytes(now.read_bytes())
    first.step("ca", "rekey", crt, key, "--force", *here)
    assert introspected(second, client, tokens[-1], crt, key)[1]["active"]
    first.step("ca", "revoke", "--cert", old[0], "--key", old[1], *here)
    began = time.monotonic()
    assert introspected(second, client, tokens[-1], crt, key) == (200, {"active": False})
    assert own_token(second, client, *old)[0] == 401
    assert time.monotonic() - began < 1 + 2 * CURL
    assert own_token(second, client, crt, key)[0] == 200
