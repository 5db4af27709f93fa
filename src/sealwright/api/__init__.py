"""The management API: JSON below ``/api/v1`` on the listener for people.

Owns: the JSON shapes of requests and responses, problem documents, the OpenAPI description. Never decides who may do what: the
domains do.
"""

from __future__ import annotations

from sealwright.api.http import ApiDependencies, authenticator_of, operations, routes
from sealwright.api.idempotency import purge
from sealwright.api.manifests import Targets, TransactionTargets
from sealwright.api.operations import Operation
from sealwright.api.problems import answer_failure
from sealwright.api.server import ServerFacts

__all__ = [
    "ApiDependencies",
    "Operation",
    "ServerFacts",
    "Targets",
    "TransactionTargets",
    "answer_failure",
    "authenticator_of",
    "operations",
    "purge",
    "routes",
]
