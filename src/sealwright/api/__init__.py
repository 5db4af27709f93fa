"""The management API: JSON below ``/api/v1`` on the listener for people.

Owns: the shapes of requests and answers, problem documents, the OpenAPI description. Never decides who may do what: the verbs
behind it do.
"""

from __future__ import annotations

from sealwright.api.about import ServerFacts
from sealwright.api.http import Domain, operations, routes
from sealwright.api.operations import Operation
from sealwright.api.problems import answer_failure

__all__ = ["Domain", "Operation", "ServerFacts", "answer_failure", "operations", "routes"]
