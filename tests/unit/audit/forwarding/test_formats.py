"""How an event is written for a syslog receiver and for a webhook."""

import base64
import hashlib
import hmac
import json

import pytest

from sealwright.audit import ChainedRow
from sealwright.audit.forwarding.formats import event_id, syslog, webhook
from sealwright.clock import Instant

ROW = ChainedRow(
    "w",
    7,
    1_790_000_000_000,
    "group.updated",
    "done",
    "person",
    "9",
    "alice",
    "group:1",
    '{"name":"b","name_before":"a"}',
    b"",
    b"",
)


def changed(**fields):
    return ChainedRow(**{name: getattr(ROW, name) for name in ROW.__struct_fields__} | fields)


@pytest.mark.parametrize(("outcome", "priority"), [("done", 110), ("refused", 108), ("failed", 107)])
def test_severity_of_a_message_says_how_the_event_ended(outcome, priority):
    assert syslog([changed(outcome=outcome)], "h").partition(b" ")[2].startswith(f"<{priority}>1 ".encode())


def test_each_message_has_its_length_in_bytes_before_it():
    sent = syslog([changed(actor_name="ünï"), ROW], "sso.example.org")
    length, _, rest = sent.partition(b" ")
    first, second = rest[: int(length)], rest[int(length) :]
    assert first.decode().endswith("\ufeffünï changed the group 1.")
    assert second.partition(b" ")[2].decode() == (
        "<110>1 2026-09-21T14:13:20Z sso.example.org sealwright - group.updated "
        '[event@32473 id="w.7" event="group.updated" category="auth" outcome="done" actor="alice" actorId="9" target="group:1"] '
        "\ufeffalice changed the group 1."
    )


@pytest.mark.parametrize("host", ["", "höst name\n"])
def test_host_name_that_no_header_can_hold_is_cut_to_what_it_can(host):
    assert syslog([ROW], host).split(b" ")[3] in (b"-", b"hstname")


def test_webhook_tells_the_change_and_is_signed_over_id_time_and_body():
    body, headers = webhook([ROW], b"k" * 32, Instant(1_790_000_000_999))
    (event,) = json.loads(body)["events"]
    assert event["id"] == event_id(ROW) == "w.7"
    assert event["changes"] == {"name": {"old": "a", "new": "b"}}
    assert headers["webhook-timestamp"] == "1790000000"
    signed = f"{headers['webhook-id']}.1790000000.".encode() + body
    assert headers["webhook-signature"] == "v1," + base64.b64encode(hmac.digest(b"k" * 32, signed, hashlib.sha256)).decode()
    assert webhook([ROW], b"k" * 32, Instant(1_800_000_000_000))[1]["webhook-id"] == headers["webhook-id"]
