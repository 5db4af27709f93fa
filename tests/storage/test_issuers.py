import asyncio

from sealwright.access import SYSTEM
from sealwright.audit import Audit
from sealwright.ca import AuthorityExists, Issuers
from sealwright.clock import FixedClock, Instant
from sealwright.entropy import SeededEntropy
from sealwright.keys import Custody, Sealer


async def test_of_several_nodes_that_make_the_authorities_at_once_one_does_and_the_others_use_them(open_scratch):
    async with open_scratch() as db:
        clock = FixedClock(Instant(1_800_000_000_000))

        def node(number):
            entropy = SeededEntropy(number)
            return Issuers(db, Custody(db, Sealer(bytes(32), entropy), clock), Audit(clock), clock, entropy)

        nodes = [node(number) for number in range(4)]
        asked = (each.create_hierarchy(f"Example {number}", SYSTEM) for number, each in enumerate(nodes))
        answers = await asyncio.gather(*asked, return_exceptions=True)
        (made,) = [each for each in answers if isinstance(each, tuple)]
        assert sum(isinstance(each, AuthorityExists) for each in answers) == 3
        for each in nodes:
            assert set(await each.records()) == set(made)
