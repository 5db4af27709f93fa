"""Refusals about roles and grants."""

from __future__ import annotations

from sealwright.errors import Conflict, InvalidInput, NotFound


class RoleNotFound(NotFound):
    """There is no such role."""

    code = "role_not_found"


class GrantNotFound(NotFound):
    """There is no such grant."""

    code = "grant_not_found"


class ScopeNotFound(NotFound):
    """There is no such issuer, profile or provisioner."""

    code = "scope_not_found"


class RoleRefused(InvalidInput):
    """The id or the permissions of a role, or the holder or the end of a grant, cannot be as given."""

    code = "role_refused"


class RoleTaken(Conflict):
    """A role of this id exists already."""

    code = "role_taken"


class RoleInUse(Conflict):
    """Someone holds the role, or a group of an identity provider gives it."""

    code = "role_in_use"


class AlreadyGranted(Conflict):
    """The same role is held by the same account or group within the same scope already."""

    code = "already_granted"


class NotByHand(Conflict):
    """The grant was not made by hand: it belongs to a built-in group, or comes from an identity provider."""

    code = "not_by_hand"
