"""The wire that the `step` command speaks to its certificate authority.

Owns: paths, messages, statuses and failures of that wire. Never decides anything.
"""

from __future__ import annotations

from sealwright.ca.step_api.failures import answer_failure
from sealwright.ca.step_api.http import StepApi

__all__ = ["StepApi", "answer_failure"]
