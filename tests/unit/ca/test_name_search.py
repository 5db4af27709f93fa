import pytest

from sealwright.ca.models import Name, NameType
from sealwright.ca.name_search import range_for, search_keys
from sealwright.errors import InvalidInput

HELD = (
    Name(NameType.DNS, "web.example.org"),
    Name(NameType.DNS, "*.example.org"),
    Name(NameType.EMAIL, "Alice@example.org"),
    Name(NameType.IP, "2001:db8::1"),
    Name(NameType.URI, "https://id.example.org/Path#1"),
)


def finds(text):
    """Which of the names that are held a search finds; the common name stands for itself."""
    wanted = range_for(text)
    singles = {name.value: search_keys("", (name,)) for name in HELD} | {"Alice Example": search_keys("Alice Example", ())}
    return {value for value, keys in singles.items() if any(wanted.first <= key < wanted.end for key in keys)}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("web.example.org", {"web.example.org"}),
        ("WEB.Example.ORG", {"web.example.org"}),
        ("example.org", set()),
        ("b.example.org", set()),
        ("web.example.org.evil", set()),
        ("*.example.org", {"*.example.org"}),
        (".example.org", {"web.example.org", "*.example.org"}),
        ("@example.org", {"Alice@example.org"}),
        ("alice@EXAMPLE.org", {"Alice@example.org"}),
        ("2001:DB8:0::1", {"2001:db8::1"}),
        ("https://ID.example.org/path#1", {"https://id.example.org/Path#1"}),
        ("  alice example ", {"Alice Example"}),
        (".org", {"web.example.org", "*.example.org", "Alice@example.org"}),
    ],
)
def test_name_is_found_however_it_is_written_and_by_its_end_only_where_asked(text, found):
    assert finds(text) == found


@pytest.mark.parametrize("text", ["", "  ", ".", "@", "x" * 3000])
def test_what_no_certificate_can_hold_is_refused_with_what_to_write(text):
    with pytest.raises(InvalidInput, match="no certificate can hold") as caught:
        range_for(text)
    assert "web.example.org" in caught.value.hint


def test_common_name_that_is_also_a_name_has_one_key():
    assert len(search_keys("web.example.org", HELD[:1])) == 1
    assert search_keys("", ()) == set()
