from sealwright.http import Response
from sealwright.request_counts import Series
from sealwright.runtime.http_response import encode, header_lines, site_of
from sealwright.runtime.response_cache import MOST_KEPT, CacheKey, ResponseCache
from tests.unit.runtime.routes import dispatcher, route

ANSWER = Response(200, b'{"keys":[]}', (("content-type", "application/json"), ("cache-control", "public, max-age=60")))


def series():
    return Series("people", "GET", "/keys")


def lines(request_id=""):
    made = header_lines(ANSWER, site_of("https", "id.example.org"), request_id)
    return made if request_id else made.removesuffix("x-request-id: \r\n")


def kept(*, connection="", request_id="id-7"):
    answers = ResponseCache()
    answers.keep(CacheKey("id.example.org", b"/keys", 9.0), ANSWER, lines(), series())
    found = answers.find(("id.example.org", b"/keys"))
    assert found.until == 9.0
    return found.message(request_id, connection)


def test_kept_answer_is_byte_for_byte_what_the_handler_answered():
    assert kept() == encode(ANSWER, lines("id-7"))
    assert kept(connection="connection: close\r\n") == encode(ANSWER, lines("id-7") + "connection: close\r\n")


def test_answer_is_found_only_under_its_host_and_address():
    answers = ResponseCache()
    answers.keep(CacheKey("id.example.org", b"/keys", 9.0), ANSWER, lines(), series())
    assert answers.find(("id.example.com", b"/keys")) is None
    assert answers.find((None, b"/keys")) is None
    assert answers.find(("id.example.org", b"/keys?")) is None


def test_number_of_kept_answers_is_bounded():
    answers = ResponseCache()
    places = [CacheKey("id.example.org", b"/keys/%d" % number, 9.0) for number in range(MOST_KEPT + 1)]
    for place in places:
        answers.keep(place, ANSWER, lines(), series())
    assert sum(answers.find((place.host, place.address)) is not None for place in places) <= MOST_KEPT
    assert answers.find((places[-1].host, places[-1].address)) is not None


def test_every_application_begins_with_none():
    assert dispatcher(route("GET", "/keys")).cache is not dispatcher(route("GET", "/keys")).cache
