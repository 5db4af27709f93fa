"""A change is told field by field, and no secret with it."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

import msgspec
import pytest

from sealwright.access import SYSTEM
from sealwright.audit import Audit, Event, Redacted, changes_between, changes_in
from sealwright.clock import FixedClock, Instant
from tests.databases import sqlite_database


class Rule(StrEnum):
    STRICT = "strict"
    INTERSECTION = "intersection"


class Provider(msgspec.Struct, frozen=True):
    name: str
    rule: Rule
    scopes: tuple[str, ...]
    patience: timedelta
    updated_at: int = 0


@dataclass(frozen=True)
class Known:
    name: str
    fingerprint: str = field(repr=False)


BEFORE = Provider("a", Rule.STRICT, ("openid",), timedelta(minutes=5), 1)
AFTER = Provider("a", Rule.INTERSECTION, ("openid", "email"), timedelta(minutes=6), 2)


def test_fields_that_differ_are_told_with_their_old_and_new_value():
    assert changes_between(BEFORE, AFTER, without={"updated_at"}) == {
        "rule": {"old": "strict", "new": "intersection"},
        "scopes": {"old": ["openid"], "new": ["openid", "email"]},
        "patience": {"old": 300.0, "new": 360.0},
    }
    assert changes_between({"a": 1}, {"b": None, "c": 2}) == {"a": {"old": 1, "new": None}, "c": {"old": None, "new": 2}}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"blob": b"old-value"}, {"blob": b"new-value"}),
        ({"x": Redacted("old-value")}, {"x": Redacted("new-value")}),
        (Known("a", "old-value"), Known("a", "new-value")),
        ({"client_secret": "old-value"}, {"client_secret": "new-value"}),
        ({"Private-Key": "old-value"}, {"Private-Key": "new-value"}),
        ({"deep": {"access_token": "old-value"}}, {"deep": {"access_token": "new-value"}}),
        ({"list": ["x", b"old-value"]}, {"list": ["x", b"new-value"]}),
    ],
)
def test_secret_is_told_to_have_changed_and_never_with_its_value(before, after):
    told = str(changes_between(before, after))
    assert "[redacted]" in told
    assert "value" not in told


def test_first_secret_and_one_that_is_taken_away_are_told_apart_from_a_change():
    assert changes_between({"password": None}, {"password": "a"}) == {"password": {"old": None, "new": "[redacted]"}}
    assert changes_between({"password": "a"}, {"password": None}) == {"password": {"old": "[redacted]", "new": None}}
    assert changes_between({"password": "a"}, {"password": "a"}) == {}


def test_setting_whose_name_only_begins_like_a_secret_is_told():
    told = changes_between({"token_endpoint_auth_method": "none"}, {"token_endpoint_auth_method": "private_key_jwt"})
    assert told == {"token_endpoint_auth_method": {"old": "none", "new": "private_key_jwt"}}


def test_long_text_is_cut():
    told = changes_between({"a": ""}, {"a": "x" * 100_000})
    assert len(told["a"]["new"]) < 3_000


def test_what_has_no_fields_is_refused():
    with pytest.raises(TypeError, match="a int has no fields"):
        changes_between(1, 2)


def test_pairs_of_earlier_rows_are_read_as_changes():
    details = {"name": "dev", "name_before": "staff", "not_before": 1, "changes": {"a": {"old": 1, "new": 2}}}
    assert changes_in(details) == {"name": {"old": "staff", "new": "dev"}, "a": {"old": 1, "new": 2}}
    assert changes_in({"x": 1}) == {}


async def test_secret_in_the_details_of_any_event_is_written_as_redacted():
    async with sqlite_database() as db:
        audit = Audit(FixedClock(Instant(1_790_000_000_000)))

        async def body(tx):
            details = {"kept": "this", "given": Redacted("hunter2")}
            await audit.record(tx, Event.CLIENT_UPDATED, actor=SYSTEM, target="client:1", details=details)

        await db.write(body)
        (row,) = await audit.newest(db)
        assert msgspec.json.decode(row.details) == {"kept": "this", "given": "[redacted]"}
