"""Argon2id, its pool, and passwords that are made up."""

import asyncio
import threading
from contextlib import asynccontextmanager

import pytest
from argon2 import Parameters, Type, extract_parameters

from sealwright.entropy import SeededEntropy, SystemEntropy
from sealwright.errors import Unavailable
from sealwright.identity import Argon2Hashing
from sealwright.identity.passwords import PARAMETERS, generate_password
from sealwright.identity.policy import check_password

QUICK = Parameters(type=Type.ID, version=19, salt_len=16, hash_len=32, time_cost=1, memory_cost=8, parallelism=1)


@asynccontextmanager
async def started_hashing(*, parameters=QUICK, waiting=32):
    hashing = Argon2Hashing(SeededEntropy(3), threads=1, parameters=parameters, waiting=waiting)
    try:
        yield hashing
    finally:
        hashing.close()


async def test_right_password_is_told_from_a_wrong_one():
    async with started_hashing() as hashing:
        stored = await hashing.hash("velvet-orbit")
        assert stored.startswith(b"$argon2id$v=19$m=8,t=1,p=1$")
        assert await hashing.verify(stored, "velvet-orbit")
        assert not await hashing.verify(stored, "velvet-orbiu")
        assert not await hashing.verify(b"rubbish", "velvet-orbit")


async def test_same_password_has_another_hash_each_time():
    async with started_hashing() as hashing:
        assert await hashing.hash("velvet-orbit") != await hashing.hash("velvet-orbit")


async def test_password_typed_with_combining_characters_is_the_same():
    async with started_hashing() as hashing:
        assert await hashing.verify(await hashing.hash("p\u00e4sswort"), "pa\u0308sswort")


def test_default_parameters_are_19_mib_and_two_passes():
    assert (PARAMETERS.memory_cost, PARAMETERS.time_cost, PARAMETERS.parallelism) == (19 * 1024, 2, 1)


async def test_dummy_costs_as_much_as_a_real_hash_and_has_no_password():
    async with started_hashing(parameters=PARAMETERS) as hashing:
        assert extract_parameters(hashing.dummy.decode()) == extract_parameters((await hashing.hash("x")).decode())
        assert not hashing.is_outdated(hashing.dummy)
        assert not await hashing.verify(hashing.dummy, "")


async def test_hash_of_other_parameters_is_outdated():
    async with started_hashing() as hashing:
        old = await hashing.hash("x")
        newer = Argon2Hashing(SystemEntropy(), threads=1)
        assert newer.is_outdated(old)
        assert newer.is_outdated(b"\xff")
        assert not hashing.is_outdated(old)
        newer.close()


async def test_full_queue_is_said_at_once_and_empties_again():
    async with started_hashing(waiting=2) as hashing:
        block = threading.Event()
        hashing._pool.submit(block.wait)
        waiting = [asyncio.create_task(hashing.hash("x")) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Unavailable) as full:
            await hashing.verify(hashing.dummy, "x")
        assert full.value.retry_after == 1
        block.set()
        assert len(await asyncio.gather(*waiting)) == 3
        assert not await hashing.verify(hashing.dummy, "x")


def test_generated_password_is_strong_and_new_each_time():
    entropy = SystemEntropy()
    made = {generate_password(entropy) for _ in range(50)}
    assert len(made) == 50
    for password in made:
        check_password(password, name="alice", display_name="Alice", mails=[])
        assert len(password.replace("-", "")) == 24
