"""What to do next, for people on a page."""

from __future__ import annotations

from collections.abc import Mapping

from sealwright.errors import Action, Failure

_ADVICE: Mapping[Action, str] = {
    Action.CHANGE_ISSUER_KEYS: "Change the keys of the issuer {name}.",
    Action.CREATE_API_TOKEN: "An administrator can make a token of {name}.",
    Action.CREATE_GROUP: "An administrator can make another group for some of the people.",
    Action.DELETE_CLIENT_IN_USE: "Change what uses the application first.",
    Action.DELETE_GROUP_IN_USE: "Change what uses the group first.",
    Action.LEAVE_ISSUER: "Give {name} another issuer first.",
    Action.LIST_APPROVALS: "Look for it among the approvals.",
    Action.LIST_AUDIT_EVENTS: "Look for it in the audit record.",
    Action.LIST_CLIENTS: "Look for it among the applications.",
    Action.LIST_GROUPS: "Look for it among the groups.",
    Action.LIST_TRUSTED_ISSUERS: "Look for it among the trusted issuers.",
    Action.SHOW_TRUSTED_ISSUER: "Look at the trusted issuer {name}.",
    Action.LIST_ISSUERS: "Look for it among the issuers.",
    Action.LIST_PEOPLE: "Look for it among the people.",
    Action.LIST_PEOPLE_AND_GROUPS: "Look for it among the people and groups.",
    Action.MOVE_CLIENT_IN_USE: "Change what uses the application first.",
    Action.LIST_SERVICE_ACCOUNTS: "Look for it among the service accounts.",
    Action.RECOVER_ACCOUNT: "On the server: sealwright recover-account {name}",
    Action.RENAME_CLIENT_IN_USE: "Change what uses the application first.",
    Action.RENAME_GROUP_IN_USE: "Change what uses the group first.",
    Action.RESET_PERSON: "If the password was lost, an administrator can make a link to set another.",
    Action.REVIVE: "Choose another name, or have it revived.",
    Action.SET_UP_SECOND_FACTOR: "Set up a code from an app or a passkey on the page of your account.",
    Action.SHOW_CLIENT: "Look at the settings of the application {name}.",
    Action.SHOW_ISSUER: "Look at the issuer {name}.",
    Action.SIGN_IN: "Sign in again.",
    Action.SIGN_IN_AGAIN: "Sign in again.",
    Action.UPDATE_PERSON: "An administrator can change {name} first.",
    Action.ALLOW_HTTP_REDIRECTS: "For an application that has no https, an administrator can allow addresses over plain http.",
    Action.CREATE_PROFILE: "Create another profile, and let provisioners choose that.",
    Action.GRANT_ROLE: "Grant the role {name} to the person or the group, which others then approve.",
    Action.LIST_GRANTS: "Look for them among the grants of roles.",
    Action.LIST_OWN_APPROVALS: "They are among the approvals.",
    Action.LIST_PROFILES: "Look for it among the profiles.",
    Action.LIST_ROLES: "Look for it among the roles.",
    Action.REMOVE_APPROVAL_RULE: "The rule of {name} is removed in the shell of the server.",
    Action.SET_UP_FAPI: "Set what is missing first, and the profile after it.",
    Action.UPDATE_PROFILE: "Change the profile {name} by itself, which others then approve.",
    Action.WITHDRAW_APPROVAL: "Withdraw the request.",
}


def hint_of(failure: Failure) -> str:
    """What to do next; empty if the failure does not say."""
    return failure.next_step(_ADVICE)
