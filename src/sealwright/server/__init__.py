"""Processes, sockets, TLS and HTTP: serves routes and knows nothing of what they are about.

Owns: the listeners, the workers, the two lanes, the schedule of jobs. `wiring` and `routes` alone know the domains.
"""

from __future__ import annotations

from sealwright.server.application import Application
from sealwright.server.jobs import Job, Leases
from sealwright.server.lane import Limits
from sealwright.server.listeners import AddressRefused, ListenAddress
from sealwright.server.logs import Log, open_log
from sealwright.server.supervisor import CannotServe, Plan, Program, Supervisor
from sealwright.server.systemd import Notifier
from sealwright.server.tls import CertificateRefused, TlsMaterial

__all__ = [
    "AddressRefused",
    "Application",
    "CannotServe",
    "CertificateRefused",
    "Job",
    "Leases",
    "Limits",
    "ListenAddress",
    "Log",
    "Notifier",
    "Plan",
    "Program",
    "Supervisor",
    "TlsMaterial",
    "open_log",
]
