"""Every regular expression of the source, how it is used, and inputs that would make it slow if anything can."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

# The parse tree is the one honest source of attacks; the modules that make it have no public name.
codes: Any = importlib.import_module("re._constants")
parser: Any = importlib.import_module("re._parser")
SOURCE = Path(__file__).parents[2] / "src"
METHODS = frozenset({"fullmatch", "match", "search", "sub", "subn", "split", "findall", "finditer"})
_REPEATS = frozenset({codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT})
_LONG = 256
"""A repeat with a lower bound than this one is bounded, and so is the time that it takes."""
_EVERYDAY = (" ", "a", "0", "A", "-", ".", "/", "=", "\n", ",", "%41", ".a", "a.", "-a", "/a", "a=", "1s", "0.0")
_TAILS = ("", "\0", "!", "\n", "a", " ", ".", "-", "@")


class Used(NamedTuple):
    """One pattern, and the methods by which its module uses it."""

    where: str
    pattern: re.Pattern[Any]
    methods: frozenset[str]


def patterns() -> list[Used]:
    """Every pattern that is written in the source."""
    return [used for file in sorted(SOURCE.rglob("*.py")) for used in _of_file(file)]


def attacks(pattern: re.Pattern[Any], length: int) -> Iterator[Any]:
    """Texts of about `length` that repeat what the pattern repeats, behind what it asks for before, and then break off."""
    tree = parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)
    seen = set()
    for before, body in [("", ""), *_pumps(list(tree), "")]:
        for pump in dict.fromkeys((body, before + body, *_EVERYDAY)):
            for tail in _TAILS:
                if pump and (before, pump, tail) not in seen:
                    seen.add((before, pump, tail))
                    text = before + pump * (length // len(pump)) + tail
                    yield text if isinstance(pattern.pattern, str) else text.encode("latin-1", "replace")


def _of_file(file: Path) -> Iterator[Used]:
    text = file.read_text()
    if "import re\n" not in text:
        return
    tree = ast.parse(text)
    module = importlib.import_module(".".join(file.relative_to(SOURCE).with_suffix("").parts))
    named = {
        id(node.value): target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    uses: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in METHODS and isinstance(node.value, ast.Name):
            uses.setdefault(node.value.id, set()).add(node.attr)
    elsewhere = frozenset().union(*(methods for name, methods in uses.items() if name != "re")) or {"fullmatch"}
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "re"):
            continue
        where = f"{file.relative_to(SOURCE)}:{node.lineno}"
        if node.func.attr == "compile":
            made = eval(compile(ast.Expression(node), str(file), "eval"), vars(module))
            yield Used(where, made, frozenset(uses.get(named.get(id(node), ""), elsewhere)))
        elif node.func.attr in METHODS:
            expression = eval(compile(ast.Expression(node.args[0]), str(file), "eval"), vars(module))
            yield Used(where, re.compile(expression), frozenset({node.func.attr}))


def _pumps(tree: list[Any], before: str) -> Iterator[tuple[str, str]]:
    """For every repeat without a bound: a shortest text that leads up to it, and one turn of it."""
    for code, value in tree:
        for inner in _parts(code, value):
            yield from _pumps(inner, before)
        if code in _REPEATS and value[1] >= _LONG:
            yield before, _sample(list(value[2])) or "a"
        before += _sample([(code, value)])


def _parts(code: Any, value: Any) -> list[list[Any]]:
    if code in _REPEATS:
        return [list(value[2])]
    if code is codes.SUBPATTERN:
        return [list(value[3])]
    if code is codes.BRANCH:
        return [list(each) for each in value[1]]
    if code is codes.ATOMIC_GROUP:
        return [list(value)]
    return []


def _sample(tree: list[Any]) -> str:
    """A short text that the pattern could match."""
    found = ""
    for code, value in tree:
        if code is codes.LITERAL:
            found += chr(value)
        elif code in {codes.IN, codes.ANY, codes.NOT_LITERAL}:
            found += _one_of(code, value)
        elif code in _REPEATS:
            found += _sample(list(value[2])) * max(value[0], 1 if value[1] >= _LONG else 0)
        elif parts := _parts(code, value):
            found += _sample(parts[0])
    return found


def _one_of(code: Any, value: Any) -> str:
    if code is codes.ANY:
        return "a"
    if code is codes.NOT_LITERAL:
        return "a" if value != ord("a") else "b"
    shape = "".join(map(_class_text, value))
    return next(c for c in " aA0-.x/\n\0\x7fé" + "".join(map(chr, range(33, 127))) + "\udc80" if re.fullmatch(f"[{shape}]", c))


def _class_text(item: Any) -> str:
    code, value = item
    if code is codes.NEGATE:
        return "^"
    if code is codes.LITERAL:
        return re.escape(chr(value)) if chr(value) != "^" else r"\^"
    if code is codes.RANGE:
        return f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
    words = {codes.CATEGORY_SPACE: r"\s", codes.CATEGORY_NOT_SPACE: r"\S", codes.CATEGORY_DIGIT: r"\d"}
    words |= {codes.CATEGORY_NOT_DIGIT: r"\D", codes.CATEGORY_WORD: r"\w", codes.CATEGORY_NOT_WORD: r"\W"}
    return words[value]
