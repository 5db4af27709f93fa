"""The OpenAPI 3.1 description, made from the operations and the types that they take and give."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from sealwright import __version__
from sealwright.api.conditional import object_of, readable_objects
from sealwright.api.operations import QUERY_SCHEMAS, Operation
from sealwright.api.problems import Problem, status_of
from sealwright.errors import Failure
from sealwright.identity import CSRF_COOKIE, SESSION_COOKIE

_ABOUT = "The management API. What is refused is a problem document (RFC 9457); x-problems lists every code."
_LICENSE: Mapping[str, Any] = {"name": "Apache License 2.0", "identifier": "Apache-2.0"}
_PLACES = frozenset({"auth", "oidc", "oauth2"})
_ENTITY_TAGS: Mapping[str, Any] = {"type": "string", "pattern": r'^(\*|"[^"]*"(, *"[^"]*")*)$'}
_ETAG: Mapping[str, Any] = {"description": "The version of the object (RFC 9110).", "schema": {"type": "string"}}
_WHAT_IT_MEANS: Mapping[int, str] = {
    400: "A parameter, a header or the body does not have the form that is needed.",
    401: "No one is signed in, or the credential is not valid any more; `ended` says why.",
    403: "The caller may not do this; `reasons` says what it takes.",
    404: "What is named does not exist, or the caller may not know that it does.",
    409: "The present state does not allow it: it exists already, is in use, or others were faster.",
    410: "There was one such chance, and it is over.",
    412: "The object is not in the version that If-Match names; `changed` says what differs.",
    413: "The body is too long.",
    415: "The body is not application/json.",
    422: "A rule refuses what is asked for.",
    429: "Too many attempts.",
    500: "A fault of the server; its log tells more under `request_id`.",
    503: "Something that this needs does not work at the moment.",
}
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
    objects = readable_objects(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        described = _described(operation, of, object_of(operation, objects))
        paths.setdefault(operation.whole_path, {})[operation.method.lower()] = described
    return (
        msgspec.json.encode(
            {
                "openapi": "3.1.0",
                "info": {"title": "Sealwright", "version": __version__, "description": _ABOUT, "license": _LICENSE},
                "paths": paths,
                "components": {
                    "schemas": components,
                    "responses": _problem_responses(),
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


def _described(operation: Operation, of: dict[int, Any], shown_by: Operation | None) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [_tag(operation)],
        "summary": operation.summary,
        "x-access": operation.access,
        "x-recent-sign-in": operation.needs_recent_sign_in,
        "parameters": [*_in_path(operation), *_in_query(operation), *_in_headers(operation, shown_by)],
        "responses": _responses(operation, of, shown_by),
        "security": []
        if operation.public
        else [{"bearer": []}, {"cookie": []} if operation.method == "GET" else _COOKIE_CHANGES],
    }
    if operation.accepts is not None:
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": of[id(operation.accepts)]}}}
    return described


def _tag(operation: Operation) -> str:
    """The noun that the operation is about: the first literal segment that is not only a place for others."""
    literal = [each for each in operation.path.split("/") if each and "{" not in each]
    return next((each for each in literal if each not in _PLACES), literal[0])


def _in_path(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in _PARAMETER.findall(operation.path)
    ]


def _in_query(operation: Operation) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "query",
            "description": text,
            "required": name in operation.required_query,
            "schema": QUERY_SCHEMAS.get(name, {"type": "string"}),
        }
        for name, text in operation.query.items()
    ]


def _in_headers(operation: Operation, shown_by: Operation | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if operation.method == "POST" and not operation.public and not operation.changes_nothing:
        found.append(dict(_IDEMPOTENCY_KEY))
    if shown_by is not None and operation.method == "GET":
        described = "Entity tags that the caller has: where one is of this version, the answer is 304 without a body."
        found.append({"name": "If-None-Match", "in": "header", "description": described, "schema": _ENTITY_TAGS})
    elif shown_by is not None:
        described = f"The ETag of GET {shown_by.whole_path} for which the change is meant: another version is answered 412."
        found.append({"name": "If-Match", "in": "header", "description": described, "schema": _ENTITY_TAGS})
    return found


def _responses(operation: Operation, of: dict[int, Any], shown_by: Operation | None) -> dict[str, Any]:
    success: dict[str, Any] = {"description": HTTPStatus(operation.status).phrase}
    if operation.returns is not None:
        success["content"] = {operation.media_type: {"schema": of[id(operation.returns)]}}
    if shown_by is not None and operation.returns is shown_by.returns:
        success["headers"] = {"ETag": _ETAG}
    found: dict[str, Any] = {
        str(status): {"$ref": f"#/components/responses/{status}"} for status in _refusals(operation, shown_by)
    }
    found[str(operation.status)] = success
    if shown_by is operation:
        found["304"] = {"description": HTTPStatus.NOT_MODIFIED.phrase, "headers": {"ETag": _ETAG}}
    if operation.also_returns is not None:
        status, shape = operation.also_returns
        content = {"application/json": {"schema": of[id(shape)]}}
        found[str(status)] = {"description": HTTPStatus(status).phrase, "content": content}
    return dict(sorted(found.items()))


def _refusals(operation: Operation, shown_by: Operation | None) -> set[int]:
    """Every status with a problem document that the operation may have."""
    found = {400, 404, 429, 500, 503}
    if not operation.public or operation.method != "GET":
        found |= {401, 403}
    if operation.method != "GET":
        found |= {409, 413, 422}
    if operation.accepts is not None:
        found.add(415)
    if shown_by is not None and operation.method != "GET":
        found.add(412)
    return found | set(operation.also_refused)


def _problem_responses() -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": _REFERENCE.format(name="Problem")}}}
    found: dict[str, Any] = {
        str(status): {"description": text, "content": content} for status, text in sorted(_WHAT_IT_MEANS.items())
    }
    for status in ("429", "503"):
        found[status]["headers"] = {"Retry-After": {"description": "In so many seconds.", "schema": {"type": "integer"}}}
    found["401"]["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    found["412"]["headers"] = {"ETag": _ETAG}
    return found


def _problems() -> dict[str, Any]:
    """Every kind of problem that this server knows, by its code."""
    return {
        kind.code: {"status": status_of(kind).value, "description": (kind.__doc__ or "").strip()}
        for kind in sorted(_below(Failure), key=lambda kind: kind.code)
        if status_of(kind) is not HTTPStatus.INTERNAL_SERVER_ERROR
    }


def _below(kind: type[Failure]) -> set[type[Failure]]:
    return {each for child in kind.__subclasses__() for each in (child, *_below(child))}
