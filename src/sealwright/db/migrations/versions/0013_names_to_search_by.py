"""Find certificates by their names, and events by time, by target and by what things were called."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_BATCH = 5_000
_NAMING = (
    "person.created",
    "person.deleted",
    "group.created",
    "group.deleted",
    "client.created",
    "client.deleted",
    "provisioner.added",
    "provisioner.removed",
)


def upgrade() -> None:
    """Forward only."""
    instant = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    certificate_names = op.create_table(
        "certificate_names",
        sa.Column("reversed_name", sa.LargeBinary(), nullable=False),
        sa.Column("serial", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("reversed_name", "serial", name=op.f("pk_certificate_names")),
        sqlite_with_rowid=False,
    )
    audit_names = op.create_table(
        "audit_names",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.PrimaryKeyConstraint("name", "target", "at", name=op.f("pk_audit_names")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_audit_events_at", "audit_events", ["at"])
    op.create_index("ix_audit_events_target", "audit_events", ["target", "at"])
    connection = op.get_bind()
    last = b""
    while True:
        found = _certificates_after(connection, last)
        rows = [{"reversed_name": key, "serial": serial} for serial, key in _keys(found)]
        if rows:
            connection.execute(certificate_names.insert(), rows)
        if len(found) < _BATCH:
            break
        last = bytes(found[-1][0])
    named = _things_named(connection)
    if named:
        connection.execute(audit_names.insert(), named)


def _certificates_after(connection: sa.Connection, serial: bytes) -> list[Any]:
    query = "SELECT serial, subject_name, names FROM certificates WHERE serial > :after ORDER BY serial LIMIT :batch"
    return list(connection.execute(sa.text(query), {"after": serial, "batch": _BATCH}))


def _keys(certificates: list[Any]) -> Iterator[tuple[bytes, bytes]]:
    for serial, subject_name, names in certificates:
        texts = {value for _, value in json.loads(names)} | ({subject_name} if subject_name else set())
        for key in {text.casefold()[::-1].encode() for text in texts}:
            yield bytes(serial), key


def _things_named(connection: sa.Connection) -> list[dict[str, Any]]:
    query = sa.text('SELECT target, "at", details FROM audit_events WHERE event IN :events')
    found = connection.execute(query.bindparams(sa.bindparam("events", _NAMING, expanding=True)))
    names = {(json.loads(details).get("name"), target, at) for target, at, details in found}
    return [{"name": name, "target": target, "at": at} for name, target, at in names if isinstance(name, str)]
