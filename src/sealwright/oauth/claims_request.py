"""The `claims` parameter: claims that are asked for one by one (OpenID Connect Core, section 5.5). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from sealwright import strict_json
from sealwright.oauth.errors import AuthorizationRefused
from sealwright.strict_json import JsonRefused

MOST_CLAIMS = 50
"""Asked for in one of the two places."""
MOST_VALUES = 20
LONGEST_ACR_VALUES = 1_000

Values = tuple[Any, ...]
"""Those that a claim is asked for with; empty where any will do."""


class ClaimsRequest(Struct, frozen=True, omit_defaults=True):
    """Claims by their names, with the values that are wanted, for ID tokens and for userinfo."""

    id_token: Mapping[str, Values] = {}
    userinfo: Mapping[str, Values] = {}
    acr_values: tuple[str, ...] = ()
    """How the person should prove who they are, the best first."""
    acr_is_essential: bool = False
    """Whether nothing else will do."""
    subject: str | None = None
    """`sub` of the only person who will do."""

    @property
    def names(self) -> frozenset[str]:
        """Every claim that is asked for, in either place."""
        return frozenset((*self.id_token, *self.userinfo))

    def only(self, names: frozenset[str]) -> ClaimsRequest:
        """With those of the claims that `names` holds, as they are granted."""
        return ClaimsRequest(
            {name: values for name, values in self.id_token.items() if name in names},
            {name: values for name, values in self.userinfo.items() if name in names},
            self.acr_values,
            self.acr_is_essential,
            self.subject,
        )


def read_claims_request(text: str | None, acr_values: str | None) -> ClaimsRequest:
    """What `claims` and `acr_values` ask for; raises AuthorizationRefused where `claims` is not as the standard has it."""
    voluntary = tuple(dict.fromkeys((acr_values or "")[:LONGEST_ACR_VALUES].split()))
    if text is None:
        return ClaimsRequest(acr_values=voluntary)
    try:
        members = strict_json.loads(text)
    except JsonRefused as cause:
        raise _malformed(f"it {cause}") from cause
    if not isinstance(members, dict):
        raise _malformed("it is not a JSON object")
    id_token, userinfo = (_requests(members.get(place), place) for place in ("id_token", "userinfo"))
    acr = id_token.pop("acr", None)
    userinfo.pop("acr", None)  # how the person proved themselves is stated in ID tokens alone
    subjects = [value for place in (id_token, userinfo) for value in _values(place.pop("sub", None), "sub")]
    if not all(isinstance(subject, str) for subject in subjects) or len(set(subjects)) > 1:
        raise _malformed("it asks for more than one sub")
    wanted = tuple(value for value in _values(acr, "acr") if isinstance(value, str))
    return ClaimsRequest(
        {name: _values(request, name) for name, request in id_token.items()},
        {name: _values(request, name) for name, request in userinfo.items()},
        acr_values=wanted or voluntary,
        acr_is_essential=bool(wanted) and acr is not None and acr.get("essential") is True,
        subject=next(iter(subjects), None),
    )


def _requests(member: Any, place: str) -> dict[str, dict[str, Any] | None]:
    """The claims of one place: each is null, or says more (section 5.5.1)."""
    if member is None:
        return {}
    if not isinstance(member, dict) or len(member) > MOST_CLAIMS:
        raise _malformed(f"its member {place} is not an object of at most {MOST_CLAIMS} claims")
    for name, request in member.items():
        if request is not None and not isinstance(request, dict):
            raise _malformed(f"what it says of {name[:64]} is neither null nor an object")
        if request is not None and not isinstance(request.get("essential", False), bool):
            raise _malformed(f"the member essential of {name[:64]} is neither true nor false")
    return dict(member)


def _values(request: dict[str, Any] | None, name: str) -> Values:
    if request is None:
        return ()
    values = request.get("values", [])
    if not isinstance(values, list) or len(values) > MOST_VALUES:
        raise _malformed(f"the member values of {name[:64]} is not a list of at most {MOST_VALUES}")
    return (*([request["value"]] if "value" in request else ()), *values)


def _malformed(why: str) -> AuthorizationRefused:
    return AuthorizationRefused("invalid_request", f"The parameter 'claims' is not understood: {why}.")
