"""Certificates that someone looks for: revoked ones, those that end without a successor, those whose serial begins so."""

from __future__ import annotations

from sealwright.ca.lists.certificate_filter import CertificateFilter, FilterState
from sealwright.ca.lists.lists import BreakingCertificates, CertificateLists, EndingPage

__all__ = ["BreakingCertificates", "CertificateFilter", "CertificateLists", "EndingPage", "FilterState"]
