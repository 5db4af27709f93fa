"""The names of actions that other control planes use, and what the same is called here."""

from __future__ import annotations

from collections.abc import Mapping

from sealwright.audit.events import Event

EVENT_OF_ACTION: Mapping[str, Event] = {
    "auth.oidc_provider_created": Event.OIDC_PROVIDER_CREATED,
    "auth.oidc_provider_updated": Event.OIDC_PROVIDER_UPDATED,
    "auth.oidc_provider_deleted": Event.OIDC_PROVIDER_DELETED,
    "auth.oidc_provider_refreshed": Event.OIDC_PROVIDER_REFRESHED,
    "auth.group_mapping_added": Event.GROUP_MAPPING_ADDED,
    "auth.group_mapping_removed": Event.GROUP_MAPPING_REMOVED,
    "auth.oidc_login_succeeded": Event.OIDC_LOGIN_SUCCEEDED,
    "auth.oidc_login_failed": Event.OIDC_LOGIN_FAILED,
    "auth.breakglass_login_succeeded": Event.BREAK_GLASS_USED,
    "auth.oidc_back_channel_logout": Event.OIDC_BACK_CHANNEL_LOGOUT,
    "auth.session_created": Event.SIGN_IN,
    "auth.session_revoked": Event.SESSION_ENDED,
    "auth.user_reactivated": Event.PERSON_ENABLED,
    "bootstrap.consume": Event.BOOTSTRAP_TOKEN_USED,
    "bootstrap.oidc_first_admin": Event.BOOTSTRAP_OIDC_FIRST_ADMIN,
    "profile.edit_applied": Event.PROFILE_UPDATED,
    "approval_approved": Event.APPROVAL_APPROVED,
    "approval_rejected": Event.APPROVAL_REJECTED,
    "approval_expired": Event.APPROVAL_EXPIRED,
}
"""Name of the action elsewhere → the event that is recorded here."""
ACTION_OF_EVENT: Mapping[str, str] = {str(event): action for action, event in EVENT_OF_ACTION.items()}


def action_of(event: str) -> str:
    """The name of an event's action: that of other control planes where it has one, else the event's own."""
    return ACTION_OF_EVENT.get(event, event)
