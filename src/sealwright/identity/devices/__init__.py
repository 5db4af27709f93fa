"""Devices from which people signed in before.

Owns: which device an account knows. Never decides who somebody is: a known device opens nothing.
"""

from __future__ import annotations

from sealwright.identity.devices.known import DEVICE_LASTS, KnownDevices

__all__ = ["DEVICE_LASTS", "KnownDevices"]
