"""The authorities themselves: a root that certifies issuing CAs, and issuing CAs that sign leaf certificates."""

from __future__ import annotations

from sealwright.ca.issuers.hierarchy import LONGEST_NAME, Issuers
from sealwright.ca.issuers.store import IssuerKind, IssuerRecord, all_issuers

__all__ = ["LONGEST_NAME", "IssuerKind", "IssuerRecord", "Issuers", "all_issuers"]
