"""Forward events to other systems: syslog receivers and webhooks.

Owns: the sinks, and how far each is. Reads events, and never changes one.
"""

from __future__ import annotations

from sealwright.audit.forwarding.deliver import Forwarding
from sealwright.audit.forwarding.models import Sink

__all__ = ["Forwarding", "Sink"]
