"""Alembic's entry: run the revisions on the connection that `migrate.py` hands over."""

from __future__ import annotations

from alembic import context

from sealwright.db.full_schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=connection.dialect.name == "sqlite")
with context.begin_transaction():
    context.run_migrations()
