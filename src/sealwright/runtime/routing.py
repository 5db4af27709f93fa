"""From method and path to route.

A table is a tree of path segments, so that finding a route costs the same however many there are. A literal segment wins
over ``{name}``, and that over ``{name:path}``. Segments are split first and percent-decoded then: an encoded slash is part
of its segment.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from urllib.parse import urlsplit

from msgspec import Struct

from sealwright.errors import InvalidInput, MethodNotAllowed, NotFound
from sealwright.http import Route, Wire, percent_decoded

_PARAMETER = re.compile(r"\{([a-z][a-z0-9_]*)(:path)?\}")
_NO_PARAMETERS: Mapping[str, str] = {}
_SHOWN = 120
_MOST_SEGMENTS = 64


class Match(Struct, frozen=True):
    """A route, the decoded path, and what the path's parameters stand for."""

    route: Route
    path: str
    parameters: Mapping[str, str]


class _Leaf(Struct, frozen=True):
    number: int
    """Which of the routes of a table."""
    names: tuple[str, ...]


class _Node:
    __slots__ = ("literals", "methods", "parameter", "rest")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.methods: dict[str, _Leaf] = {}
        self.rest: dict[str, _Leaf] = {}


class RouteTable:
    """The routes of one listener."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """Two routes for the same method and path, or a path that cannot be read, raise ValueError."""
        self._routes = tuple(routes)
        self._root = _tree_of(tuple((each.method, each.path) for each in self._routes))
        self._exact = {
            (each.method, each.path): Match(each, each.path, _NO_PARAMETERS) for each in self._routes if "{" not in each.path
        }

    def find(self, method: str, raw_path: str) -> Match:
        """The route of a request; raises NotFound, MethodNotAllowed or InvalidInput. GET routes answer HEAD as well."""
        exact = self._exact.get((method, raw_path))
        if exact is not None:
            return exact
        segments = _segments(raw_path)
        path = "/" + "/".join(segments)
        allowed: set[str] = set()
        for leaves, values in _walk(self._root, segments, 0, ()):
            leaf = leaves.get(method) or (leaves.get("GET") if method == "HEAD" else None)
            if leaf is not None:
                return Match(self._routes[leaf.number], path, dict(zip(leaf.names, values, strict=True)))
            allowed.update(leaves)
        if not allowed:
            raise NotFound(f"There is nothing at {path[:_SHOWN]}.")
        allowed.update(("HEAD",) if "GET" in allowed else ())
        raise MethodNotAllowed(f"{path[:_SHOWN]} does not answer {method}.", allowed=tuple(sorted(allowed)))

    def nearest_wire(self, raw_path: str) -> Wire | None:
        """The wire that most routes near `raw_path` speak; None where not even its first segment leads anywhere."""
        try:
            segments = _segments(raw_path)
        except (InvalidInput, NotFound):
            return None
        node = self._root
        for segment in segments:
            following = node.literals.get(segment) or node.parameter
            if following is None:
                break
            node = following
        return (
            None
            if node is self._root
            else Counter(self._routes[number].wire for number in _numbers_below(node)).most_common(1)[0][0]
        )


@cache
def _tree_of(addresses: tuple[tuple[str, str], ...]) -> _Node:
    """The tree of routes with these methods and paths, in this order. Several tables of a process have the same."""
    root = _Node()
    for number, (method, path) in enumerate(addresses):
        _add(root, number, method, path)
    return root


def _add(root: _Node, number: int, method: str, path: str) -> None:
    node, names = root, []
    leaves = None
    for segment in _split(path):
        if leaves is not None:
            raise ValueError(f"{path}: nothing can follow a rest of the path")
        braces = "{" in segment or "}" in segment
        parameter = _PARAMETER.fullmatch(segment) if braces else None
        if braces and parameter is None:
            raise ValueError(f"{path}: a parameter takes a whole segment, as {{name}} or {{name:path}}")
        if parameter is None:
            following = node.literals.get(segment)
            if following is None:
                following = node.literals[segment] = _Node()
            node = following
        else:
            names.append(parameter[1])
            if parameter[2]:
                leaves = node.rest
            else:
                node.parameter = node.parameter or _Node()
                node = node.parameter
    leaves = node.methods if leaves is None else leaves
    if method in leaves:
        raise ValueError(f"{method} {path} is there twice")
    leaves[method] = _Leaf(number, tuple(names))


def target_of(url: bytes, host: str | None) -> tuple[str, str | None]:
    """Path with query, and the host: of an address with scheme and host, else `host`, which the Host header names."""
    target = url.decode("ascii").partition("#")[0]
    if target.startswith("/") or "://" not in target:
        return target, host
    return "/" + target.split("://", 1)[1].partition("/")[2], urlsplit(target).netloc


def _split(path: str) -> list[str]:
    if not path.startswith("/"):
        raise ValueError(f"{path!r} does not begin with a slash")
    return path[1:].split("/")


def _segments(raw_path: str) -> list[str]:
    try:
        segments = _split(raw_path)
    except ValueError as cause:
        raise NotFound("There is nothing at an address without a path.") from cause
    if len(segments) > _MOST_SEGMENTS:
        raise NotFound(f"There is nothing at {raw_path[:_SHOWN]}, which has more than {_MOST_SEGMENTS} parts.")
    if "%" not in raw_path:
        return segments
    try:
        decoded = [percent_decoded(segment) for segment in segments]
    except UnicodeDecodeError as cause:
        raise InvalidInput("The path is not UTF-8 text.") from cause
    if any("\0" in segment for segment in decoded):
        raise InvalidInput("The path holds a null character.")
    return decoded


def _numbers_below(node: _Node) -> Iterator[int]:
    """The number of each route at a place or below it."""
    for leaf in (*node.methods.values(), *node.rest.values()):
        yield leaf.number
    for following in (*node.literals.values(), *((node.parameter,) if node.parameter else ())):
        yield from _numbers_below(following)


def _walk(
    node: _Node, segments: list[str], depth: int, values: tuple[str, ...]
) -> Iterator[tuple[dict[str, _Leaf], tuple[str, ...]]]:
    """Every place that the path leads to, the most literal first."""
    if depth == len(segments):
        if node.methods:
            yield node.methods, values
        return
    segment = segments[depth]
    if segment in node.literals:
        yield from _walk(node.literals[segment], segments, depth + 1, values)
    if node.parameter is not None and segment:
        yield from _walk(node.parameter, segments, depth + 1, (*values, segment))
    if node.rest and segment:
        yield node.rest, (*values, "/".join(segments[depth:]))
