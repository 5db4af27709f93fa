"""What can go wrong with keys."""

from __future__ import annotations

from sealwright.errors import Conflict, Refused, Unavailable


class SealBroken(Unavailable):
    """A sealed secret does not open: another key-encryption key, another context, or it was changed."""

    code = "seal_broken"


class KeyFileRefused(Refused):
    """The key-encryption key is missing, can be read by others, or is not one."""

    code = "key_file_refused"


class KeyMissing(Conflict):
    """There is no key that could do this: none was made, it was revoked, or its private part was taken away."""

    code = "key_missing"
