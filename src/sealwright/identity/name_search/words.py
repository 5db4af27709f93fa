"""The words by which something is found. Case and accents do not count; what no letter or digit is separates words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from sealwright.identity.models import Account, Group

MOST_WORDS = 100
"""Of one thing; a long description is found by its first words."""
MOST_TERMS = 5
LONGEST_WORD = 64
"""Characters of a word that count."""
_WORD = re.compile(r"[^\W_]+")


def words_of_account(account: Account) -> list[bytes]:
    """The words of its name, of its mail addresses, each also as a whole, and of what people read.

    That comes last: people may write it themselves, and one of very many words leaves no room for what follows.
    """
    addresses = [mail.address for mail in account.mails]
    texts = [account.name, *(address.partition("@")[0] for address in addresses), account.display_name]
    return _distinct([*map(_folded, addresses), *(word for text in texts for word in _words(text))])


def words_of_group(group: Group) -> list[bytes]:
    """The words of its name and its description."""
    return _distinct([*_words(group.name), *_words(group.description)])


def terms_of(search: str) -> list[bytes]:
    """What is looked for: each must be the beginning of a word. The longest, which few things have, comes first.

    None where the text holds neither a letter nor a digit: then nothing is found.
    """
    found: list[str] = []
    for part in _folded(search[: MOST_TERMS * LONGEST_WORD]).split():
        found += [part] if "@" in part else _WORD.findall(part)
    return sorted(_distinct(found), key=len, reverse=True)[:MOST_TERMS]


def _words(text: str) -> list[str]:
    found: list[str] = []
    for word in _WORD.findall(_folded(text)):
        # A script without capitals may write names without spaces: there a word may begin at each letter.
        ends = range(len(word)) if all(unicodedata.category(letter) == "Lo" for letter in word) else range(1)
        found += [word[end:] for end in ends]
    return found


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(letter for letter in decomposed if unicodedata.category(letter) != "Mn")


def _distinct(words: Iterable[str]) -> list[bytes]:
    return list(dict.fromkeys(word[:LONGEST_WORD].encode() for word in words))[:MOST_WORDS]
