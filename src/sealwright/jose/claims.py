"""Checks of verified claims. Pure functions that raise TokenRefused and say what was found and what was needed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from sealwright.clock import Instant, after, before, from_seconds, to_rfc3339
from sealwright.jose.errors import TokenExpired, TokenMalformed, TokenRefused

LEEWAY = timedelta(minutes=1)
"""How far the clocks of two machines may differ."""

_LATEST = 253_402_300_800  # the year 10000
_NUMBERS = frozenset({int, float})
"""By their exact types: a bool is an int too."""
_SHOWN = 80


def check_times(claims: Mapping[str, Any], now: Instant, leeway: timedelta = LEEWAY) -> None:
    """`exp` must be there and not be reached, `nbf` be reached, `iat` not lie in the future; each within `leeway`."""
    expiry = instant_claim(claims, "exp")
    if expiry is None:
        raise TokenRefused("The token does not say when it expires.")
    if before(now, leeway) >= expiry:
        raise TokenExpired(f"The token expired at {to_rfc3339(expiry)}; it is {to_rfc3339(now)}.")
    latest = after(now, leeway)
    start = instant_claim(claims, "nbf")
    if start is not None and latest < start:
        raise TokenRefused(f"The token is not valid before {to_rfc3339(start)}; it is {to_rfc3339(now)}.")
    issued = instant_claim(claims, "iat")
    if issued is not None and latest < issued:
        raise TokenRefused(f"The token was issued in the future, at {to_rfc3339(issued)}; it is {to_rfc3339(now)}.")


def require_issuer(claims: Mapping[str, Any], issuer: str) -> None:
    """`iss` must be `issuer`, byte by byte."""
    found = claims.get("iss")
    if found != issuer:
        raise TokenRefused(f"The token was issued by {_cut(found)}, not by {issuer}.")


def audiences(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """`aud` as a tuple, whether it is one text or a list of texts."""
    found = claims.get("aud", ())
    if isinstance(found, str):
        return (found,)
    if not isinstance(found, list | tuple) or not all(isinstance(each, str) for each in found):
        raise TokenMalformed("The token's aud is neither a text nor a list of texts.")
    return tuple(found)


def require_audience(claims: Mapping[str, Any], accepted: str | Collection[str]) -> None:
    """`aud` must hold `accepted`, or one of them."""
    wanted = (accepted,) if isinstance(accepted, str) else accepted
    found = audiences(claims)
    if not any(each in wanted for each in found):
        raise TokenRefused(f"The token is meant for {_cut(', '.join(found) or 'no one')}, not for {_cut(', '.join(wanted))}.")


def check_authorized_party(claims: Mapping[str, Any], client_id: str) -> None:
    """`azp`, where it is given, must be `client_id`."""
    found = claims.get("azp")
    if found is not None and found != client_id:
        raise TokenRefused(f"The token was made for the client {_cut(found)}, not for {client_id}.")


def require_text(claims: Mapping[str, Any], name: str) -> str:
    """A claim that must be there, as a text that is not empty."""
    found = optional_text(claims, name)
    if not found:
        raise TokenRefused(f"The token has no {name}.")
    return found


def optional_text(claims: Mapping[str, Any], name: str) -> str:
    """A claim that is a text where it is given; otherwise empty."""
    found = claims.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise TokenMalformed(f"The token's {name} is not a text.")
    return found


def text_list(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A claim that is a list of texts where it is given; a single text is a list of one."""
    found = claims.get(name)
    if found is None:
        return ()
    if isinstance(found, str):
        return (found,)
    if not isinstance(found, list | tuple) or not all(isinstance(each, str) for each in found):
        raise TokenMalformed(f"The token's {name} is not a list of texts.")
    return tuple(found)


def instant_claim(claims: Mapping[str, Any], name: str) -> Instant | None:
    """A NumericDate (RFC 7519, section 2), or None where it is not given."""
    found = claims.get(name)
    if found is None:
        return None
    if type(found) not in _NUMBERS or not 0 <= found < _LATEST:
        raise TokenMalformed(f"The token's {name} is not a time.")
    return from_seconds(found)


def _cut(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
