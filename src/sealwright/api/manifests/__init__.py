"""Manifests: what a server has as entries of a file, and a file applied in one transaction."""

from __future__ import annotations

from sealwright.api.manifests.apply import ManifestApplication, ManifestRefused
from sealwright.api.manifests.operations import ManifestOperations
from sealwright.api.manifests.targets import Targets, TransactionTargets, WithinOneTransaction

__all__ = [
    "ManifestApplication",
    "ManifestOperations",
    "ManifestRefused",
    "Targets",
    "TransactionTargets",
    "WithinOneTransaction",
]
