"""Know a used token by its id alone, so that the same id with another expiry is the same token."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"

_EXPIRY = 4
"""Bytes of the expiry that stood before the digest."""


def upgrade() -> None:
    """Forward only."""
    op.execute(
        'INSERT INTO used_tokens ("key", expires_at) '  # noqa: S608 - a number of this file
        f'SELECT substr("key", {_EXPIRY + 1}), max(expires_at) FROM used_tokens GROUP BY substr("key", {_EXPIRY + 1})'
    )
    op.execute(f'DELETE FROM used_tokens WHERE length("key") = {_EXPIRY + 16}')  # noqa: S608 - a number of this file
    op.execute('ALTER TABLE used_tokens RENAME COLUMN "key" TO digest')
    op.execute("ALTER TABLE used_tokens RENAME COLUMN expires_at TO kept_until")
