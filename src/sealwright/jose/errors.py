"""How tokens and keys are refused."""

from __future__ import annotations

from sealwright.errors import Refused


class TokenRefused(Refused):
    """A token does not prove what it is presented for."""

    code = "token_refused"


class TokenMalformed(TokenRefused):
    """The text is not a token of a kind that we read."""

    code = "token_malformed"


class TokenTooLong(TokenRefused):
    """A token would be longer than what is read here, so that it is not made."""

    code = "token_too_long"


class TokenExpired(TokenRefused):
    """The token could be used once."""

    code = "token_expired"


class KeyUnknown(TokenRefused):
    """The token names a key that its issuer does not have."""

    code = "token_key_unknown"


class KeyRefused(Refused):
    """A key is of a kind or strength that is not used here, or cannot be read."""

    code = "key_refused"


class JwkRefused(Refused):
    """A JSON Web Key cannot be read, or is of a kind or strength that is not used here."""

    code = "jwk_refused"


class JwkNotOpened(JwkRefused):
    """An encrypted JSON Web Key does not open with the password that was given."""

    code = "jwk_not_opened"
