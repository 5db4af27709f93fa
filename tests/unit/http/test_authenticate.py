import asyncio

import pytest

from sealwright.http import Peer, Request, RequestAuthenticator
from sealwright.http.authenticate import BearerToken, CookieValue

HOLDERS = {"alices": "alice", "bobs": "bob"}
PEER = Peer("192.0.2.7")


async def at_terminal(token, address):
    return f"{HOLDERS[token]} at {address}" if token in HOLDERS else None


async def in_browser(token, address):
    return f"{HOLDERS[token]} in a browser" if token in HOLDERS else None


class ClientCertificate:
    """A further kind of credential, which nothing else has to know of."""

    def presented(self, request):
        return request.headers.get("x-certificate")

    async def holder(self, credential, request):
        return HOLDERS.get(credential)


EVERY_KIND = RequestAuthenticator(CookieValue("session", in_browser), BearerToken(at_terminal), ClientCertificate())


def authenticated(headers, authenticator=EVERY_KIND):
    request = Request("GET", "/", headers=headers, peer=PEER)
    return authenticator.presents(request), asyncio.run(authenticator.authenticate(request))


@pytest.mark.parametrize(
    ("headers", "holder"),
    [
        ({"authorization": "Bearer alices"}, "alice at 192.0.2.7"),
        ({"cookie": "session=bobs"}, "bob in a browser"),
        ({"x-certificate": "bobs"}, "bob"),
        ({"cookie": "other=alices", "authorization": "Bearer bobs"}, "bob at 192.0.2.7"),
    ],
)
def test_holder_of_each_kind_of_credential_is_found(headers, holder):
    assert authenticated(headers) == (True, holder)


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Basic alices"}, {"authorization": "Bearer"}, {"cookie": "session="}, {"cookie": "x=1"}]
)
def test_request_without_a_credential_has_no_holder(headers):
    assert authenticated(headers) == (False, None)


def test_credential_that_is_not_good_is_final_also_beside_a_good_one():
    assert authenticated({"cookie": "session=stolen", "authorization": "Bearer alices"}) == (True, None)


def test_kind_that_is_not_accepted_counts_for_nothing():
    only_terminals = RequestAuthenticator(BearerToken(at_terminal))
    assert authenticated({"cookie": "session=alices"}, only_terminals) == (False, None)
    only_browsers = RequestAuthenticator(CookieValue("session", in_browser))
    assert authenticated({"authorization": "Bearer alices"}, only_browsers) == (False, None)


def test_cookie_that_is_there_twice_is_none():
    assert authenticated({"cookie": "session=alices; session=bobs"}) == (False, None)
