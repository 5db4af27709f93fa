"""People and groups in one."""

from __future__ import annotations

from sealwright.identity.directory.groups import Groups
from sealwright.identity.directory.people import People


class Directory(People, Groups):
    """Who there is, and who belongs to what: every verb about people and groups."""
