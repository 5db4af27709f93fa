"""The message that a page shows once after something was done.

A cookie carries which notice it is to the next page, which clears it: an address that named it could be sent to anyone, and
would show it again at every reload.
"""

from __future__ import annotations

from collections.abc import Mapping

from sealwright.http import Request, Response, redirect
from sealwright.web.cookies import NOTICE_COOKIE, set_notice

NOTICES: Mapping[str, str] = {
    "password": "The password was changed, and your other sessions ended.",
    "second-factor": "From now on you are asked for a code after your password.",
    "second-factor-removed": "The second factor was removed.",
    "approved": "You approved it.",
    "rejected": "You rejected it.",
    "approval-withdrawn": "The request was withdrawn.",
    "passkey": "The passkey was added. You can sign in with it.",
    "passkey-renamed": "The passkey was renamed.",
    "passkey-removed": "The passkey was removed.",
    "profile": "Your profile was saved.",
    "ssh-key": "The SSH key was added.",
    "ssh-key-removed": "The SSH key was deleted.",
    "mails": "Your e-mail addresses were changed.",
    "mail-sent": "A link was sent. Open it within a day to confirm the address.",
    "mail-queued": "The mail server does not take the message yet. It is sent as soon as it does; open its link within a day.",
    "mail-confirmed": "The address is confirmed.",
    "session": "The session was ended.",
    "sessions": "Your other sessions were ended.",
    "devices": "No device is known any more; each is again at its next sign-in.",
    "api-key-narrowed": "The key may do less from now on.",
    "api-key-revoked": "The key was revoked.",
    "withdrawn": "The application's access was taken back.",
    "revoked": "The certificate was revoked.",
    "person-changed": "Saved.",
    "person-disabled": "The account is disabled. Its sessions and tokens ended.",
    "person-enabled": "The account is enabled again.",
    "person-second-factors": "The second factors and passkeys were removed, and their sessions and API keys ended.",
    "person-deleted": "The account is in the recycle bin.",
    "person-sessions": "All of their sessions were ended.",
    "role-granted": "The role is granted. It counts from their next request on.",
    "role-withdrawn": "The role was taken away. It counts no more from their next request on.",
    "member-added": "It is in the group now.",
    "member-removed": "It is in the group no more.",
    "group-created": "The group was made. It is empty, and gives nothing yet.",
    "group-changed": "The group was changed.",
    "policy-changed": "What the group asks of its members was changed.",
    "service-account-created": "The service account was made. It has no token yet.",
    "service-account-changed": "The service account was changed.",
    "service-account-disabled": "The service account is disabled. Its tokens ended.",
    "service-account-enabled": "The service account is enabled again. It has no token yet.",
    "service-account-deleted": "The service account is in the recycle bin.",
    "token-revoked": "The token was revoked.",
    "sink-deleted": "Nothing is forwarded there any more.",
    "group-deleted": "The group is in the recycle bin.",
    "provider-created": "The identity provider passed every check and was stored. Say next which of its groups give which roles.",
    "provider-changed": "The identity provider passed every check and was changed.",
    "provider-deleted": "The identity provider was deleted, with its mappings and the roles that they gave.",
    "mapping-added": "The group gives the role from each person's next sign-in on.",
    "mapping-removed": "The group gives the role no more, from each person's next sign-in on.",
    "issuer-trusted": "The issuer is trusted. Its tokens are accepted for nothing until a rule says so.",
    "issuer-changed": "How its tokens are verified was changed.",
    "issuer-deleted": "The issuer is trusted no more. Its rules are gone, and what they gave ended.",
    "issuer-rule-added": "The rule was added, after those that were there.",
    "issuer-rule-changed": "The rule was changed in its place.",
    "issuer-rule-deleted": "The rule was deleted, and what it gave ended.",
    "certificate-profile-created": "The profile was stored. Let a provisioner choose it.",
    "certificate-profile-changed": "The profile was changed. It counts from the next certificate on.",
    "certificate-profile-deleted": "The profile was deleted.",
    "revived": "It is back. An account has no credential yet: make a link for its owner.",
    "break-glass": "You opened the server with the break-glass password. Put right what is broken, then sign out.",
    "welcome": "You are the administrator of this server, and signed in.",
}


def done(page: str, notice: str, *headers: tuple[str, str]) -> Response:
    """Go to `page`, which shows the notice once."""
    return redirect(page, headers=(set_notice(notice), *headers))


def notice_text(request: Request) -> str:
    """The text of the notice; empty where there is none, or the cookie names an unknown one."""
    return NOTICES.get(request.cookie(NOTICE_COOKIE) or "", "")
