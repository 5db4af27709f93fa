"""Who may use a route, judged by its path and its caller alone, before the body of the request is read.

The one table of routes and permissions is the routes themselves: `Route.access` of each.
"""

from __future__ import annotations

from collections.abc import Mapping

from sealwright.access.models import Actor, Permission
from sealwright.access.policy import require
from sealwright.audit import Audit, Event
from sealwright.db import Database
from sealwright.errors import NotPermitted
from sealwright.http import Request

_PERMISSIONS: Mapping[str, Permission] = {str(each): each for each in Permission}
OBJECTS: Mapping[str, str] = {
    "approval-rules": "approval_rule",
    "certificates": "certificate",
    "clients": "client",
    "grants": "grant",
    "group-mappings": "group_mapping",
    "groups": "group",
    "identity-providers": "oidc_provider",
    "issuers": "oauth_issuer",
    "keys": "api_key",
    "manifest": "manifest",
    "people": "person",
    "person-imports": "person_import",
    "persons": "person",
    "profiles": "profile",
    "providers": "oidc_provider",
    "provisioners": "provisioner",
    "registration-tokens": "registration_token",
    "roles": "role",
    "service-accounts": "service",
    "sessions": "session",
    "sign-ins": "sign_in",
    "sinks": "audit_sink",
    "trusted-issuers": "trusted_issuer",
}
"""Segment of a path → what audit rows call the objects below it."""
_LONGEST = 120


def permission_of_route(access: str) -> Permission | None:
    """The permission without which nothing is done on a route with this `access`; None where something else decides."""
    return _PERMISSIONS.get(access)


class RouteGuard:
    """Refuses callers who lack the permission of a route, and records it."""

    def __init__(self, db: Database, audit: Audit) -> None:
        self._db = db
        self._audit = audit

    async def require(self, actor: Actor, access: str, request: Request) -> None:
        """Raise NotPermitted unless `actor` holds the permission that is the route's `access`, be it within a scope.

        Whether the object is within that scope is judged where the object is known.
        """
        permission = permission_of_route(access)
        if permission is None:
            return
        try:
            require(actor, permission, actor.permissions.scopes_of(permission))
        except NotPermitted as refusal:
            await self._audit.refused(
                self._db,
                Event.ACCESS_REFUSED,
                actor=actor,
                target=_target(request),
                reason=str(permission),
                details={"reason": refusal.detail, "reasons": list(refusal.reasons), "request": _shown(request)},
            )
            raise


def _target(request: Request) -> str:
    """What the audit row calls the object of a request: by the path, as the body was not read."""
    for name in request.path_parameters.values():
        for segment, kind in OBJECTS.items():
            if f"/{segment}/{name}" in request.path:
                return f"{kind}:{_printable(name)}"
    return f"route:{_shown(request)}"


def _shown(request: Request) -> str:
    return f"{request.method} {_printable(request.path)}"


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in text[:_LONGEST])
