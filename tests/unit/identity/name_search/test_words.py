"""Words and terms: how names are taken apart, and what counts as the same."""

import pytest

from sealwright.clock import Instant
from sealwright.identity.models import Account, AccountKind, MailAddress
from sealwright.identity.name_search import terms_of, words_of_account
from sealwright.identity.name_search.words import LONGEST_WORD, MOST_TERMS, MOST_WORDS


def words(name, display_name, *mails):
    addresses = tuple(MailAddress(mail, verified=False) for mail in mails)
    account = Account("id", AccountKind.PERSON, name, display_name, addresses, None, None, None, Instant(0), Instant(0))
    return {word.decode() for word in words_of_account(account)}


def finds(search, *texts):
    held = words(*texts)
    return all(any(word.startswith(term.decode()) for word in held) for term in terms_of(search)) and bool(terms_of(search))


def test_words_are_those_of_the_names_and_of_the_addresses_which_are_found_as_a_whole_too():
    assert words("anna-lee", "Anna O'Neil", "a.lee@x.example") == {"anna", "lee", "o", "neil", "a", "a.lee@x.example"}


@pytest.mark.parametrize("search", ["müll", "MULL", "Mü", "Jurgen muller", "muller j", "\uff2a\uff35\uff32", "strasse", "straß"])
def test_case_and_accents_do_not_count(search):
    assert finds(search, "jm", "Jürgen Müller Straße")


@pytest.mark.parametrize("search", ["太郎", "山田", "田太", "やま"])
def test_word_may_begin_anywhere_in_a_script_without_capitals(search):
    assert finds(search, "taro", "山田太郎 やまだ")


@pytest.mark.parametrize("search", ["taro", "t.yamada", "yamada.taro@x.example"])
def test_no_display_name_hides_a_name_or_an_address(search):
    long = "".join(chr(0x4E00 + number) for number in range(128))
    assert finds(search, "taro", long, "t.yamada@x.example", "yamada.taro@x.example")


@pytest.mark.parametrize("search", ["", "  ", "%", "_", "-- ;", "\u0301"])
def test_text_without_letters_and_digits_looks_for_nothing(search):
    assert terms_of(search) == []


def test_longest_term_comes_first_and_what_is_too_much_is_left_out():
    assert [term.decode() for term in terms_of("b annabel co")] == ["annabel", "co", "b"]
    assert len(terms_of(" ".join("abcdefghij"))) == MOST_TERMS
    assert terms_of("a" * 1_000) == [b"a" * LONGEST_WORD]
    assert len(words("x", " ".join(f"w{number}" for number in range(1_000)))) == MOST_WORDS
