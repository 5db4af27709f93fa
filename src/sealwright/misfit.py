"""Why a JSON value does not fit a type: the member that is wrong, what it must be, and what it is instead.

msgspec says whether a value fits; where it does not, the value is walked beside its type until the member is found.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Struct

from sealwright.errors import pointer_to

_SHOWN = 64
_Place = tuple[str | int, ...]
_NAMES: Mapping[Any, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    bytes: "a text in base64",
    list: "a list",
    tuple: "a list",
    dict: "an object",
    type(None): "null",
}
_BOUNDS: Mapping[str, str] = {
    "ge": "of at least {}",
    "gt": "greater than {}",
    "le": "of at most {}",
    "lt": "less than {}",
    "min_length": "of at least {} characters",
    "max_length": "of at most {} characters",
    "pattern": "that matches {}",
}


class Misfit(Struct, frozen=True):
    """What is wrong with one member, or with all of a document where `path` is empty."""

    path: tuple[str | int, ...]
    """Names of members and places in lists, from the outermost."""
    problem: str
    """The end of a sentence that begins with the member."""

    @property
    def member(self) -> str:
        """As it is written in a sentence: ``groups[2].name``."""
        parts = (f"[{each}]" if isinstance(each, int) else f".{each[:_SHOWN]}" for each in self.path)
        return "".join(parts).removeprefix(".")

    @property
    def pointer(self) -> str:
        """The same as a JSON Pointer."""
        return pointer_to(*(str(each)[:_SHOWN] for each in self.path))

    def sentence(self, whole: str) -> str:
        """As a sentence; `whole` is what to call the document."""
        return f"{f'The member {self.member}' if self.member else whole} {self.problem}."


def misfit(value: object, kind: Any) -> Misfit:
    """What is wrong with a decoded JSON value that msgspec does not accept as `kind`."""
    return _find(value, kind, ())


def _find(value: object, kind: Any, place: _Place) -> Misfit:
    shape = _shape_for(value, kind)
    if isinstance(shape, type) and issubclass(shape, Struct) and isinstance(value, dict):
        found = _in_object(value, shape, place)
    elif get_origin(shape) is dict and isinstance(value, dict):
        found = _first(value.items(), lambda _: get_args(shape)[1], place)
    elif get_origin(shape) in (list, tuple) and isinstance(value, list):
        found = _first(enumerate(value), lambda _: get_args(shape)[0], place)
    else:
        found = None
    return found or Misfit(place, _must_be(value, kind))


def _in_object(value: Mapping[str, Any], shape: type[Struct], place: _Place) -> Misfit | None:
    fields = {field.encode_name: field for field in msgspec.structs.fields(shape)}
    if shape.__struct_config__.forbid_unknown_fields:
        for name in value.keys() - fields.keys():
            return Misfit((*place, name), "is not known here")
    for name, field in fields.items():
        if field.required and name not in value:
            return Misfit((*place, name), "is missing")
    return _first(((name, each) for name, each in value.items() if name in fields), lambda name: fields[name].type, place)


def _first(members: Any, kind_of: Callable[[Any], Any], place: _Place) -> Misfit | None:
    """The first of some members that does not fit."""
    for name, value in members:
        kind = kind_of(name)
        if not _fits(value, kind):
            return _find(value, kind, (*place, name))
    return None


def _fits(value: object, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except (msgspec.ValidationError, RecursionError):
        return False
    return True


def _alternatives(kind: Any) -> tuple[Any, ...]:
    """The types that a union is made of; of any other, itself."""
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)


def _bare(kind: Any) -> Any:
    """The type without what is annotated to it."""
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif hasattr(kind, "__supertype__"):
            kind = kind.__supertype__
        else:
            return kind


def _shape_for(value: object, kind: Any) -> Any:
    """Of several types the one with the members of an object, or the elements of a list, where the value is one."""
    for each in map(_bare, _alternatives(_bare(kind))):
        if isinstance(value, dict) and (get_origin(each) is dict or (isinstance(each, type) and issubclass(each, Struct))):
            return each
        if isinstance(value, list) and get_origin(each) in (list, tuple):
            return each
    return kind


def _must_be(value: object, kind: Any) -> str:
    wanted = " or ".join(dict.fromkeys(filter(None, map(_in_words, _alternatives(kind)))))
    if not wanted:
        return "has a value that is not accepted"
    given = _NAMES.get(type(value), "")
    of_the_right_kind = any(_NAMES.get(_bare(each), "").startswith(given) for each in _alternatives(kind))
    if not given or of_the_right_kind or (isinstance(value, int) and float in _alternatives(kind)):
        return f"must be {wanted}"
    return f"must be {wanted}, not {repr(value)[:_SHOWN] if _is_choice(kind) and isinstance(value, str) else given}"


def _is_choice(kind: Any) -> bool:
    return any(_choices(_bare(each)) for each in _alternatives(_bare(kind)))


def _choices(kind: Any) -> tuple[object, ...]:
    if get_origin(kind) is Literal:
        return get_args(kind)
    return tuple(each.value for each in kind) if isinstance(kind, type) and issubclass(kind, Enum) else ()


def _in_words(kind: Any) -> str:
    """A type for people; empty where there is no word for it, as for a member that may be left out."""
    bare = _bare(kind)
    if choices := _choices(bare):
        return " or ".join(str(each) for each in choices)
    if bare is not kind and get_origin(bare) in (Union, types.UnionType):
        return " or ".join(filter(None, map(_in_words, get_args(bare))))
    name = _NAMES.get(get_origin(bare) or bare, "")
    if isinstance(bare, type) and issubclass(bare, Struct):
        name = "an object"
    return f"{name} {' and '.join(_bounds(kind))}".rstrip() if name else ""


def _bounds(kind: Any) -> list[str]:
    found = []
    while get_origin(kind) is Annotated:
        kind, *notes = get_args(kind)
        found += [
            words.format(getattr(note, name))
            for note in notes
            if isinstance(note, msgspec.Meta)
            for name, words in _BOUNDS.items()
            if getattr(note, name) is not None
        ]
    return found
