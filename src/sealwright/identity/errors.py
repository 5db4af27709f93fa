"""What can go wrong in identity."""

from __future__ import annotations

from sealwright.errors import Conflict, InvalidInput, NotFound, NotPermitted, NotSignedIn, Refused


class SignInRefused(NotSignedIn):
    """The name or the password is wrong. The text is the same for every reason, so that it does not tell which names exist."""

    code = "sign_in_refused"


class CodeRefused(NotSignedIn):
    """The one-time code is wrong or was used."""

    code = "code_refused"


class PasswordRefused(NotPermitted):
    """A signed-in person gave a wrong password where theirs is asked for again."""

    code = "password_refused"


class PasskeyRefused(NotSignedIn):
    """The response of a passkey cannot be accepted; `reasons` say why."""

    code = "passkey_refused"


class SignInExpired(NotSignedIn):
    """The sign-in that waited for a code was finished, took too long, or never existed."""

    code = "sign_in_expired"


class WeakPassword(InvalidInput):
    """The password does not hold what a password has to; `reasons` say why."""

    code = "weak_password"


class NameRefused(InvalidInput):
    """A text that cannot be the name of an account or a group."""

    code = "name_refused"


class TextRefused(InvalidInput):
    """A text that cannot be a display name, description or label: too short or too long, or not one line."""

    code = "text_refused"


class MailRefused(InvalidInput):
    """A text that is not an e-mail address fit to stand in a certificate and a token."""

    code = "mail_refused"


class AccountNotFound(NotFound):
    """No account has this name."""

    code = "account_not_found"


class GroupNotFound(NotFound):
    """No group has this name."""

    code = "group_not_found"


class MemberNotFound(NotFound):
    """Neither an account nor a group has this name."""

    code = "member_not_found"


class SessionNotFound(NotFound):
    """No session has this id, or it has ended."""

    code = "session_not_found"


class CredentialNotFound(NotFound):
    """The account has no such credential."""

    code = "credential_not_found"


class StrongerCredentialNeeded(NotPermitted):
    """What was proven is not enough for a sign-in of this account: one of its groups asks for more."""

    code = "stronger_credential_needed"


class LinkRefused(Refused):
    """A one-time link that was used, has expired, was replaced, or never existed."""

    code = "link_refused"


class NameTaken(Conflict):
    """An account or a group has this name."""

    code = "name_taken"


class MailTaken(Conflict):
    """Another account has this e-mail address."""

    code = "mail_taken"


class LabelTaken(Conflict):
    """The account has a credential with this name already."""

    code = "label_taken"


class CredentialAsked(Conflict):
    """The last credential of a kind that one of the account's groups asks for stays."""

    code = "credential_asked"


class AccountNotUsable(Conflict):
    """The account's state does not allow this."""

    code = "account_not_usable"


class TooManyCredentials(Conflict):
    """The account has as many credentials of this kind as it can have."""

    code = "too_many_credentials"


class BuiltIn(Conflict):
    """It exists from the first start on and stays as it is."""

    code = "built_in"


class GroupCycle(Conflict):
    """A group would become a member of itself."""

    code = "group_cycle"


class GroupInUse(Conflict):
    """A client or a provisioner would lose what it has by this group."""

    code = "group_in_use"


class LastAdministrator(Conflict):
    """The change would remove the last account that can administer this server."""

    code = "last_administrator"


class OwnAccount(Conflict):
    """Someone would disable or delete the account that they are using."""

    code = "own_account"


class ImportNotFound(NotFound):
    """There is no such import, or it has ended."""

    code = "import_not_found"
