"""What to do next, as a command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sealwright.errors import Action, Failure, Remedy

_COMMANDS: Mapping[Action, str] = {
    Action.CHANGE_ISSUER_KEYS: "Do it with: sealwright system oauth2 issuer rotate-keys {name}",
    Action.CREATE_API_TOKEN: "Make a token of it with: sealwright service-account api-token generate {name} LABEL",
    Action.CREATE_GROUP: "Make a group of your own for some of the people: sealwright group create NAME",
    Action.DELETE_CLIENT_IN_USE: (
        "Remove them first, or delete it all the same: sealwright system oauth2 delete {name} --even-if-used"
    ),
    Action.DELETE_GROUP_IN_USE: "Change them first, or delete it all the same: sealwright group delete {name} --even-if-used",
    Action.LEAVE_ISSUER: "Give each another issuer first: sealwright system oauth2 set-issuer {name}",
    Action.LIST_APPROVALS: "See all with: sealwright approval list",
    Action.LIST_AUDIT_EVENTS: "See what there is with: sealwright audit list",
    Action.LIST_CLIENTS: "See all with: sealwright system oauth2 list",
    Action.LIST_GROUPS: "See all with: sealwright group list",
    Action.LIST_TRUSTED_ISSUERS: "See them with: sealwright system oauth2 trusted-issuer list",
    Action.SHOW_TRUSTED_ISSUER: "See its rules with: sealwright system oauth2 trusted-issuer get {name}",
    Action.LIST_ISSUERS: "See them with: sealwright system oauth2 issuer list",
    Action.LIST_PEOPLE: "See all people with: sealwright person list",
    Action.LIST_PEOPLE_AND_GROUPS: "See all with: sealwright person list, and: sealwright group list",
    Action.MOVE_CLIENT_IN_USE: (
        "Remove them first, or move it all the same: sealwright system oauth2 set-issuer {name} --even-if-used"
    ),
    Action.LIST_SERVICE_ACCOUNTS: "See all with: sealwright service-account list",
    Action.RECOVER_ACCOUNT: "On the server: sealwright recover-account {name}",
    Action.RENAME_CLIENT_IN_USE: (
        "Remove them first, or rename it all the same: sealwright system oauth2 set-name {name} NEW_NAME --even-if-used"
    ),
    Action.RENAME_GROUP_IN_USE: (
        "Change them first, or rename it all the same: sealwright group rename {name} NEW_NAME --even-if-used"
    ),
    Action.RESET_PERSON: "Where the password was lost: sealwright person reset {name}",
    Action.REVIVE: "Choose another name, or bring it back with: sealwright recycle-bin revive {name}",
    Action.SET_UP_SECOND_FACTOR: (
        "In a browser, set up a code from an app on the page of your account; then: sealwright login -D {name}"
    ),
    Action.SHOW_CLIENT: "See it with: sealwright system oauth2 get {name}",
    Action.SHOW_ISSUER: "See it with: sealwright system oauth2 issuer get {name}",
    Action.SIGN_IN: "Sign in with: sealwright login -D {name}",
    Action.SIGN_IN_AGAIN: "Give your password again, then repeat the command: sealwright reauth -D {name}",
    Action.UPDATE_PERSON: "Change the person first with: sealwright person update {name}",
    Action.ALLOW_HTTP_REDIRECTS: (
        "For an application that has no https: sealwright system oauth2 warning-insecure-client-allow-http-redirects {name}"
    ),
    Action.CREATE_PROFILE: "Create another profile, and let provisioners choose that: sealwright profile create",
    Action.GRANT_ROLE: "Grant the role to the person or the group, which others then approve: sealwright role grant {name}",
    Action.LIST_GRANTS: "See them with: sealwright role grants",
    Action.LIST_OWN_APPROVALS: "See them with: sealwright approval list --mine",
    Action.LIST_PROFILES: "See all with: sealwright profile list",
    Action.LIST_ROLES: "See all with: sealwright role list",
    Action.REMOVE_APPROVAL_RULE: (
        "With: sealwright recycle-bin revive GROUP; or in the shell of the server: sealwright recover-approval {name}"
    ),
    Action.SET_UP_FAPI: (
        "First: sealwright system oauth2 set-authentication {name} private_key_jwt --jwks FILE; then: "
        "sealwright system oauth2 set-profile {name} fapi2. To leave the profile: set-profile {name} oauth2.1."
    ),
    Action.UPDATE_PROFILE: "Change it by itself, which others then approve: sealwright profile update {name}",
    Action.WITHDRAW_APPROVAL: "Withdraw it with: sealwright approval withdraw {name}",
}


def command_for(remedy: Remedy) -> str:
    """The sentence that names the command; NAME stands for a name that is not known."""
    return _COMMANDS[remedy.action].format(name=remedy.name or "NAME")


def hint_of(failure: Failure) -> str:
    """What to do next; empty if the failure does not say."""
    return failure.next_step(_COMMANDS)


def remedy_in(problem: Mapping[str, Any]) -> Remedy | None:
    """The remedy in a problem document; None if it has none that this program knows."""
    given = problem.get("remedy")
    if not isinstance(given, dict) or given.get("action") not in list(Action):
        return None
    return Remedy(Action(given["action"]), str(given.get("name") or ""))
