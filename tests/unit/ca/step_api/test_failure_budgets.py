"""Refused certificate requests are limited, share an audit row, and cost no one else anything."""

from datetime import timedelta

from sealwright.audit import Event
from sealwright.http import Peer
from tests.authorities import csr

WEB = "web.example.org"

HERE, ELSEWHERE = Peer("192.0.2.1"), Peer("192.0.2.2")


async def sign(ca, request="no request", *, peer=HERE, token=""):
    body = {"csr": request, "ott": token or ca.jwk_token(WEB)}
    return await ca.respond("POST", "/1.0/sign", body, peer=peer)


async def test_refused_requests_of_one_provisioner_from_one_address_are_limited_and_share_an_audit_row(ca):
    await ca.add_jwk()
    statuses = [(await sign(ca)).status for _ in range(65)]
    assert statuses == [400] * 60 + [429] * 5
    refused = await sign(ca, csr())
    assert refused.status == 429
    assert b"Too many certificate requests of this account were refused" in refused.body
    assert dict(refused.headers)["retry-after"] == "1"
    assert (await sign(ca, csr(), peer=ELSEWHERE)).status == 201
    rows = [row for row in await ca.audit.newest(ca.db) if row.event == Event.CERTIFICATE_REFUSED]
    assert len(rows) == 1
    ca.clock.advance(timedelta(minutes=1))
    assert await ca.audit.write_repeated(ca.db) == 1
    assert (await sign(ca, csr())).status == 201


async def test_requests_that_prove_nothing_are_limited_by_their_address_on_every_endpoint(ca):
    await ca.add_jwk()
    for _ in range(100):
        assert (await sign(ca, token="no token")).status == 401
        assert (await ca.call("POST", "/renew", bearer="no token", peer=HERE))[0] in (400, 401)
        assert (await ca.call("POST", "/revoke", {"serial": "1"}, peer=HERE))[0] == 400
    for path in ("/sign", "/1.0/sign", "/renew", "/re-sign", "/rekey", "/revoke"):
        assert (await ca.call("POST", path, {}, peer=HERE))[0] == 429
    assert (await sign(ca, csr(), peer=ELSEWHERE)).status == 201


async def test_good_requests_cost_nothing(ca):
    await ca.add_jwk()
    for _ in range(70):
        assert (await sign(ca, csr())).status == 201
