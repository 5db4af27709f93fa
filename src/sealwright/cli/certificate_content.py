"""What a certificate would hold, as it is printed of a request that waits and of a preview."""

from __future__ import annotations

from typing import Any

CONTENT_FIELDS = (
    ("names", "names"),
    ("subject", "common_name"),
    ("key", "key"),
    ("validity", "validity"),
    ("uses", "uses"),
    ("profile", "profile"),
    ("issuer", "issuer"),
    ("provisioner", "provisioner"),
)


def content_in_words(content: dict[str, Any]) -> dict[str, Any]:
    """The members of the API's `content` that are printed otherwise than they come."""
    return {
        "names": [each.partition(":")[2] for each in content["names"]],
        "key": f"{content['key_kind']}, SHA-256 {content['public_key_sha256']}",
        "bytes": f"to be signed, SHA-256 {content['to_be_signed_sha256']}",
        "previous": content["previous"] or "none with these names",
        "different": [f"{what}: {before or 'nothing'}, now {now or 'nothing'}" for what, before, now in content["differences"]],
    }
