"""Which certificates a filter takes, and that the database tells them apart by the same rule."""

from msgspec.structs import replace

from sealwright.access import SYSTEM
from sealwright.ca import CertificateFilter, FilterState
from sealwright.ca.lists import store
from sealwright.ca.store import NO_SERIAL_IS_GREATER
from tests.pages_place import pages_place


async def read(place, wanted, *, edge=b"", at_most=50):
    now = place.clock.now()
    return await store.matching(place.db, older_than=NO_SERIAL_IS_GREATER, edge=edge, wanted=wanted, now=now, at_most=at_most)


def test_database_finds_for_each_state_what_the_rule_says():
    with pages_place() as place:
        alice = place.person("alice")
        serials = [place.certificate(alice) for _ in range(3)]
        revoking = place.app.parts.ca.revocation.by_actor(bytes.fromhex(serials[0]), SYSTEM, code=0, reason="test")
        place.run(revoking)
        everything = place.run(read(place, CertificateFilter()))
        assert {each.serial.hex() for each in everything} == set(serials)
        for state in FilterState:
            wanted = CertificateFilter(state=state)
            expected = [each.serial for each in everything if wanted.fits(each, place.clock.now())]
            assert [each.serial for each in place.run(read(place, wanted))] == expected, state
        assert len([each for each in everything if CertificateFilter(state=FilterState.VALID).fits(each, place.clock.now())]) == 2


def test_page_looks_at_so_many_and_leads_on_from_where_it_stopped():
    with pages_place() as place:
        alice = place.person("alice")
        serials = sorted((place.certificate(alice) for _ in range(4)), reverse=True)
        edge = place.run(store.edge_of_window(place.db, older_than=NO_SERIAL_IS_GREATER, window=1))
        assert edge.hex() == serials[1]
        looked_at = place.run(read(place, CertificateFilter(), edge=edge))
        assert [each.serial.hex() for each in looked_at] == serials[:2]
        assert edge is not None
        rest = place.run(store.edge_of_window(place.db, older_than=edge, window=5))
        assert rest is None
        one = looked_at[0]
        assert not CertificateFilter(text="bob").fits(one, place.clock.now())
        assert CertificateFilter(text="bob").fits(replace(one, subject_name="Bob"), place.clock.now())
