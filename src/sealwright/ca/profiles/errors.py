"""What is refused about profiles."""

from __future__ import annotations

from sealwright.errors import Conflict, NotFound, NotPermitted


class ProfileMissing(NotFound):
    """There is no profile of this name."""

    code = "profile_missing"


class ProfileExists(Conflict):
    """There is a profile of this name already."""

    code = "profile_exists"


class ProfileInUse(Conflict):
    """Provisioners or grants of roles name the profile, so that it cannot be deleted."""

    code = "profile_in_use"


class ProfileReadOnly(NotPermitted):
    """The profile is built in: it is neither changed nor deleted."""

    code = "profile_read_only"


class ProfileChanged(Conflict):
    """The profile is not what the change was based on any more."""

    code = "profile_changed"


class ProfileHeld(NotPermitted):
    """The profile asks for approval, and is not changed without it."""

    code = "profile_held"
