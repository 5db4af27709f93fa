"""The tables with every index: what is needed to make or to compare a schema, and not to work with it.

An index over a part of its table is declared for each engine by name, and anyone who names an engine loads its dialect.
"""

from __future__ import annotations

from sqlalchemy import Index, text

from sealwright.db.schema import certificates, metadata

__all__ = ["metadata"]

_INTENDED = text("state = 'intended'")
Index("ix_certificates_intended_at", certificates.c.intended_at, sqlite_where=_INTENDED, postgresql_where=_INTENDED)
_RENEWED = text("renewed_from IS NOT NULL")
Index("ix_certificates_renewed_from", certificates.c.renewed_from, sqlite_where=_RENEWED, postgresql_where=_RENEWED)
_OF_PEOPLE = text("account_id IS NOT NULL")
Index(
    "ix_certificates_account_id",
    certificates.c.account_id,
    certificates.c.serial,
    sqlite_where=_OF_PEOPLE,
    postgresql_where=_OF_PEOPLE,
)
_REVOKED = text("revoked_at IS NOT NULL")
Index("ix_certificates_revoked", certificates.c.serial, sqlite_where=_REVOKED, postgresql_where=_REVOKED)
_UNRESOLVED = text("state = 'maybe_signed'")
Index("ix_certificates_unresolved", certificates.c.serial, sqlite_where=_UNRESOLVED, postgresql_where=_UNRESOLVED)
_LASTING = text("not_after - not_before > 172800000")
Index(
    "ix_certificates_lasting",
    certificates.c.not_after,
    certificates.c.serial,
    sqlite_where=_LASTING,
    postgresql_where=_LASTING,
)
