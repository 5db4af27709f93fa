"""From the JSON of a definition to a provisioner, and back to what the list shows. A new type is a module and a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from sealwright.ca.models import Claims
from sealwright.ca.profiles import inherit
from sealwright.ca.provisioners.access_token import AccessTokenProvisioner
from sealwright.ca.provisioners.errors import DefinitionRefused
from sealwright.ca.provisioners.jwk import JwkProvisioner
from sealwright.ca.provisioners.models import (
    LONGEST_NAME,
    AccessTokenDefinition,
    Definition,
    JwkDefinition,
    OidcDefinition,
    check_name,
    check_options,
)
from sealwright.ca.provisioners.oidc import OidcProvisioner
from sealwright.ca.provisioners.provisioner import Provisioner
from sealwright.errors import Failure
from sealwright.misfit import misfit

SECRET_MEMBER = "clientSecret"  # noqa: S105 - the name of a member
_HOLDERS = "holders"


class _ProvisionerType(NamedTuple):
    shape: type[Definition]
    of: Callable[[Any, Claims, str, str], Provisioner]
    """From a definition of this shape, its claims, the file it comes from, and where paths of our own issuers begin."""


_TYPES: Mapping[str, _ProvisionerType] = {
    "OIDC": _ProvisionerType(OidcDefinition, OidcProvisioner.of),
    "JWK": _ProvisionerType(JwkDefinition, JwkProvisioner.of),
    "ACCESS-TOKEN": _ProvisionerType(AccessTokenDefinition, AccessTokenProvisioner.of),
}


def parse_definition(document: object, *, defaults: Claims, source: str = "", origin: str = "") -> Provisioner:
    """A provisioner from the decoded JSON of its definition. What is wrong raises DefinitionRefused naming the member.

    `origin`: where the paths of our own issuers begin.
    """
    if not isinstance(document, dict):
        raise DefinitionRefused("A provisioner is defined by a JSON object.")
    given = document.get("type")
    kind = given.upper() if isinstance(given, str) else None
    if kind is None or kind not in _TYPES:
        raise DefinitionRefused(f"type is {str(given)[:40]!r}; provisioners here are of type {' or '.join(_TYPES)}.")
    try:
        definition = msgspec.convert({**document, "type": kind}, _TYPES[kind].shape)
    except msgspec.ValidationError as cause:
        raise DefinitionRefused(_in_words({**document, "type": kind}, _TYPES[kind].shape)) from cause
    check_name(definition.name)
    check_options(definition.options)
    try:
        claims = inherit(definition.claims, defaults)
    except Failure as cause:
        raise DefinitionRefused(f"claims: {cause.detail}", hint=cause.hint) from cause
    return _TYPES[kind].of(definition, claims, source, origin)


def listed(provisioner: Provisioner) -> dict[str, Any]:
    """The definition as the list shows it, which anyone can read: not who may have which names.

    `clientSecret` is always there for OIDC, because clients demand the member.
    """
    shown: dict[str, Any] = msgspec.to_builtins(provisioner.definition)
    shown.pop(_HOLDERS, None)
    if isinstance(provisioner, OidcProvisioner):
        shown[SECRET_MEMBER] = provisioner.definition.client_secret
    return shown


def shown_definition(provisioner: Provisioner) -> dict[str, Any]:
    """The definition for those who may read provisioners: everything but the secret."""
    shown: dict[str, Any] = msgspec.to_builtins(provisioner.definition)
    shown.pop(SECRET_MEMBER, None)
    return shown


def _in_words(document: Mapping[str, Any], shape: type[Definition]) -> str:
    """What does not fit, with the name of the provisioner where there is one."""
    name = document.get("name")
    of_whom = f" {name[:LONGEST_NAME]!r}" if isinstance(name, str) and name else ""
    words = misfit(document, shape).sentence("the definition")
    return f"In the provisioner{of_whom} {words[:1].lower()}{words[1:]}"
