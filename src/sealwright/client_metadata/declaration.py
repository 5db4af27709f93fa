"""What one row of the table of client metadata says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class SetBy(StrEnum):
    """Who may set a member of a client."""

    CREATION = "at creation only"
    ADMINISTRATOR = "administrator"
    REGISTRATION = "administrator, or the client when it registers itself"


class VerbEffect(StrEnum):
    """What a verb of `system oauth2` does with its value."""

    SET = "set"
    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """A command below `system oauth2` that changes one member."""

    name: str
    doc: str
    """Its help."""
    said: str
    """What is printed once it is done; `{client}` and `{value}` stand for themselves."""
    example: str
    """What stands behind `sealwright system oauth2`, of the example in its help."""
    value: Any = None
    """What it sets the member to, where it takes no argument."""
    argument: str = ""
    """The name of the argument that gives the value; empty where it takes none."""
    optional: bool = False
    """Whether the argument may be left out, which brings the default back."""
    effect: VerbEffect = VerbEffect.SET
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerDefaults:
    """The server's own settings that clients follow where they have none."""

    refresh_seconds: int
    offline_seconds: int


Rule = Callable[[Any, Any], None]
"""Raises ClientRefused where a value may not stand in a client: called with the value and the client's metadata.

Of a list it is called with each element.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberDeclaration:
    """Everything about a member beside its name, its type and its default, which are those of the field that it annotates."""

    doc: str
    """One line."""
    label: str
    """How `system oauth2 get` calls it."""
    set_by: SetBy
    rule: Rule | None = None
    clean: Callable[[Any], Any] | None = None
    """How a value is stored that is accepted in more than one spelling."""
    usual: Callable[[Any, ServerDefaults], Any] | None = None
    """What holds while the member is None."""
    usual_doc: str = ""
    """The same in words."""
    registered_as: str = ""
    """Its name in RFC 7591 or OpenID Connect Registration, where that is another."""
    column: bool = False
    """Whether it has a column of its own, because it is searched or sorted by; all others are stored in one."""
    verbs: tuple[Verb, ...] = ()
