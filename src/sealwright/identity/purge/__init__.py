"""Delete what can no longer matter of people: sessions, sign-ins, links, counts, devices and challenges that are over."""

from __future__ import annotations

from sealwright.identity.purge.purge import purge

__all__ = ["purge"]
