"""What groups at a provider give belongs to sessions, on both engines."""

from sealwright.access import SYSTEM, Permission, permissions_in_any_session, permissions_of_account
from tests.unit.identity.upstream.world import UpstreamWorld


async def test_role_of_a_group_counts_in_its_session_until_that_ends(open_scratch):
    async with open_scratch() as db:
        world = UpstreamWorld(db)
        await world.seed()
        done = await world.signed_on(await world.with_mapping("engineers", "r-operator"))
        account, session = done.completed.signed_in.account, done.completed.signed_in.session

        async def held() -> list[bool]:
            now = world.clock.now()
            found = [
                await permissions_of_account(db, account.id, now, session_id=session.id),
                await permissions_of_account(db, account.id, now, session_id=""),
                await permissions_in_any_session(db, account.id, now),
            ]
            return [each.holds(Permission.CERTIFICATE_REVOKE) for each in found]

        assert await held() == [True, False, True]
        await world.sessions.end(session.id, "test", actor=SYSTEM)
        assert await held() == [False, False, False]
