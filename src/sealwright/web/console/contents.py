"""What a certificate, a role or a rule would hold, in words: of a request that waits, and of a preview."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sealwright.web.models import ApprovalContents

_LABELS: Final = {
    "common_name": "Subject",
    "key_kind": "Kind of key",
    "public_key_sha256": "SHA-256 of the key",
    "validity": "Valid",
    "uses": "For",
    "profile": "Profile",
    "issuer": "Issuer",
    "provisioner": "Provisioner",
    "serial": "Serial number",
    "to_be_signed_sha256": "SHA-256 of the bytes to be signed",
    "signing_request_sha256": "SHA-256 of the signing request",
    "role": "Role",
    "holder": "For",
    "scope": "Within",
    "expires_at": "Until",
}


def certificate_contents(content: Mapping[str, Any], reasons: tuple[str, ...]) -> ApprovalContents:
    """Of a certificate, beside the last one of the same names."""
    changes = tuple(tuple(map(str, each)) for each in content["differences"])
    return ApprovalContents(_names(content), _facts(content), changes, content["previous"] or "", reasons)


def changed_contents(content: Mapping[str, Any], reasons: tuple[str, ...]) -> ApprovalContents:
    """Of anything else: what is there, and what would be."""
    changes = _changes(content.get("before"), content.get("after"))
    return ApprovalContents(_names(content), _facts(content), changes, "", reasons)


def _names(content: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(each).partition(":")[2] for each in content.get("names", ()))


def _facts(content: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((label, _text(content[member])) for member, label in _LABELS.items() if content.get(member))


def _changes(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> tuple[tuple[str, ...], ...]:
    old, new = before or {}, after or {}
    members = dict.fromkeys((*old, *new))
    return tuple(
        (member.replace("_", " "), _text(old.get(member)), _text(new.get(member)))
        for member in members
        if old.get(member) != new.get(member)
    )


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
