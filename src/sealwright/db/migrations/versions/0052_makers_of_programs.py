"""Know who made what a program acts by, also when the record of it has been purged: it decides who may not approve.

Filled from the record as far as it goes. Where the maker is not known there, the column stays empty.
"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"

_TABLES = ("api_tokens", "oauth_clients", "provisioners", "oauth_trusted_issuers", "oauth_trusted_issuer_rules")
_MADE = sa.text(
    "SELECT actor_id, details FROM audit_events WHERE target = :target AND event = :event AND outcome = 'done' ORDER BY at"
)


def upgrade() -> None:
    """Forward only."""
    for table in _TABLES:
        op.add_column(table, sa.Column("created_by", sa.Text(), nullable=True))
    connection = op.get_bind()
    for table, kind, event in (
        ("oauth_clients", "client", "client.created"),
        ("provisioners", "provisioner", "provisioner.added"),
        ("oauth_trusted_issuers", "trusted_issuer", "trusted_issuer.created"),
    ):
        for (its_id,) in connection.execute(sa.text(f"SELECT id FROM {table}")).all():  # noqa: S608 - names from above
            _fill(connection, table, its_id, f"{kind}:{its_id}", event)
    for its_id, account_id in connection.execute(sa.text("SELECT id, account_id FROM api_tokens")).all():
        _fill(connection, "api_tokens", its_id, f"service:{account_id}", "api_token.created", "token")
    for its_id, issuer_id in connection.execute(sa.text("SELECT id, issuer_id FROM oauth_trusted_issuer_rules")).all():
        target = f"trusted_issuer:{issuer_id}"
        _fill(connection, "oauth_trusted_issuer_rules", its_id, target, "trusted_issuer.rule_added", "rule")


def _fill(connection: sa.Connection, table: str, its_id: str, target: str, event: str, member: str = "") -> None:
    """`member`: of the details, where events of several rows have the same target."""
    for actor_id, details in connection.execute(_MADE, {"target": target, "event": event}).all():
        if not member or json.loads(details).get(member) == its_id:
            connection.execute(
                sa.text(f"UPDATE {table} SET created_by = :by WHERE id = :id"),  # noqa: S608 - names from above
                {"by": actor_id, "id": its_id},
            )
