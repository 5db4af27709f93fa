"""Passkeys (W3C Web Authentication, Level 2): registration and sign-in with discoverable credentials.

Owns: registered passkeys and the challenges that were used. Never decides what a signed-in person may do.
"""

from __future__ import annotations

from sealwright.identity.passkeys.passkeys import Passkeys
from sealwright.identity.passkeys.relying_party import RelyingParty

__all__ = ["Passkeys", "RelyingParty"]
