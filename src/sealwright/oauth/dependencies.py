"""What every part of the authorization server needs."""

from __future__ import annotations

from msgspec import Struct

from sealwright.audit import Audit
from sealwright.budgets import Budgets
from sealwright.clock import Clock
from sealwright.db import Database
from sealwright.entropy import Entropy
from sealwright.outbound import Outbound
from sealwright.settings import OAuthSettings


class OAuthDependencies(Struct, frozen=True):
    """The same few collaborators, handed to each verb by the wiring."""

    db: Database
    clock: Clock
    entropy: Entropy
    audit: Audit
    origin: str
    """Public origin of the people listener, such as ``https://id.example.org``; every issuer URL begins with it."""
    machines_origin: str
    """The same of the machines listener, which asks for client certificates."""
    domain: str
    """The part after the @ of an SPN."""
    lifetimes: OAuthSettings
    budgets: Budgets
    outbound: Outbound
