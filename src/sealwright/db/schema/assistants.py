"""Changes that an assistant proposed and no one has confirmed yet."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, Table

from sealwright.db.schema.columns import instant_column, metadata, ref_column, text_column

assistant_confirm_tokens = Table(
    "assistant_confirm_tokens",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    ref_column("account_id", "accounts.id", cascade=True),
    text_column("call_digest", doc="The tool and its arguments"),
    instant_column("expires_at"),
    Index("ix_assistant_confirm_tokens_account_id", "account_id"),
    Index("ix_assistant_confirm_tokens_expires_at", "expires_at"),
    info={"about": "Confirm tokens of assistants: each is for one change, can be used once, and lives five minutes."},
)
