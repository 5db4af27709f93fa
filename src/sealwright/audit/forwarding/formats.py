"""An event as a syslog message (RFC 5424) and as a signed webhook (Standard Webhooks)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

import msgspec

from sealwright.audit.categories import category_of
from sealwright.audit.chain import ChainedRow
from sealwright.audit.changes import changes_in
from sealwright.audit.events import Outcome
from sealwright.audit.guide_names import action_of
from sealwright.audit.sentences import sentence_of
from sealwright.clock import Instant, to_rfc3339

SECRET_PREFIX = "whsec_"  # noqa: S105 - what every secret of this kind begins with
_FACILITY = 13
"""Log audit (RFC 5424, table 1)."""
_SEVERITIES = {Outcome.DONE: 6, Outcome.REFUSED: 4, Outcome.FAILED: 3}
_SD_ID = "event@32473"
"""The enterprise number that RFC 5612 keeps for examples: this program has none of its own."""
_LONGEST_NAME = 255


def event_id(row: ChainedRow) -> str:
    """The id of an event, the same however often it is sent."""
    return f"{row.writer_id}.{row.sequence}"


def as_json(row: ChainedRow) -> dict[str, Any]:
    """An event for a webhook."""
    details = msgspec.json.decode(row.details)
    actor = row.actor_kind, row.actor_id, row.actor_name
    return {
        "id": event_id(row),
        "at": to_rfc3339(Instant(row.at)),
        "event": row.event,
        "action": action_of(row.event),
        "category": category_of(row.event),
        "outcome": row.outcome,
        "sentence": sentence_of(row.event, row.outcome, actor, row.target, None, details),
        "actor": {"kind": row.actor_kind, "id": row.actor_id, "name": row.actor_name},
        "target": row.target,
        "changes": changes_in(details),
        "details": details,
        "request_id": row.request_id,
    }


def webhook(rows: Sequence[ChainedRow], secret: bytes, now: Instant) -> tuple[bytes, dict[str, str]]:
    """Body and headers of one call. The id is that of what is in it: the same events have the same one."""
    body = msgspec.json.encode({"type": "audit.events", "events": [as_json(row) for row in rows]})
    message_id = hashlib.sha256(body).hexdigest()[:32]
    timestamp = str(now // 1000)
    signed = f"{message_id}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
    headers = {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
    }
    return body, headers


def syslog(rows: Sequence[ChainedRow], host: str) -> bytes:
    """Messages, each with its length before it (RFC 5425, section 4.3)."""
    messages = [_message(row, host) for row in rows]
    return b"".join(b"%d %b" % (len(message), message) for message in messages)


def _message(row: ChainedRow, host: str) -> bytes:
    told = as_json(row)
    outcome = Outcome.called(row.outcome) or Outcome.FAILED
    priority = _FACILITY * 8 + _SEVERITIES[outcome]
    named = {
        "id": told["id"],
        "event": row.event,
        "category": told["category"],
        "outcome": row.outcome,
        "actor": row.actor_name or row.actor_kind,
        "actorId": row.actor_id,
        "target": row.target,
        "requestId": row.request_id,
    }
    data = "".join(f' {name}="{_escaped(str(value))}"' for name, value in named.items() if value)
    at = to_rfc3339(Instant(row.at))
    head = f"<{priority}>1 {at} {_name(host)} sealwright - {_name(row.event)[:32]} [{_SD_ID}{data}] "
    return head.encode() + b"\xef\xbb\xbf" + _one_line(told["sentence"]).encode()


def _escaped(value: str) -> str:
    """A parameter value: three characters are escaped (RFC 5424, section 6.3.3)."""
    return _one_line(value).replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")


def _one_line(text: str) -> str:
    """Without control characters, which can forge a line of a log (RFC 5424, section 8.2)."""
    return "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in text)


def _name(text: str) -> str:
    """A header field: printable ASCII without spaces."""
    found = "".join(character for character in text if "!" <= character <= "~")[:_LONGEST_NAME]
    return found or "-"
