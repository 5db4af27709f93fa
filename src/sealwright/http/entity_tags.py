"""Entity tags (RFC 9110, section 8.8.3): by one of them a caller says which version of an object a change was made for.

A tag is a digest of the representation, and a short digest of each of its members: so the server can tell which members differ
between the version that a caller has seen, which is stored nowhere, and the version that there is.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Mapping
from typing import Any

import msgspec

from sealwright.errors import Conflict, InvalidInput

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_SHORTS = len(_ALPHABET) ** 2
_WHOLE, _MEMBER = 22, 2
_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]*"')
_MOST = 4_096


class ChangedMeanwhile(Conflict):
    """The object is not in the version any more that the change was made for."""

    code = "changed_meanwhile"

    def __init__(self, detail: str, *, changed: tuple[str, ...] = (), entity_tag: str = "") -> None:
        """`changed`: the members that differ, as far as the tag of the caller tells; `entity_tag`: of the version there is."""
        reasons = (f"changed since: {', '.join(changed)}",) if changed else ()
        super().__init__(detail, reasons=reasons, hint="Read it again, and decide whether the change is still wanted.")
        self.changed = changed
        self.entity_tag = entity_tag


def entity_tag(representation: Any) -> str:
    """The strong tag of a representation that is one JSON object."""
    members = _members(representation)
    whole = hashlib.sha256()
    shorts = []
    for name in sorted(members):
        text = msgspec.json.encode([name, members[name]], order="sorted")
        whole.update(text)
        short = zlib.crc32(text) % _SHORTS
        shorts.append(_ALPHABET[short // len(_ALPHABET)] + _ALPHABET[short % len(_ALPHABET)])
    return f'"{base64.urlsafe_b64encode(whole.digest()).decode()[:_WHOLE]}{"".join(shorts)}"'


def is_one_of(header: str, tag: str, *, weak: bool = False) -> bool:
    """Whether a list of tags, or ``*``, names this one. `weak`: also as a weak tag (RFC 9110, section 8.8.3.2)."""
    if header.strip() == "*":
        return True
    listed = _listed(header)
    return tag in listed or (weak and f"W/{tag}" in listed)


def require_version(header: str, representation: Any, what: str) -> None:
    """Raise ChangedMeanwhile unless the If-Match in `header` names the version that `representation` is of."""
    now = entity_tag(representation)
    if not is_one_of(header, now):
        raise ChangedMeanwhile(
            f"{what} was changed since the version {header.strip()[:60]} was read.",
            changed=_differing(header, now, sorted(_members(representation))),
            entity_tag=now,
        )


def _members(representation: Any) -> Mapping[str, Any]:
    return representation if isinstance(representation, dict) else msgspec.structs.asdict(representation)


def _listed(header: str) -> list[str]:
    if len(header) > _MOST:
        raise InvalidInput(f"The list of entity tags has {len(header)} characters; at most {_MOST} are read.")
    parts = [each.strip() for each in header.split(",")]
    for each in parts:
        if not _TAG.fullmatch(each):
            raise InvalidInput(
                f"{each[:60]!r} cannot be an entity tag.",
                hint="Send the ETag of an earlier response, with its quotation marks, or *.",
            )
    return parts


def _differing(header: str, now: str, names: list[str]) -> tuple[str, ...]:
    """By the short digests; nothing where the tag is not of a representation with as many members."""
    listed = _listed(header)
    seen = listed[0] if len(listed) == 1 else ""
    if len(seen) != len(now):
        return ()
    at = 1 + _WHOLE
    return tuple(
        name
        for index, name in enumerate(names)
        if seen[at + index * _MEMBER : at + (index + 1) * _MEMBER] != now[at + index * _MEMBER : at + (index + 1) * _MEMBER]
    )
