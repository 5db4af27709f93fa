"""Find people, services and groups by words.

The words themselves are stored by the first start of a program that knows them (see identity/directory/missing_words.py): with
many people that takes longer than other nodes should wait for.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"


def upgrade() -> None:
    """Forward only."""
    op.create_table(
        "account_words",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("word", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_account_words_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("kind", "word", "name", name=op.f("pk_account_words")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_account_words_account_id", "account_words", ["account_id", "word"])
    op.create_table(
        "group_words",
        sa.Column("word", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_group_words_group_id_groups"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("word", "name", name=op.f("pk_group_words")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_group_words_group_id", "group_words", ["group_id", "word"])
