"""Know by which credentials of a person a certificate came about, so that a reset can end it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Forward only. A certificate without a generation is one of generation 0, in which every account is."""
    op.add_column("accounts", sa.Column("credential_generation", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("one_time_links", sa.Column("end_certificates", sa.Integer(), nullable=False, server_default=sa.text("0")))
    op.add_column("certificates", sa.Column("credential_generation", sa.Integer(), nullable=True))
