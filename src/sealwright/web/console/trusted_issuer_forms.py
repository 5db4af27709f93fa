"""The fields of the forms of a trusted issuer and of its rules, and what was typed into them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from sealwright.clock import format_duration, parse_duration
from sealwright.errors import Failure
from sealwright.oauth import IssuerRule, TrustedIssuer
from sealwright.strict_json import JsonRefused, loads
from sealwright.web.forms import FormError, fields_of, missing

ISSUER_FIELDS: Final = ("name", "issuer-url", "audience", "jwks-uri", "jwks", "reusable")
RULE_FIELDS: Final = ("client", "conditions", "service-account", "scopes", "lifetime")
_ISSUER_NEEDS: Final = {"name": "Give the issuer a name.", "issuer-url": "Give iss of its tokens."}
_RULE_NEEDS: Final = {
    "client": "Say which client presents them.",
    "conditions": "Give a condition. Without one, every token of the issuer would do.",
}
_ISSUER_FIELDS: Final = {each.replace("-", "_"): each for each in ISSUER_FIELDS}
_RULE_FIELDS: Final = {each.replace("-", "_"): each for each in RULE_FIELDS} | {"lifetime_seconds": "lifetime"}


def typed_in(form: Mapping[str, str], fields: tuple[str, ...]) -> dict[str, str]:
    """What the form holds, with nothing for what was not sent."""
    return {name: form.get(name, "") for name in fields}


def issuer_errors(form: Mapping[str, str]) -> tuple[FormError, ...]:
    """What can be said of a form of an issuer before anything is looked up."""
    return (*missing(form, _ISSUER_NEEDS), *key_errors(form))


def key_errors(form: Mapping[str, str]) -> tuple[FormError, ...]:
    """What can be said of the keys that were typed before anything is looked up."""
    try:
        key_set(form)
    except ValueError as cause:
        return (FormError(f"The keys are no JSON Web Key Set: what was typed {cause}.", "jwks"),)
    return ()


def issuer_values(issuer: TrustedIssuer) -> dict[str, str]:
    """What the form holds of an issuer as it is."""
    return {
        "audience": issuer.audience,
        "jwks-uri": issuer.jwks_uri or "",
        "jwks": "" if issuer.jwks is None else json.dumps(issuer.jwks, indent=2, ensure_ascii=False),
        "reusable": "yes" if issuer.reusable else "",
    }


def rule_values(rule: IssuerRule) -> dict[str, str]:
    """What the form holds of a rule as it is."""
    return {
        "conditions": "\n".join(f"{claim}={pattern}" for claim, pattern in rule.conditions.items()),
        "scopes": " ".join(rule.scopes),
        "lifetime": format_duration(rule.lifetime),
    }


def key_set(form: Mapping[str, str]) -> dict[str, Any] | None:
    """The keys that were typed; None where none were. Raises ValueError."""
    text = form.get("jwks", "").strip()
    if not text:
        return None
    found = loads(text)
    if not isinstance(found, dict):
        raise JsonRefused("is not a JSON object")
    return found


def refused_issuer(failure: Failure) -> tuple[FormError, ...]:
    """A refusal at the field that it is about."""
    return fields_of(failure, _ISSUER_FIELDS)


def rule_errors(form: Mapping[str, str], *, is_new: bool = True) -> tuple[FormError, ...]:
    """What can be said of a form of a rule before anything is looked up."""
    needed = {field: words for field, words in _RULE_NEEDS.items() if is_new or field == "conditions"}
    errors = list(missing(form, needed))
    lines = _lines(form)
    claims = [claim for claim, _ in lines]
    errors += [
        FormError(f"{claim[:80]!r} is not a condition. Write CLAIM=VALUE, such as repository=example/shop.", "conditions")
        for claim, pattern in lines
        if not claim or not pattern
    ]
    twice = next((claim for claim in claims if claims.count(claim) > 1), "")
    if twice:
        errors.append(FormError(f"The claim {twice[:80]} has two conditions. Give one, with a pattern.", "conditions"))
    try:
        lifetime(form)
    except ValueError:
        errors.append(FormError(f"{form['lifetime'][:20]!r} is not a duration. Write one of 1m to 1h, such as 5m.", "lifetime"))
    return tuple(errors)


def verification(form: Mapping[str, str]) -> dict[str, Any]:
    """How tokens are verified, as an issuer is made or changed with; the keys must have been found readable."""
    return {
        "audience": form.get("audience", "").strip() or None,
        "jwks_uri": form.get("jwks-uri", "").strip() or None,
        "jwks": key_set(form),
        "reusable": form.get("reusable", "") == "yes",
    }


def conditions(form: Mapping[str, str]) -> dict[str, str]:
    """Claim → what it has to be, one in each line."""
    return dict(_lines(form))


def lifetime(form: Mapping[str, str]) -> timedelta | None:
    """How long the access tokens last; None where it was left empty. Raises ValueError."""
    text = form.get("lifetime", "").strip()
    return parse_duration(text) if text else None


def refused_rule(failure: Failure) -> tuple[FormError, ...]:
    """A refusal at the field that it is about."""
    return fields_of(failure, _RULE_FIELDS)


def _lines(form: Mapping[str, str]) -> list[tuple[str, str]]:
    """Claims and patterns; a line without = has no pattern."""
    found = (line.strip().partition("=") for line in form.get("conditions", "").splitlines() if line.strip())
    return [(claim.strip(), pattern.strip()) for claim, _, pattern in found]
