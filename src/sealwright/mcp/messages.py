"""Messages of JSON-RPC 2.0, as the Model Context Protocol uses them: one JSON object each, never a batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from sealwright.strict_json import JsonRefused, loads

LONGEST_MESSAGE = 256 * 1024
"""In bytes."""
PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602

MessageId = str | int


class MessageRefused(Exception):
    """A message that cannot be processed; `code` is that of JSON-RPC 2.0, section 5.1."""

    def __init__(self, code: int, reason: str, message_id: MessageId | None = None, *, data: Any = None) -> None:
        super().__init__(reason)
        self.code = code
        self.message_id = message_id
        self.data = data


class Message(Struct, frozen=True):
    """A request, or a notification where it has no id."""

    method: str
    params: Mapping[str, Any]
    id: MessageId | None


def message_in(text: bytes) -> Message | None:
    """The message in `text`; None for a response, which nothing here waits for. Raises MessageRefused."""
    if len(text) > LONGEST_MESSAGE:
        raise MessageRefused(INVALID_REQUEST, f"The message is longer than {LONGEST_MESSAGE} bytes.")
    try:
        value = loads(text)
    except JsonRefused as cause:
        raise MessageRefused(PARSE_ERROR, f"The message {cause}.") from cause
    if not isinstance(value, dict) or value.get("jsonrpc") != "2.0":
        raise MessageRefused(INVALID_REQUEST, 'A message is one JSON object with "jsonrpc": "2.0".')
    message_id = value.get("id")
    if message_id is not None and (not isinstance(message_id, str | int) or isinstance(message_id, bool)):
        raise MessageRefused(INVALID_REQUEST, "The id of a message is a text or a whole number.")
    if "method" not in value and ("result" in value or "error" in value):
        return None
    method, params = value.get("method"), value.get("params", {})
    if not isinstance(method, str):
        raise MessageRefused(INVALID_REQUEST, "The method of a message is a text.", message_id)
    if not isinstance(params, dict):
        raise MessageRefused(INVALID_PARAMS, "The params of a message are an object.", message_id)
    return Message(method, params, message_id)


def result(message_id: MessageId, value: Any) -> bytes:
    """The response to a request."""
    return msgspec.json.encode({"jsonrpc": "2.0", "id": message_id, "result": value})


def error(refused: MessageRefused) -> bytes:
    """The response to a message that cannot be processed."""
    failure = {"code": refused.code, "message": str(refused), **({} if refused.data is None else {"data": refused.data})}
    return msgspec.json.encode({"jsonrpc": "2.0", "id": refused.message_id, "error": failure})
