"""The OpenAPI 3.1 description, made from the operations and the types that they take and give."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from sealwright import __version__
from sealwright.api.operations import Operation
from sealwright.api.problems import Problem, status_of
from sealwright.errors import Failure
from sealwright.identity import CSRF_COOKIE, SESSION_COOKIE

_PARAMETER = re.compile(r"\{([a-z_]+)\}")
_REFERENCE = "#/components/schemas/{name}"
_SCHEMES: Mapping[str, Any] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of a session at a terminal, an API key of a person, or an API token of a service account.",
    },
    "cookie": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE, "description": "The session of a browser."},
    "csrf": {
        "type": "apiKey",
        "in": "header",
        "name": "X-CSRF-Token",
        "description": f"Beside the cookie of a browser, for changes: the value of the cookie {CSRF_COOKIE}.",
    },
}
_COOKIE_CHANGES: Mapping[str, Any] = {"cookie": [], "csrf": []}
_IDEMPOTENCY_KEY: Mapping[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Drawn for this request: repeated with it within a day, it is answered and not done again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
}


def document(operations: Sequence[Operation]) -> bytes:
    """The whole description as JSON."""
    types = [Problem, *(each for operation in operations for each in _types_of(operation))]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    of = {id(kind): schema for kind, schema in zip(types, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.whole_path, {})[operation.method.lower()] = _described(operation, of)
    return (
        msgspec.json.encode(
            {
                "openapi": "3.1.0",
                "info": {"title": "Sealwright", "version": __version__, "description": "The management API."},
                "paths": paths,
                "components": {
                    "schemas": components,
                    "securitySchemes": _SCHEMES,
                    "x-problems": _problems(),
                },
            }
        )
        + b"\n"
    )


def _types_of(operation: Operation) -> list[Any]:
    other = None if operation.also_returns is None else operation.also_returns[1]
    return [each for each in (operation.accepts, operation.returns, other) if each is not None]


def _described(operation: Operation, of: dict[int, Any]) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(operation.path)
    ]
    parameters += [
        {"name": name, "in": "query", "description": text, "schema": {"type": "string"}} for name, text in operation.query.items()
    ]
    if operation.method == "POST" and not operation.public:
        parameters.append(dict(_IDEMPOTENCY_KEY))
    success: dict[str, Any] = {"description": HTTPStatus(operation.status).phrase}
    if operation.returns is not None:
        success["content"] = {operation.media_type: {"schema": of[id(operation.returns)]}}
    problem = {"application/problem+json": {"schema": {"$ref": _REFERENCE.format(name="Problem")}}}
    responses = {
        str(operation.status): success,
        "default": {"description": "What was refused or failed, and why.", "content": problem},
    }
    if operation.also_returns is not None:
        status, shape = operation.also_returns
        content = {"application/json": {"schema": of[id(shape)]}}
        responses[str(status)] = {"description": HTTPStatus(status).phrase, "content": content}
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "x-access": operation.access,
        "x-recent-sign-in": operation.needs_recent_sign_in,
        "parameters": parameters,
        "responses": responses,
        "security": []
        if operation.public
        else [{"bearer": []}, {"cookie": []} if operation.method == "GET" else _COOKIE_CHANGES],
    }
    if operation.accepts is not None:
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": of[id(operation.accepts)]}}}
    return described


def _problems() -> dict[str, Any]:
    """Every kind of problem that this server knows, by its code."""
    return {
        kind.code: {"status": status_of(kind).value, "description": (kind.__doc__ or "").strip()}
        for kind in sorted(_below(Failure), key=lambda kind: kind.code)
        if status_of(kind) is not HTTPStatus.INTERNAL_SERVER_ERROR
    }


def _below(kind: type[Failure]) -> set[type[Failure]]:
    return {each for child in kind.__subclasses__() for each in (child, *_below(child))}
