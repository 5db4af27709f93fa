"""The server's own certificate while the clock moves, forwards and back."""

from contextlib import asynccontextmanager
from datetime import timedelta

from cryptography import x509

from sealwright.app.listener_certificate import ListenerCertificate
from sealwright.clock import from_datetime
from sealwright.settings import Tls
from tests.authorities import authority


def leaf_of(material):
    return x509.load_pem_x509_certificate(material.chain_pem)


@asynccontextmanager
async def made_certificate(directory):
    async with authority(directory) as ca:
        ca.clock.advance(timedelta(days=30))  # so that the authorities are valid before and after
        file = directory / "server.pem"
        yield ListenerCertificate(ca.parts, ca.clock, file=file, names=["localhost"], given=Tls()), ca.clock


def good_now(own, clock):
    """Whether what the server would serve is valid at this moment."""

    async def ask():
        leaf = leaf_of(await own.material())
        return from_datetime(leaf.not_valid_before_utc) <= clock.now() < from_datetime(leaf.not_valid_after_utc)

    return ask()


async def test_certificate_is_good_after_each_jump_of_the_clock_in_either_direction(tmp_path):
    async with made_certificate(tmp_path) as (own, clock):
        assert await good_now(own, clock)
        for jump in (timedelta(hours=30), -timedelta(hours=30), timedelta(days=20), -timedelta(days=25), timedelta(hours=1)):
            clock.advance(jump)
            assert await good_now(own, clock), jump


async def test_certificate_is_kept_where_it_is_good(tmp_path):
    async with made_certificate(tmp_path) as (own, clock):
        first = leaf_of(await own.material())
        clock.advance(timedelta(hours=1))
        assert leaf_of(await own.material()) == first
        clock.advance(timedelta(hours=16))
        assert leaf_of(await own.material()) != first
