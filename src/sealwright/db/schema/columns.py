"""The one MetaData, and the columns that tables of every domain have."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, MetaData, Text, text

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

INSTANT = BigInteger().with_variant(Integer(), "sqlite")
FLAG = Integer()


def maker_column() -> Column[str | None]:
    """Who made a row that a program acts by: not kept in the record alone, which is purged."""
    return Column("created_by", Text, nullable=True, doc="Id of the account that made it; empty for this server, null if unknown")


def instant_column(name: str, *, nullable: bool = False, doc: str | None = None) -> Column[int]:
    """Milliseconds since the epoch."""
    return Column(name, INSTANT, nullable=nullable, doc=doc)


def flag_column(name: str, default: int, *, doc: str | None = None) -> Column[int]:
    """0 or 1."""
    return Column(name, FLAG, nullable=False, server_default=text(str(default)), doc=doc)


def text_column(name: str, *, nullable: bool = False, doc: str | None = None) -> Column[str]:
    """Text."""
    return Column(name, Text, nullable=nullable, doc=doc)


def blob_column(name: str, *, nullable: bool = False, doc: str | None = None) -> Column[bytes]:
    """Bytes."""
    return Column(name, LargeBinary, nullable=nullable, doc=doc)


def ref_column(name: str, target: str, *, nullable: bool = False, cascade: bool = False, doc: str | None = None) -> Column[str]:
    """The key of a row in another table; with `cascade` the row goes with that one."""
    return Column(name, Text, ForeignKey(target, ondelete="CASCADE" if cascade else None), nullable=nullable, doc=doc)
