"""People and groups in one class."""

from __future__ import annotations

from sealwright.identity.directory.groups import Groups
from sealwright.identity.directory.profiles import Profiles


class Directory(Profiles, Groups):
    """All operations on people, groups and memberships."""
