"""How people, services and groups are found: by the beginnings of the words of their names, addresses and descriptions."""

from __future__ import annotations

from sealwright.identity.name_search.words import terms_of, words_of_account, words_of_group

__all__ = ["terms_of", "words_of_account", "words_of_group"]
