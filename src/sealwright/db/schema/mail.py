"""The messages that wait to be sent."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from sealwright.db.schema.columns import blob_column, instant_column, metadata, ref_column, text_column

mail_outbox = Table(
    "mail_outbox",
    metadata,
    Column("id", Text, primary_key=True, doc="UUID, also of the Message-ID"),
    text_column("kind", doc="invitation, reset, verification, approval_waits or approval_decided"),
    ref_column("account_id", "accounts.id", cascade=True, doc="Whom it is for"),
    Column(
        "link_digest",
        LargeBinary,
        ForeignKey("one_time_links.digest", ondelete="CASCADE"),
        nullable=True,
        doc="The one-time link that it brings, if any: where that is replaced, the message goes with it",
    ),
    text_column("recipient", doc="E-mail address"),
    blob_column("sealed_content", doc="Subject and text, sealed: the link is worth a password"),
    instant_column("created_at"),
    instant_column("next_try_at", doc="Set later while one process sends it, so that no other does"),
    Column("tries", Integer, nullable=False),
    text_column("last_failure", nullable=True),
    instant_column("expires_at", doc="When the link ends: it is given up then"),
    Index("ix_mail_outbox_account_id", "account_id"),
    Index("ix_mail_outbox_next_try_at", "next_try_at"),
    Index("ix_mail_outbox_link_digest", "link_digest"),
    info={"about": "Messages that wait to be sent. Nothing of a message stays once the SMTP server has taken it."},
)
