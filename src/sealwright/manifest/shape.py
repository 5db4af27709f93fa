"""Which members a manifest has, and of which type each is. What only a server can judge is not judged here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from itertools import islice
from typing import Any, Literal

import msgspec

from sealwright.client_metadata import rows
from sealwright.errors import pointer_to
from sealwright.manifest.fault import Fault
from sealwright.manifest.images import IMAGES, image_place_of
from sealwright.manifest.secrets import SECRETS, reference_of
from sealwright.misfit import misfit

VERSION = 1
KINDS = ("groups", "people", "service_accounts", "roles", "issuers", "clients", "trusted_issuers", "profiles", "provisioners")
"""In the order in which they can be created: each may name those before it."""
ONE_OF = {
    "groups": "group",
    "people": "person",
    "service_accounts": "service account",
    "roles": "role",
    "issuers": "issuer",
    "clients": "client",
    "trusted_issuers": "trusted issuer",
    "profiles": "profile",
    "provisioners": "provisioner",
}

_Texts = dict[str, str]


class _Mail(msgspec.Struct, forbid_unknown_fields=True):
    address: str
    verified: bool = True


class _ClaimMap(msgspec.Struct, forbid_unknown_fields=True):
    groups: dict[str, list[str]]
    join: str = "array"


class _AccountPolicy(msgspec.Struct, forbid_unknown_fields=True):
    auth_expiry: int | None = None
    privilege_expiry: int | None = None
    credential_minimum: Literal["any", "mfa", "passkey"] | None = None
    password_minimum_length: int | None = None
    self_mail_write: bool | None = None


_PERSON: Mapping[str, Any] = {
    "display_name": str,
    "mails": list[str | _Mail],
    "valid_from": str | None,
    "valid_until": str | None,
    "disabled": bool,
    "attributes": dict[str, str | None],
    "ssh_public_keys": _Texts,
}
_GROUP: Mapping[str, Any] = {
    "description": str,
    "managed_by": str | None,
    "members": list[str],
    "account_policy": _AccountPolicy | None,
}
_SERVICE_ACCOUNT: Mapping[str, Any] = {
    "display_name": str,
    "managed_by": str | None,
    "valid_from": str | None,
    "valid_until": str | None,
    "disabled": bool,
}
_ROLE: Mapping[str, Any] = {"description": str, "permissions": list[str], "groups": list[str], "people": list[str]}
_ISSUER: Mapping[str, Any] = {"root": bool}


class _IssuerRule(msgspec.Struct, forbid_unknown_fields=True):
    client: str
    conditions: _Texts
    service_account: str | None = None
    scopes: list[str] = []
    lifetime_seconds: int | None = None


_TRUSTED_ISSUER: Mapping[str, Any] = {
    "issuer_url": str,
    "audience": str | None,
    "jwks_uri": str | None,
    "jwks": dict[str, Any] | None,
    "reusable": bool,
    "rules": list[_IssuerRule],
}
_CLIENT: Mapping[str, Any] = {
    **{row.name: row.type if row.required else row.type | None for row in rows().values() if row.name != "name"},
    "scope_maps": dict[str, list[str]],
    "supplementary_scope_maps": dict[str, list[str]],
    "claim_maps": dict[str, _ClaimMap],
    "issuer": str | None,
    "secret": str,
    "image": dict[str, str] | None,
}
_PROFILE: Mapping[str, Any] = {
    **dict.fromkeys(("description", "issuer", "issuer_url", "ocsp_url", "crl_url"), str),
    **dict.fromkeys(("key_kinds", "curves", "name_types", "key_uses", "extended_uses"), list[str]),
    **dict.fromkeys(("shortest_rsa", "most_names"), int),
    **dict.fromkeys(("wildcards", "common_name", "provisioner_extension"), bool),
    **dict.fromkeys(("shortest", "default", "longest", "backdate"), str),
}
_PROVISIONER: Mapping[str, Any] = {
    "type": str,
    "clientID": str,
    "clientSecret": str,
    "configurationEndpoint": str,
    "tenantID": str,
    "admins": list[str],
    "domains": list[str],
    "groups": list[str],
    "listenAddress": str,
    "scopes": list[str],
    "authParams": list[str],
    "allowUnverifiedEmail": bool,
    "audience": str,
    "scope": str,
    "holders": list[dict[str, Any]],
    "key": dict[str, Any],
    "encryptedKey": str,
    "claims": dict[str, Any] | None,
    "options": dict[str, Any] | None,
    "profile": str,
    "issuer": str,
}
MEMBERS: Mapping[str, Mapping[str, Any]] = {
    "people": _PERSON,
    "groups": _GROUP,
    "service_accounts": _SERVICE_ACCOUNT,
    "roles": _ROLE,
    "issuers": _ISSUER,
    "clients": _CLIENT,
    "trusted_issuers": _TRUSTED_ISSUER,
    "profiles": _PROFILE,
    "provisioners": _PROVISIONER,
}
"""Kind → the members of one of it, and their types."""


def faults_of(manifest: Any, *, with_secrets: bool, at_most: int | None = None) -> list[Fault]:
    """What in a manifest has a wrong name or a wrong type, in the order of the manifest: all of it, or the first ones.

    `with_secrets`: whether secrets and images themselves stand in it, as the API takes them, or references, as a file has them.
    """
    if not isinstance(manifest, dict):
        return [Fault("", "A manifest is a mapping.", f"Begin it with: version: {VERSION}")]
    return list(islice(_faults(manifest, with_secrets), at_most))


def _faults(manifest: dict[str, Any], with_secrets: bool) -> Iterator[Fault]:
    version = manifest.get("version")
    if version != VERSION or isinstance(version, bool):
        detail = "The version is missing." if version is None else f"The version {str(version)[:20]!r} is not known here."
        yield Fault(pointer_to("version"), detail, f"Write: version: {VERSION}")
    for name, value in manifest.items():
        if name in KINDS:
            yield from _faults_of_kind(name, value, with_secrets)
        elif name == "prune":
            yield from _faults_of_prune(value)
        elif name != "version":
            yield _unknown((name,), ("version", "prune", *KINDS))


def _faults_of_prune(value: Any) -> Iterator[Fault]:
    if not isinstance(value, dict):
        yield Fault(pointer_to("prune"), "prune is a mapping from kinds to true.", "Write it like: prune: {clients: true}")
        return
    for kind, wanted in value.items():
        if kind not in KINDS:
            yield _unknown(("prune", kind), KINDS)
        elif not isinstance(wanted, bool):
            yield Fault(pointer_to("prune", kind), f"{kind} of prune is {_shown(wanted)}; it must be true or false.")


def _faults_of_kind(kind: str, value: Any, with_secrets: bool) -> Iterator[Fault]:
    if not isinstance(value, dict):
        yield Fault(pointer_to(kind), f"{kind} is a mapping from names to entries.", f"Write it like: {kind}: {{NAME: {{}}}}")
        return
    for name, entry in value.items():
        if not isinstance(entry, dict):
            hint = f"Write it like: {name[:80]}: {{}}"
            yield Fault(pointer_to(kind, name), f"The {ONE_OF[kind]} {name[:80]!r} is not a mapping.", hint)
            continue
        for member, given in entry.items():
            if member not in MEMBERS[kind]:
                yield _unknown((kind, name, member), tuple(MEMBERS[kind]))
            elif member in SECRETS.get(kind, ()) and not with_secrets:
                yield from _faults_of_secret((kind, name, member), given)
            elif member in IMAGES.get(kind, ()):
                yield from _faults_of_image((kind, name, member), given, files=not with_secrets)
            else:
                yield from _misfit((kind, name, member), given, MEMBERS[kind][member])


def _faults_of_secret(path: tuple[str, ...], given: Any) -> Iterator[Fault]:
    if reference_of(given) is None:  # not shown: it may be the secret
        yield Fault(
            pointer_to(*path),
            f"{path[-1]} is a secret, and a manifest holds none.",
            f"Say where it is read: {path[-1]}: {{env: VARIABLE}}, or {path[-1]}: {{file: PATH}}",
        )


def _faults_of_image(path: tuple[str, ...], given: Any, *, files: bool) -> Iterator[Fault]:
    found = image_place_of(given)
    if given is not None and (found is None or (found.place == "file" and not files)):
        place = "{file: PATH}, or {data: BASE64}" if files else "{data: BASE64}"
        detail = f"{path[-1]} is an image, and this does not say where it is."
        yield Fault(pointer_to(*path), detail, f"Write {path[-1]}: {place}, or null for none.")


def _misfit(path: tuple[str, ...], given: Any, kind: Any) -> Iterator[Fault]:
    try:
        msgspec.convert(given, kind)
    except msgspec.ValidationError:
        found = misfit(given, kind)
        member = f"{path[-1]}{'' if found.member.startswith('[') or not found.member else '.'}{found.member}"
        yield Fault(pointer_to(*path), f"{member} {found.problem}.")


def _shown(value: Any) -> str:
    return repr(str(value)[:40])


def _unknown(path: tuple[str, ...], known: tuple[str, ...]) -> Fault:
    close = get_close_matches(path[-1], known, n=1, cutoff=0.5)
    hint = f"Perhaps {close[0]} was meant." if close else f"There are {', '.join(known)}."
    return Fault(pointer_to(*path), f"{path[-1][:80]!r} is not known here.", hint)
