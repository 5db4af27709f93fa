"""What people are told when something was refused or failed."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import sealwright
from sealwright.errors import Conflict, Failure, MethodNotAllowed, NotFound, NotPermitted, RateLimited, Refused, Unavailable
from sealwright.http import Request
from sealwright.oauth import RequestGone, UnprovenRequest
from sealwright.web.failures import TABLE, failure_answer, failure_page
from tests.unit.web.gallery import Gallery
from tests.unit.web.reading import Reading

REQUEST = Request("GET", "/", request_id="r-17")
answer_failure = failure_answer(Gallery().pages)


def every_failure(kind: type[Failure]) -> Iterator[type[Failure]]:
    for below in kind.__subclasses__():
        yield below
        yield from every_failure(below)


for module in pkgutil.walk_packages(sealwright.__path__, "sealwright."):
    if not module.name.endswith("__main__") and "migrations" not in module.name:
        importlib.import_module(module.name)


def test_every_refusal_conflict_and_outage_has_a_status_and_words() -> None:
    kinds = [kind for root in (Refused, Conflict, Unavailable) for kind in every_failure(root)]
    assert len(kinds) > 50
    for kind in kinds:
        entry = next(TABLE[parent] for parent in kind.__mro__ if parent in TABLE)
        assert 400 <= entry.status < 600
        assert entry.heading


def test_what_the_heading_says_is_not_said_twice():
    answer = answer_failure(REQUEST, RequestGone("This request is no longer open. Begin again."))
    assert answer.body.count(b"This request is no longer open") == 2  # the title, and the heading
    assert b"Begin again." in answer.body


def test_command_in_a_hint_can_be_copied_by_itself():
    answer = answer_failure(REQUEST, NotPermitted("Built in.", hint="On the server: sealwright recover-account admin"))
    command = Reading(answer.body.decode()).by_id("command")
    assert command is not None
    assert command.text == "sealwright recover-account admin"


def test_every_refusal_but_waiting_and_an_applications_own_leads_on():
    for kind, entry in TABLE.items():
        assert entry.ways or kind in {RateLimited, Unavailable, UnprovenRequest, RequestGone}


def test_failure_that_is_none_of_the_three_is_told_as_a_fault_of_ours() -> None:
    class Inner(Failure):
        pass

    answer = answer_failure(REQUEST, Inner("hunter2"))
    assert answer.status == 500
    assert b"hunter2" not in answer.body


def test_nearest_class_counts():
    class Mine(NotFound):
        pass

    entry = failure_page(Mine("x"))
    assert entry is not None
    assert entry.status == 404


def test_refusal_says_what_why_and_what_next():
    failure = NotPermitted("alice may not.", reasons=("only bob may",), hint="Ask bob.")
    answer = answer_failure(REQUEST, failure)
    reading = Reading(answer.body.decode())
    assert answer.status == 403
    assert reading.all("title")[0].text == "You may not do this · Example"
    text = reading.all("main")[0].text
    for part in ("alice may not.", "Only bob may", "Ask bob.", "r-17"):
        assert part in text


@pytest.mark.parametrize(
    "failure", [NotFound("There is nothing at /ui/nowhere."), MethodNotAllowed("/ui/x does not answer GET.", allowed=("POST",))]
)
def test_page_that_is_none_says_what_to_do_next_and_leads_to_the_account(failure):
    reading = Reading(answer_failure(REQUEST, failure).body.decode())
    assert "does not answer" not in reading.all("main")[0].text
    hint = reading.by_id("next")
    assert hint is not None
    assert hint.text
    assert ("/ui/account", "My account") in [(link.attributes.get("href"), link.text) for link in reading.all("a")]


def test_failure_says_what_to_do_next_in_its_own_words_where_it_has_some():
    answer = answer_failure(REQUEST, NotFound("There is no file x.", hint="Reload the page that led here."))
    hint = Reading(answer.body.decode()).by_id("next")
    assert hint is not None
    assert hint.text == "Reload the page that led here."


@pytest.mark.parametrize(
    ("failure", "status"),
    [(RateLimited("x", retry_after=7), 429), (Unavailable("x", retry_after=7), 503)],
    ids=["many", "unavailable"],
)
def test_time_to_wait_is_told_to_programs_too(failure, status):
    answer = answer_failure(REQUEST, failure)
    assert (answer.status, dict(answer.headers)["retry-after"]) == (status, "7")


def test_conflict_is_told_with_its_status():
    assert answer_failure(REQUEST, Conflict("It exists already.")).status == 409


def test_fault_of_ours_tells_nothing_but_the_number_of_the_request():
    answer = answer_failure(REQUEST, RuntimeError("password=hunter2 at /srv/secret.py"))
    text = answer.body.decode()
    assert answer.status == 500
    assert "r-17" in text
    assert not {"hunter2", "RuntimeError", "secret.py"} & set(text.replace("<", " ").split())
    assert "hunter2" not in text
