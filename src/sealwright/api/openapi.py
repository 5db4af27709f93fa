"""The OpenAPI 3.1 description, made from the operations and the types that they take and give."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from sealwright import __version__
from sealwright.api.operations import PREFIX, Operation
from sealwright.api.problems import STATUS, Problem

_PARAMETER = re.compile(r"\{([a-z_]+)\}")
_REFERENCE = "#/components/schemas/{name}"


def document(operations: Sequence[Operation]) -> bytes:
    """The whole description as JSON."""
    types = [Problem, *(each for operation in operations for each in (operation.takes, operation.gives) if each is not None)]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    of = {id(kind): schema for kind, schema in zip(types, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(PREFIX + operation.path, {})[operation.method.lower()] = _described(operation, of)
    return (
        msgspec.json.encode(
            {
                "openapi": "3.1.0",
                "info": {"title": "Sealwright", "version": __version__, "description": "The management API."},
                "paths": paths,
                "components": {
                    "schemas": components,
                    "securitySchemes": {"session": {"type": "http", "scheme": "bearer", "description": "A terminal session."}},
                    "x-problems": _problems(),
                },
            }
        )
        + b"\n"
    )


def _described(operation: Operation, of: dict[int, Any]) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(operation.path)
    ]
    parameters += [
        {"name": name, "in": "query", "description": text, "schema": {"type": "string"}} for name, text in operation.query.items()
    ]
    success: dict[str, Any] = {"description": HTTPStatus(operation.status).phrase}
    if operation.gives is not None:
        success["content"] = {"application/json": {"schema": of[id(operation.gives)]}}
    problem = {"application/problem+json": {"schema": {"$ref": _REFERENCE.format(name="Problem")}}}
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "x-access": operation.access,
        "parameters": parameters,
        "responses": {
            str(operation.status): success,
            "default": {"description": "What was refused or failed, and why.", "content": problem},
        },
        "security": [] if operation.public else [{"session": []}],
    }
    if operation.takes is not None:
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": of[id(operation.takes)]}}}
    return described


def _problems() -> dict[str, Any]:
    """Each kind of problem that has a status of its own; more special ones share the status of the one above them."""
    return {kind.code: {"status": status.value, "description": (kind.__doc__ or "").strip()} for kind, status in STATUS.items()}
