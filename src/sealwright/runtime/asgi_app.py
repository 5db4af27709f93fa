"""The ASGI application for everything that is not answered straight from the parser."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope

from sealwright.http import Response
from sealwright.runtime.application import Exchange
from sealwright.runtime.http_response import header_pairs


async def slow_lane(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Read the body, have the request answered, send the answer. The exchange comes with the scope's state."""
    state: dict[str, Any] = scope["state"]
    exchange: Exchange = state["exchange"]
    answer = await _answer(exchange, receive)
    if answer is None:
        return
    response, keep = answer
    response, lines = exchange.with_headers(response)
    headers = [(b"date", state["date"]()), *header_pairs(lines)]
    if not keep:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body, "more_body": False})


async def _answer(exchange: Exchange, receive: ASGIReceiveCallable) -> tuple[Response, bool] | None:
    """The answer, and whether the connection may live on; None where the peer went away."""
    parts: list[bytes] = []
    size, more = 0, exchange.refusal is None
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return None
        parts.append(message["body"])
        size += len(message["body"])
        if size > exchange.max_body:
            return exchange.too_large(), False
        more = message["more_body"]
    if exchange.refusal is not None:
        return exchange.refusal, False
    exchange.request.body = b"".join(parts)
    try:
        return await exchange.dispatcher.answer(exchange), True
    except asyncio.CancelledError:  # the worker ends and takes what is late with it; the peer is told so
        return exchange.given_up(), False
