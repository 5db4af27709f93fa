"""How good a password is, and how it is stretched: one rule for people and provisioners, wherever passwords are chosen."""

from __future__ import annotations

from collections.abc import Sequence

ITERATIONS = 600_000
FEWEST_ITERATIONS = 100_000
MOST_ITERATIONS = 1_000_000
"""Of PBKDF2 over the password of a provisioner's key: `step` uses 100,000 or 600,000; more would only keep a machine busy."""

MIN_PASSWORD = 10
MAX_PASSWORD = 128
MIN_SCORE = 3
"""Of zxcvbn's 0 to 4: holds out against guessing offline when the hash is slow, which Argon2 is."""
MIN_OWN_WORD = 4
_SCORED_CHARACTERS = (16, 32)
"""How many are scored at first, and how many where those are too weak: what follows makes a password no worse, and the time
that scoring takes grows steeply with the length."""

_PATTERN_WORDS = {
    "dictionary": "it is made of common words, names or passwords",
    "spatial": "it follows neighbouring keys of a keyboard",
    "repeat": "it repeats itself",
    "sequence": "it counts up or down",
    "regex": "it holds a year",
    "date": "it holds a date",
}


def weaknesses(
    password: str, *, name: str, display_name: str, mails: Sequence[str], shortest: int = MIN_PASSWORD
) -> tuple[str, ...]:
    """What speaks against the password, in words that finish "it was refused because …"; nothing when it is good."""
    if not shortest <= len(password) <= MAX_PASSWORD:
        return (f"it has {len(password)} characters; {shortest} to {MAX_PASSWORD} are allowed",)
    forbidden = _own_words(name, mails)
    folded = password.casefold()
    reasons = [f"it contains {word!r}" for word in forbidden if word.casefold() in folded]
    return (*reasons, *_why_guessable(password, [*forbidden, *display_name.split()]))


def _why_guessable(password: str, own_words: list[str]) -> list[str]:
    from zxcvbn import zxcvbn  # noqa: PLC0415 - its word lists are needed only when a password is chosen

    patterns: set[str] = set()
    for length in _SCORED_CHARACTERS:
        result = zxcvbn(password[:length], user_inputs=own_words)
        if result["score"] >= MIN_SCORE:
            return []
        patterns = {match["pattern"] for match in result["sequence"]}
    return [words for pattern, words in _PATTERN_WORDS.items() if pattern in patterns] or ["it can be guessed"]


def _own_words(name: str, mails: Sequence[str]) -> tuple[str, ...]:
    """User name, e-mail addresses and what stands before their @; the very short ones occur by chance and are left out."""
    words = [name]
    for address in mails:
        words += [address, address.partition("@")[0]]
    return tuple(dict.fromkeys(word for word in words if len(word) >= MIN_OWN_WORD))
