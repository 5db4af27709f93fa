"""Devices from which people signed in before.

Owns: which device an account knows. Never authenticates: a known device alone gives no access.
"""

from __future__ import annotations

from sealwright.identity.devices.known_devices import DEVICE_LIFETIME, KnownDevices

__all__ = ["DEVICE_LIFETIME", "KnownDevices"]
