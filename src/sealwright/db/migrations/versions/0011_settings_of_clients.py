"""Keep what is set on a client as one JSON object that holds what differs from the default."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_FLAGS = {
    "localhost_redirects": False,
    "http_redirects": False,
    "require_pkce": True,
    "consent_prompt": True,
    "partial_scopes": False,
    "short_username": False,
}
_USUAL_GRACE = {"public": 0, "confidential": 10}
_GONE = (*_FLAGS, "signing_algorithm", "refresh_seconds", "refresh_grace_seconds")


def upgrade() -> None:
    """Forward only."""
    op.add_column("oauth_clients", sa.Column("settings", sa.Text(), nullable=False, server_default=sa.text("'{}'")))
    connection = op.get_bind()
    uris: dict[str, list[str]] = {}
    for client_id, uri in connection.execute(sa.text("SELECT client_id, uri FROM oauth_redirect_uris ORDER BY client_id, uri")):
        uris.setdefault(client_id, []).append(uri)
    columns = ", ".join(("id", "kind", *_GONE))
    rows = connection.execute(sa.text(f"SELECT {columns} FROM oauth_clients")).mappings().all()  # noqa: S608 - only names from above
    changed = [{"id": row["id"], "settings": json.dumps(_settings(row, uris.get(row["id"], [])))} for row in rows]
    if changed:
        connection.execute(sa.text("UPDATE oauth_clients SET settings = :settings WHERE id = :id"), changed)
    op.drop_table("oauth_redirect_uris")
    for name in _GONE:
        op.drop_column("oauth_clients", name)


def _settings(row: Any, uris: list[str]) -> dict[str, Any]:
    settings: dict[str, Any] = {name: bool(row[name]) for name, usual in _FLAGS.items() if bool(row[name]) is not usual}
    if uris:
        settings["redirect_uris"] = uris
    if row["signing_algorithm"] != "ES256":
        settings["id_token_signed_response_alg"] = row["signing_algorithm"]
    # The server's setting may have been another one when the client was made: what holds now goes on to hold.
    settings["refresh_seconds"] = row["refresh_seconds"]
    if row["refresh_grace_seconds"] != _USUAL_GRACE[row["kind"]]:
        settings["refresh_grace_seconds"] = row["refresh_grace_seconds"]
    return settings
