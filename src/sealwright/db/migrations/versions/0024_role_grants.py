"""Grants of roles with scope, source and end, to accounts as well as groups; roles that administrators make; roles get ids."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

_IDS = {
    "administrator": "r-admin",
    "people_administrator": "r-people-admin",
    "group_administrator": "r-group-admin",
    "client_administrator": "r-client-admin",
    "ca_administrator": "r-ca-admin",
    "auditor": "r-auditor",
}


def upgrade() -> None:
    """Forward only."""
    instant = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "roles",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("created_at", instant, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roles")),
    )
    op.create_table(
        "role_permissions",
        sa.Column("role_id", sa.Text(), nullable=False),
        sa.Column("permission", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["role_id"], ["roles.id"], name=op.f("fk_role_permissions_role_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("role_id", "permission", name=op.f("pk_role_permissions")),
    )
    op.create_table(
        "role_grants",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("group_id", sa.Text(), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("scope_kind", "scope_id", "source", "created_by")),
        sa.Column("created_at", instant, nullable=False),
        sa.Column("expires_at", instant, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_role_grants_account_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_role_grants_group_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_grants")),
    )
    for name, columns in (("account_id", ["account_id"]), ("group_id", ["group_id"]), ("role", ["role", "id"])):
        op.create_index(f"ix_role_grants_{name}", "role_grants", columns)
    _move_assignments()
    op.drop_table("role_assignments")


def _move_assignments() -> None:
    connection = op.get_bind()
    found = connection.execute(sa.text("SELECT role, group_id, created_at FROM role_assignments")).all()
    granted = [(_IDS.get(role, role), group_id, at) for role, group_id, at in found]
    granted += [("r-inventory", group_id, at) for role, group_id, at in granted if role == "r-auditor"]
    rows = [{"id": f"{role}:{group_id}", "role": role, "group_id": group_id, "at": at} for role, group_id, at in granted]
    if rows:
        connection.execute(
            sa.text(
                "INSERT INTO role_grants (id, role, group_id, scope_kind, scope_id, source, created_by, created_at)"
                " VALUES (:id, :role, :group_id, '', '', 'builtin', '', :at)"
            ),
            rows,
        )
