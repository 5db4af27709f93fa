"""Names with a description, from which the reference is made."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Described(StrEnum):
    """A text with its description beside it."""

    description: str

    def __new__(cls, value: str, description: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member

    @classmethod
    def called(cls, text: str) -> Self | None:
        """The member with this text, if there is one."""
        return next((each for each in cls if each == text), None)
