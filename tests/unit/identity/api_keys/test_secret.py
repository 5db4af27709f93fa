"""The form of a key: found by scanners, told from a mistyped one, and not to be guessed."""

import re

from sealwright.entropy import SeededEntropy
from sealwright.identity.api_keys.secret import API_KEY_PATTERN, is_api_key, new_api_key


def test_key_has_the_form_that_scanners_look_for():
    entropy = SeededEntropy(3)
    for _ in range(200):
        key = new_api_key(entropy)
        assert re.fullmatch(API_KEY_PATTERN, key)
        assert is_api_key(key)


def test_no_character_of_a_key_can_be_mistyped():
    key = new_api_key(SeededEntropy(3))
    for place in range(len(key)):
        mistyped = key[:place] + ("A" if key[place] != "A" else "B") + key[place + 1 :]
        assert not is_api_key(mistyped)
    assert not is_api_key(key + "0")
    assert not is_api_key(key[:-1])
    assert not is_api_key("")


def test_two_keys_differ():
    entropy = SeededEntropy(3)
    assert len({new_api_key(entropy) for _ in range(100)}) == 100


def test_smallest_random_number_makes_a_key_of_the_same_length():
    class Zeros:
        def bytes(self, length):
            return bytes(length)

    assert is_api_key(new_api_key(Zeros()))
