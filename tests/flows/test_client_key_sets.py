"""Where clients say that their keys are, over real sockets: what is slow, huge, redirected or private proves nothing."""

import asyncio
import json
import time

import pytest

from sealwright.client_metadata import ClientKind
from sealwright.clock import Instant, SystemClock
from sealwright.oauth.client_authentication.errors import NotProven
from sealwright.oauth.client_authentication.key_sets import LARGEST_ANSWER, PATIENCE, ClientKeySets
from sealwright.oauth.models import Client
from tests.flows.test_outbound_calls import NAME, Provider, answers, certificate, outbound
from tests.machines_world import client_key, key_set

__all__ = ["certificate"]


def sent(document):
    body = json.dumps(document).encode()
    return answers(f"HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: {len(body)}", body)


def client_at(uri):
    return Client(
        id="1", name="billing", kind=ClientKind.CONFIDENTIAL, display_name="Billing", landing_url="", issuer=None,
        secret_digest=None, created_at=Instant(0), updated_at=Instant(0), jwks_uri=uri,
    )  # fmt: skip


def looked_up(files, answer, **options):
    """The keys that are found at an address (or why none are), how long that took, and what the server there was asked."""

    async def run():
        async with Provider(files, answer) as provider:
            sets = ClientKeySets(outbound(files, **options), SystemClock())
            began = time.monotonic()
            try:
                told = await sets.keys(client_at(f"https://{NAME}:{provider.port}/keys"), None)
            except NotProven as failure:
                return failure, time.monotonic() - began, provider.requests
            return told, time.monotonic() - began, provider.requests

    return asyncio.run(asyncio.wait_for(run(), 20))


async def trickle(writer):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(100):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.1)


async def silence(_writer):
    await asyncio.sleep(10)


def test_keys_are_found_at_a_sound_address(certificate):
    key = client_key()
    found, _, requests = looked_up(certificate, sent(key_set(key)))
    assert [each.id for each in found] == [key.id]
    assert len(requests) == 1


@pytest.mark.parametrize("answer", [trickle, silence])
def test_address_that_is_slow_is_given_up_in_time(certificate, answer):
    found, seconds, _ = looked_up(certificate, answer)
    assert isinstance(found, NotProven)
    assert "did not answer within" in found.detail
    assert seconds < PATIENCE + 2


def test_key_set_that_is_huge_is_not_read(certificate):
    found, _, _ = looked_up(certificate, sent(key_set(client_key()) | {"more": "x" * LARGEST_ANSWER}))
    assert isinstance(found, NotProven)
    assert "cannot be fetched" in found.detail


def test_redirect_to_another_address_is_not_followed(certificate):
    elsewhere = answers(f"HTTP/1.1 302 Found\nLocation: https://{NAME}/other\nContent-Length: 0")
    found, _, requests = looked_up(certificate, elsewhere)
    assert isinstance(found, NotProven)
    assert "302" in found.detail
    assert len(requests) == 1


def test_private_address_is_not_asked(certificate):
    found, _, requests = looked_up(certificate, sent(key_set(client_key())), allow=())
    assert isinstance(found, NotProven)
    assert "leads to a private address" in found.detail
    assert requests == []


def test_key_set_with_a_thousand_keys_costs_no_time(certificate):
    many = {"keys": [each | {"kid": str(number)} for number in range(1_000) for each in key_set(client_key())["keys"]]}
    found, seconds, _ = looked_up(certificate, sent(many))
    assert isinstance(found, NotProven)
    assert "more than 65536 bytes" in found.detail
    assert seconds < PATIENCE
