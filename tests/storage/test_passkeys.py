"""Passkeys on two nodes of one database: a response signs in once, wherever it arrives."""

from __future__ import annotations

import asyncio

from sealwright.access import SYSTEM
from sealwright.identity import CompletedSignIn, PasskeyRefused
from tests.software_authenticator import SoftwareAuthenticator
from tests.storage.test_identity import two_nodes

ORIGIN = "https://id.example.org"
BROWSER = "secret of the browser"
AT_ONCE = 8


async def person_with_passkey(node, device):
    await node.person("alice")
    actor = (await node.signed_in("alice")).signed_in.actor
    await node.passkeys.register(device.create(await node.passkeys.creation_options(actor=actor)), label="", actor=actor)
    return actor


async def try_response(node, response):
    try:
        return await node.passkeys.sign_in(response, binding=BROWSER, address="192.0.2.1", user_agent="test")
    except PasskeyRefused as refusal:
        return refusal


async def test_response_of_a_passkey_signs_in_on_one_node_only(open_two):
    async with two_nodes(open_two) as nodes:
        device = SoftwareAuthenticator(ORIGIN, "id.example.org", counts=False)
        actor = await person_with_passkey(nodes[0], device)
        before = await nodes[0].sessions.count_of(actor.id)
        response = device.get(nodes[1].passkeys.request_options(BROWSER))
        outcomes = await asyncio.gather(*(try_response(nodes[n % 2], response) for n in range(AT_ONCE)))
        assert sum(isinstance(outcome, CompletedSignIn) for outcome in outcomes) == 1
        reasons = {outcome.reasons for outcome in outcomes if isinstance(outcome, PasskeyRefused)}
        assert reasons == {("the challenge was used before",)}
        assert await nodes[1].sessions.count_of(actor.id) == before + 1


async def test_counter_of_a_passkey_counts_on_both_nodes(open_two):
    async with two_nodes(open_two) as nodes:
        device = SoftwareAuthenticator(ORIGIN, "id.example.org")
        await person_with_passkey(nodes[0], device)
        responses = [device.get(node.passkeys.request_options(BROWSER), sign_count=2) for node in nodes]
        outcomes = await asyncio.gather(*map(try_response, nodes, responses))
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["CompletedSignIn", "PasskeyRefused"]


async def test_passkeys_go_with_their_account(open_two):
    async with two_nodes(open_two) as nodes:
        device = SoftwareAuthenticator(ORIGIN, "id.example.org")
        actor = await person_with_passkey(nodes[0], device)
        await nodes[1].directory.delete("alice", actor=SYSTEM)
        assert await nodes[0].passkeys.list_of(actor.id, actor=actor) == ()
        refusal = await try_response(nodes[0], device.get(nodes[0].passkeys.request_options(BROWSER)))
        assert refusal.reasons == ("the passkey is not registered here",)
