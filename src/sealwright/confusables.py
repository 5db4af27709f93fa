"""Telling honest text from text that deceives its reader."""

from __future__ import annotations

import unicodedata

LONGEST_SHOWN = 100

_HOSTILE = {
    "Cc": "a control character",
    "Cf": "an invisible or direction-changing character",
    "Cs": "half a character",
    "Co": "a private-use character",
    "Cn": "an unassigned character",
    "Zl": "a line separator",
    "Zp": "a paragraph separator",
    "Zs": "an unusual space",
}
_NO_SCRIPT = frozenset({"DIGIT", "HYPHEN-MINUS", "COMBINING", "MODIFIER", "MIDDLE", "LOW", "KATAKANA-HIRAGANA", "FULLWIDTH"})
_SAME_SCRIPT = {"IDEOGRAPHIC": "CJK", "HALFWIDTH": "KATAKANA"}


def hostile_character(text: str) -> str | None:
    """The first character that a reader cannot see or place, in words; nothing when there is none."""
    for character in text:
        kind = _HOSTILE.get(unicodedata.category(character))
        if kind is not None and character != " ":
            return f"{kind} (U+{ord(character):04X})"
    return None


def shown(text: str) -> str:
    """`text` as it may be put into a message: hostile characters escaped, and not longer than a line."""
    cut = text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
    if cut.isascii() and cut.isprintable():
        return cut or '""'
    return "".join(character if character.isprintable() else f"\\u{{{ord(character):x}}}" for character in cut)


def scripts_of(text: str) -> frozenset[str]:
    """The writing systems of the letters in `text`, by the first word of their Unicode names: LATIN, CYRILLIC, CJK, …"""
    found = set()
    for character in text:
        word = unicodedata.name(character, "UNKNOWN").partition(" ")[0]
        if word not in _NO_SCRIPT:
            found.add(_SAME_SCRIPT.get(word, word))
    return frozenset(found)
