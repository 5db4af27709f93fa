"""Know who was shown or set the secret of a client: they may not approve what it asks for.

Filled from the record as far as it goes.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"

_EVENTS = sa.text(
    "SELECT event, actor_id FROM audit_events WHERE target = :target AND outcome = 'done' AND event IN"
    " ('client.secret_shown', 'client.secret_reset', 'client.secrets_reset') ORDER BY at, writer_id, sequence"
)
_CLIENTS = sa.text("SELECT id, previous_secret_ends_at FROM oauth_clients WHERE secret_digest IS NOT NULL")


def upgrade() -> None:
    """Forward only."""
    holders = op.create_table(
        "oauth_credential_holders",
        sa.Column("client_id", sa.Text(), sa.ForeignKey("oauth_clients.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("account_id", sa.Text(), primary_key=True),
        sa.Column("credential", sa.Text(), primary_key=True),
        sa.Column("ends_at", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
    )
    connection = op.get_bind()
    for client_id, previous_ends_at in connection.execute(_CLIENTS).all():
        now: set[str] = set()
        before: set[str] = set()
        for event, actor_id in connection.execute(_EVENTS, {"target": f"client:{client_id}"}).all():
            if event != "client.secret_shown":
                before, now = now, set()
            now.add(actor_id)
        found = dict.fromkeys(before, previous_ends_at) if previous_ends_at is not None else {}
        found |= dict.fromkeys(now)
        rows = [
            {"client_id": client_id, "account_id": each, "credential": "secret", "ends_at": ends_at}
            for each, ends_at in found.items()
            if each
        ]
        if rows:
            connection.execute(sa.insert(holders), rows)
