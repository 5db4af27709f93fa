"""The address of a list is all that it knows."""

import pytest

from sealwright.errors import InvalidInput
from sealwright.http import Request
from sealwright.web.console.listing import Filter, read_listing

STATES = Filter("state", "State", {"valid": "Valid", "revoked": "Revoked"})


def listing(query):
    return read_listing(Request("GET", "/ui/x", query, {}), "/ui/x", filters=(STATES,), orders=("name", "-used"))


def test_address_says_what_is_listed():
    one = listing("q=web&state=valid&order=-used&after=k")
    assert (one.search, one.chosen, one.order, one.after) == ("web", {"state": "valid"}, "-used", "k")
    assert one.narrowed
    assert not one.at_start


def test_every_link_keeps_what_it_does_not_change_and_begins_at_the_beginning():
    one = listing("q=w%26b&state=valid&order=-used&after=k")
    assert one.link() == "/ui/x?q=w%26b&state=valid&order=-used"
    assert one.link(state="revoked") == "/ui/x?q=w%26b&state=revoked&order=-used"
    assert one.link(state="", q="") == "/ui/x?order=-used"
    assert one.link(after="m") == "/ui/x?q=w%26b&state=valid&order=-used&after=m"


def test_list_without_a_query_has_the_first_order_and_the_shortest_address():
    one = listing("")
    assert (one.order, one.link(), one.kept) == ("name", "/ui/x", {})


@pytest.mark.parametrize("query", ["state=gone", "order=size", f"q={'x' * 201}", "q=a&q=b"])
def test_address_that_no_page_made_is_refused(query):
    with pytest.raises(InvalidInput):
        listing(query)
