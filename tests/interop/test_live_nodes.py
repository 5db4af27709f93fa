"""Three processes behind one address, of which any dies at any time; and one node that is upgraded while another serves."""

import asyncio
import http.client
import os
import subprocess
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from urllib.parse import urlencode

import asyncpg
import pytest

from sealwright.db.migrate import NEWEST, migrate
from tests.interop import people
from tests.interop.balancer import balanced
from tests.interop.test_live_postgresql import KEY, empty_database
from tests.interop.wire import Requester, line, new_key, signing_request
from tests.live import ADMIN_PASSWORD, PERSON_PASSWORD, LiveServer, free_ports
from tests.reference_script import ROOT

FORM = "application/x-www-form-urlencoded"
BROKEN = (OSError, http.client.HTTPException)
FIRST_NEW_MIGRATION = "0051_audit_chains.py"
"""The previous program is that of the commit before this file came."""
VOTERS = ("bob", "carol")


async def rows_of(url, query):
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetch(query)
    finally:
        await connection.close()


def rows(url, query):
    return [tuple(row) for row in asyncio.run(rows_of(url, query))]


def until_answered(attempt):
    """Ask until an answer comes: a connection that breaks, and a node that is on its way out, are no answer."""
    for _ in range(200):
        try:
            answer = attempt()
        except BROKEN:
            continue
        if answer.status != 503:
            return answer
    raise AssertionError("no answer came in 200 attempts")


def call(front, token, method, path, body=None):
    """A call of the API, which is the same one however often it is sent."""
    key = uuid.uuid4().hex

    def attempt():
        with line(front.people, front.root) as opened:
            more = {"authorization": f"Bearer {token}", "idempotency_key": key} if token else {}
            return opened.send(method, f"/api/v1{path}", body, **more)

    return until_answered(attempt)


def token_of(front, name, password=PERSON_PASSWORD):
    answer = call(front, None, "POST", "/login", {"name": name, "password": password})
    assert answer.status == 201, answer.body
    return answer.json()["token"]


class Load:
    """What clients do through the balancer, and what they were told is done."""

    def __init__(self, front):
        self.front, self.requester = front, Requester(front)
        self.requester.token("warm.example.org")
        self.certificates, self.browsers, self.refresh_tokens, self.granted = [], [], [], []
        self.asked = {"certificates": 0, "codes": 0}

    def certificate(self, number):
        """A token is good for one certificate: sent again after a broken answer, it gets the first one's place or none."""
        name = f"drill-{number}.example.org"
        body = self.requester.sign_body(name)
        self.asked["certificates"] += 1

        def attempt():
            with line(self.front.machines, self.front.root) as opened:
                return opened.send("POST", "/sign", body)

        answer = until_answered(attempt)
        assert answer.status in (201, 401), answer.body
        if answer.status == 201:
            self.certificates.append(name)

    def certificates_called(self, half):
        for number in range(40):
            self.certificate(f"{half}-{number}")

    def sign_in(self):
        while True:
            try:
                browser = people.sign_in(self.front)
                told, verifier = people.code_for(self.front, browser)
                break
            except BROKEN:
                continue
        self.browsers.append(browser)
        self.asked["codes"] += 1
        answer = until_answered(lambda: people.redeem(self.front, told["code"], verifier))
        if answer.status == 200:
            self.refresh_tokens.append(answer.json()["refresh_token"])

    def approval(self, number, admin, voters):
        """Two vote at once, and each again until they are told how it ended."""
        grant = {"role": "r-operator", "group": f"team-{number}"}
        told = call(self.front, admin, "POST", "/auth/grants", grant)
        assert told.status == 202, told.body
        with ThreadPoolExecutor(2) as pool:
            path = f"/approvals/{told.json()['approval']}/approve"
            answers = list(pool.map(lambda token: call(self.front, token, "POST", path, {}), voters))
        assert {each.status for each in answers} <= {200, 409}, [each.body for each in answers]
        self.granted.append(grant["group"])


@pytest.fixture(scope="module")
def cluster(postgresql_url, tmp_path_factory):
    """Three servers on one database, and the address in front of them."""
    with empty_database(postgresql_url) as url, ExitStack() as running:
        nodes = [LiveServer.at(tmp_path_factory.mktemp("node"), database_url=url) for _ in range(3)]
        people_port, machines_port = free_ports(2)
        front = replace(nodes[0], people_port=people_port, machines_port=machines_port, more_environment={"SEALWRIGHT_KEY": KEY})
        behind = {people_port: [each.people_port for each in nodes], machines_port: [each.machines_port for each in nodes]}
        running.enter_context(balanced(behind))
        for node in nodes:
            node.more_environment = {"SEALWRIGHT_KEY": KEY}
            node.init(provisioner=node is nodes[0])
            node.set("urls.people", f'"{front.people}"')
            node.set("urls.machines", f'"{front.machines}"')
        for node in nodes:
            node.start()
            running.callback(node.stop)
        front.set_up()
        yield nodes, front


def test_nothing_is_lost_or_doubled_while_nodes_are_killed_under_load(cluster):
    nodes, front = cluster
    url = front.database_url
    password = front.file("person-password", PERSON_PASSWORD)
    front.sealwright("group", "create", "approvers")
    for name in VOTERS:
        front.sealwright("person", "create", name, name.title())
        front.sealwright("person", "set-password", name, "--password-file", password)
    front.sealwright("group", "add-members", "approvers", *VOTERS)
    admin, voters = token_of(front, "admin", ADMIN_PASSWORD), [token_of(front, name) for name in VOTERS]
    assert call(front, admin, "PUT", "/approval-rules/role:r-operator", {"group": "approvers"}).status == 200
    for number in range(3):
        assert call(front, admin, "POST", "/groups", {"name": f"team-{number}"}).status == 201
    load = Load(front)
    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(load.certificates_called, half) for half in "ab"]
        done.append(pool.submit(lambda: [load.sign_in() for _ in range(5)]))
        done.append(pool.submit(lambda: [load.approval(each, admin, voters) for each in range(3)]))
        for node in (nodes[1], nodes[2], nodes[0]):
            threading.Event().wait(0.3)
            node.kill()
            node.start()
        for each in done:
            each.result()
    issued = dict(
        rows(
            url,
            "SELECT subject_name, count(*) FROM certificates WHERE subject_name LIKE 'drill-%' AND der IS NOT NULL GROUP BY 1",
        )
    )
    assert set(load.certificates) <= set(issued)
    assert set(issued.values()) == {1}
    assert len(issued) <= load.asked["certificates"] == 80
    for browser in load.browsers:
        for node in nodes:
            with line(node.people, node.root) as opened:
                cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies[front.people].items())
                host = front.people.removeprefix("https://")
                assert opened.send("GET", "/ui/account", cookie=cookies, host=host).status == 200
    for refresh in load.refresh_tokens:
        body = urlencode({"grant_type": "refresh_token", "client_id": "step-ca", "refresh_token": refresh}).encode()
        with line(front.people, front.root) as opened:
            assert opened.send("POST", "/oauth2/token", body, content_type=FORM).status == 200
    ((families,),) = rows(url, "SELECT count(*) FROM oauth_families")
    assert len(load.refresh_tokens) <= families <= load.asked["codes"]
    grants = rows(url, "SELECT group_id, count(*) FROM role_grants WHERE role = 'r-operator' AND group_id IS NOT NULL GROUP BY 1")
    assert [count for _, count in grants] == [1] * len(load.granted) == [1] * 3
    assert "unbroken" in nodes[0].sealwright("doctor", "--dir", nodes[0].home)


# --- upgrade ---------------------------------------------------------------------------------------------------------


def previous_program(place):
    """The source of the program before the newest schema changes; None where there is no history to take it from."""
    file = f"src/sealwright/db/migrations/versions/{FIRST_NEW_MIGRATION}"
    command = ["git", "log", "--diff-filter=A", "--format=%H", "--", file]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    commits = found.stdout.split()
    if not commits:
        return None
    archive = subprocess.run(["git", "archive", f"{commits[-1]}^", "src"], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        return None
    place.mkdir()
    subprocess.run(["tar", "--extract", "--directory", str(place)], input=archive.stdout, check=True)
    return place / "src"


def test_program_of_the_version_before_serves_on_while_the_schema_is_upgraded_and_the_new_one_beside_it(postgresql_url, tmp_path):
    source = previous_program(tmp_path / "previous")
    if source is None:
        missing = f"there is no git history with {FIRST_NEW_MIGRATION}: fetch all of it"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    with empty_database(postgresql_url) as url, ExitStack() as running:
        old, new = (LiveServer.at(tmp_path / name, database_url=url) for name in ("old", "new"))
        old.more_environment = {"SEALWRIGHT_KEY": KEY, "PYTHONPATH": str(source)}
        new.more_environment = {"SEALWRIGHT_KEY": KEY}
        old.init()
        old.start()
        running.callback(old.stop)
        old.set_up()
        before = asyncio.run(migrate(url, may_create=False))
        assert before == "0050" < NEWEST
        new.init(provisioner=False)
        for listener in ("people", "machines"):
            new.set(f"urls.{listener}", f'"{getattr(old, listener)}"')
        new.start()
        running.callback(new.stop)
        browser = people.sign_in(old)
        told, verifier = people.code_for(old, browser)
        tokens = people.redeem(old, told["code"], verifier).json()
        for node in (old, new):
            token = people.id_token(old, browser)
            assert people.with_token(node, signing_request(new_key(), ""), token).status == 201
            with line(node.machines, node.root) as opened:
                assert opened.send("POST", "/sign", Requester(old).sign_body("machine.example.org")).status == 201
        for node in (old, new, old):
            form = {"grant_type": "refresh_token", "client_id": "step-ca", "refresh_token": tokens["refresh_token"]}
            with line(node.people, node.root) as opened:
                host = old.people.removeprefix("https://")
                answer = opened.send("POST", "/oauth2/token", urlencode(form).encode(), content_type=FORM, host=host)
            assert answer.status == 200, answer.body
            tokens = answer.json()
        old.sealwright("person", "create", "dora", "Dora of the Old Node")
        assert token_of(new, "admin", ADMIN_PASSWORD)
        assert "unbroken" in new.sealwright("doctor", "--dir", new.home)
