"""What to do next, in terms of the API."""

from __future__ import annotations

from collections.abc import Mapping

from sealwright.errors import Action, Failure

_REQUESTS: Mapping[Action, str] = {
    Action.CHANGE_ISSUER_KEYS: "POST /api/v1/oauth2/issuers/{name}/key-rotation gives it new ones.",
    Action.CREATE_API_TOKEN: "POST /api/v1/service-accounts/{name}/api-tokens makes a token.",
    Action.CREATE_GROUP: "Create another group for some of the people with POST /api/v1/groups.",
    Action.DELETE_CLIENT_IN_USE: "Remove them first, or repeat the request with the parameter even_if_used=true.",
    Action.DELETE_GROUP_IN_USE: "Change them first, or repeat the request with the parameter even_if_used=true.",
    Action.LEAVE_ISSUER: "Give each another issuer first: POST /api/v1/oauth2/clients/{name}/issuer.",
    Action.LIST_APPROVALS: "GET /api/v1/approvals lists requests.",
    Action.LIST_AUDIT_EVENTS: "GET /api/v1/audit lists all events.",
    Action.LIST_CLIENTS: "GET /api/v1/oauth2/clients lists all clients.",
    Action.LIST_GROUPS: "GET /api/v1/groups lists all groups.",
    Action.LIST_TRUSTED_ISSUERS: "GET /api/v1/oauth2/trusted-issuers lists all of them.",
    Action.SHOW_TRUSTED_ISSUER: "GET /api/v1/oauth2/trusted-issuers/{name} shows its rules.",
    Action.LIST_ISSUERS: "GET /api/v1/oauth2/issuers lists all of them.",
    Action.LIST_PEOPLE: "GET /api/v1/persons lists all people.",
    Action.LIST_PEOPLE_AND_GROUPS: "GET /api/v1/persons and GET /api/v1/groups list them all.",
    Action.MOVE_CLIENT_IN_USE: "Remove them first, or repeat the request with the parameter even_if_used=true.",
    Action.LIST_SERVICE_ACCOUNTS: "GET /api/v1/service-accounts lists all service accounts.",
    Action.RECOVER_ACCOUNT: "In the shell of the server, the command recover-account sets a password for {name}.",
    Action.RENAME_CLIENT_IN_USE: "Remove them first, or repeat the request with the parameter even_if_used=true.",
    Action.RENAME_GROUP_IN_USE: "Change them first, or repeat the request with the parameter even_if_used=true.",
    Action.RESET_PERSON: "If the password was lost: POST /api/v1/persons/{name}/reset-link makes a link to set another.",
    Action.REVIVE: "Choose another name, or POST /api/v1/recycle-bin/persons/{name}/revive or /recycle-bin/groups/{name}/revive.",
    Action.SET_UP_SECOND_FACTOR: "Set up a code from an app on the pages of this server, then send it to POST /api/v1/login.",
    Action.SHOW_CLIENT: "GET /api/v1/oauth2/clients/{name} shows the client.",
    Action.SHOW_ISSUER: "GET /api/v1/oauth2/issuers/{name}/keys shows its keys.",
    Action.SIGN_IN: "POST /api/v1/login returns a token; send it as Authorization: Bearer TOKEN.",
    Action.SIGN_IN_AGAIN: "POST /api/v1/reauth with your password returns another token of the session; then repeat the request.",
    Action.UPDATE_PERSON: "Change the person first with PATCH /api/v1/persons/{name}.",
    Action.ALLOW_HTTP_REDIRECTS: (
        "For an application that has no https, set http_redirects: PATCH /api/v1/oauth2/clients/{name}."
    ),
    Action.CREATE_PROFILE: "Create another profile with POST /api/v1/profiles, and let provisioners choose that.",
    Action.GRANT_ROLE: (
        "Grant the role {name} to the person or the group with POST /api/v1/auth/grants, which others then approve."
    ),
    Action.LIST_GRANTS: "GET /api/v1/auth/grants lists all grants.",
    Action.LIST_OWN_APPROVALS: "GET /api/v1/approvals?show=mine lists them.",
    Action.LIST_PROFILES: "GET /api/v1/profiles lists all profiles.",
    Action.LIST_ROLES: "GET /api/v1/auth/roles lists all roles.",
    Action.REMOVE_APPROVAL_RULE: (
        "POST /api/v1/recycle-bin/groups/GROUP/revive brings it back; the rule of {name} is removed in the shell of the server."
    ),
    Action.SET_UP_FAPI: (
        "PATCH /api/v1/oauth2/clients/{name} sets what is missing and the profile together; the profile "
        "oauth2.1 asks for nothing of it."
    ),
    Action.UPDATE_PROFILE: "Change it by itself with PATCH /api/v1/profiles/{name}, which others then approve.",
    Action.WITHDRAW_APPROVAL: "POST /api/v1/approvals/{name}/withdraw takes it back.",
}


def hint_of(failure: Failure) -> str:
    """What to do next; empty if the failure does not say."""
    return failure.next_step(_REQUESTS)
