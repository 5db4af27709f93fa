"""The parameter `scope` of a token request that names some of what is open to it (RFC 6749, section 3.3)."""

from __future__ import annotations

from sealwright.oauth import policy
from sealwright.oauth.errors import ScopeRefused


def require_open(asked: str, open_to_it: tuple[str, ...], refusal: str) -> tuple[str, ...]:
    """The scopes that are asked for; raises ScopeRefused unless each is one of `open_to_it`.

    `refusal`: the sentence that says so, with ``{}`` where those stand that are not.
    """
    scopes = policy.scopes_of(asked)
    if not scopes:
        raise ScopeRefused(f"The scope {asked[:100]!r} is malformed. Give words with single spaces between them.")
    beyond = [scope for scope in scopes if scope not in open_to_it]
    if beyond:
        raise ScopeRefused(f"{refusal.format(' '.join(beyond)[:200])} Ask for some of: {' '.join(open_to_it)[:200] or 'none'}.")
    return scopes
