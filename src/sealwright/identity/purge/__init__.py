"""Delete expired rows about people: sessions, sign-ins, links, counts, devices and challenges."""

from __future__ import annotations

from sealwright.identity.purge.purge import purge

__all__ = ["purge"]
