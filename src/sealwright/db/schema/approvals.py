"""What needs the consent of others before it is done, and who gave it."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text

from sealwright.db.schema.columns import blob_column, flag_column, instant_column, metadata, text_column

approval_rules = Table(
    "approval_rules",
    metadata,
    Column("object", Text, primary_key=True, doc="profile:, issuer: or role:, and the id of what asks for approval"),
    Column("votes", Integer, nullable=False, doc="How many people must approve"),
    text_column("group_id", nullable=True, doc="Whose members may approve; kept when the group goes away, so that nothing opens"),
    text_column("role", nullable=True, doc="Or who holds this role"),
    Column("expires_after", Integer, nullable=False, doc="Seconds that a request is open"),
    flag_column("renewals", 0, doc="Whether the renewal of an approved certificate asks again"),
    instant_column("updated_at"),
    info={"about": "Which profiles, issuers and roles ask for approval, and of whom."},
)

approval_requests = Table(
    "approval_requests",
    metadata,
    Column("id", Text, primary_key=True, doc="Begins with the time, so that ids sort by it"),
    text_column("kind", doc="certificate, role_grant, approval_rule or profile"),
    text_column("objects", doc="JSON list of what asks for approval"),
    text_column("state", doc="pending, approved, rejected, withdrawn, expired, done or stale"),
    text_column("requester_kind"),
    text_column("requester_id"),
    text_column("requester_name"),
    text_column("people", doc="JSON list: accounts of the people behind the requester, who may not approve"),
    text_column("title"),
    text_column("content", doc="JSON: exactly what is asked for"),
    text_column("reasons", doc="JSON list: why it may be asked for, and why it is held"),
    blob_column("match_digest", doc="SHA-256 of what is asked for; who asks for the same again is told of this request"),
    Column("votes_cast", Integer, nullable=False, doc="Counted first in each vote, so that votes wait for each other"),
    instant_column("created_at"),
    instant_column("expires_at"),
    instant_column("closed_at", nullable=True),
    text_column("result", doc="Serial number of the certificate, or id of the grant; empty until there is one"),
    Index("ix_approval_requests_match_digest", "match_digest", "id"),
    Index("ix_approval_requests_requester_id", "requester_id", "id"),
    Index("ix_approval_requests_state", "state", "expires_at"),
    info={"about": "What was held until others approve it."},
)

approval_votes = Table(
    "approval_votes",
    metadata,
    Column("request_id", Text, ForeignKey("approval_requests.id", ondelete="CASCADE"), primary_key=True),
    Column("account_id", Text, primary_key=True, doc="Kept when the person goes away"),
    text_column("name", doc="Of the person, at that time"),
    text_column("decision", doc="approve or reject"),
    text_column("comment"),
    instant_column("at"),
    info={"about": "Who approved or rejected what; each person once."},
)
