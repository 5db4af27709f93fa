import logging

import pytest

from sealwright.http import Request
from sealwright.runtime.logs import account_of, scrubbed, take_over_logging
from tests.unit.runtime.routes import lines, open_test_log

JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLXNpZ25hdHVyZQ"


def test_line_is_one_json_object_with_time_level_and_event():
    log, stream = open_test_log("info")
    log.debug("unseen")
    log.info("seen", worker=1, kind=ValueError)
    assert lines(stream) == [
        {"at": "2026-11-22T10:40:00.000Z", "level": "info", "event": "seen", "worker": 1, "kind": "<class 'ValueError'>"}
    ]


@pytest.mark.parametrize(
    "request_",
    [
        Request("POST", "/", body=b"password=Tr0ub4dor%263"),
        Request("POST", "/", body=b"the word Tr0ub4dor&3 in plain"),
        Request("GET", "/", query_text="code=Tr0ub4dor%263"),
        Request("GET", "/", path_parameters={"token": "Tr0ub4dor&3"}),
        Request("GET", "/", headers={"authorization": "Basic Tr0ub4dor&3"}),
        Request("GET", "/", headers={"cookie": "session=Tr0ub4dor&3"}),
    ],
)
def test_what_the_request_held_is_taken_out_of_messages(request_):
    assert scrubbed("invalid literal: 'Tr0ub4dor&3'", request_) == "invalid literal: '…'"


def test_parts_of_what_the_request_held_are_taken_out_as_well():
    assert "b4dor" not in scrubbed("near 'ub4dor&'", Request("POST", "/", body=b"Tr0ub4dor&3"))


def test_tokens_are_taken_out_even_if_no_request_held_them():
    assert scrubbed(f"bad token {JWT}", None) == "bad token …"


def test_libraries_write_into_the_same_log():
    log, stream = open_test_log()
    before = logging.root.handlers[:], logging.root.level
    try:
        take_over_logging(log)
        logging.getLogger("asyncio").error("failed with %s", JWT, exc_info=KeyError("x"))
        logging.getLogger("asyncio").warning("slow")
        logging.getLogger("httpx").info("unseen")
    finally:
        logging.basicConfig(handlers=before[0], level=before[1], force=True)
    first, second = lines(stream)
    assert (first["level"], first["library"], first["message"], first["error"]) == (
        "error",
        "asyncio",
        "failed with …",
        ["KeyError"],
    )
    assert (second["level"], second["library"], second["message"]) == ("warning", "asyncio", "slow")


def test_account_names_the_chain_and_the_places_but_no_contents():
    def fails():
        secret = "correct horse battery staple"  # noqa: F841 - must not show up
        raise KeyError("name")

    try:
        try:
            fails()
        except KeyError as cause:
            raise ValueError(f"cannot read {JWT}") from cause
    except ValueError as failure:
        account = account_of(failure)
    assert account["error"] == ["ValueError", "KeyError"]
    assert account["message"] == "cannot read …"
    assert account["frames"][-1].endswith("test_account_names_the_chain_and_the_places_but_no_contents")
    assert "horse" not in str(account)


def test_account_of_an_endless_chain_is_bounded():
    failure = ValueError("x" * 100_000)
    failure.__cause__ = failure
    account = account_of(failure)
    assert len(account["error"]) <= 12
    assert len(account["message"]) <= 300
