"""People, services and groups in one class."""

from __future__ import annotations

from sealwright.identity.directory.groups import Groups
from sealwright.identity.directory.profiles import Profiles
from sealwright.identity.directory.service_accounts import ServiceAccounts


class Directory(Profiles, ServiceAccounts, Groups):
    """All operations on people, services, groups and memberships."""
