"""The three ways in which a request can fail without a bug.

Packages subclass these. `detail` is safe to show to the caller; a private cause is chained (``raise … from cause``) and goes to
the log. Nothing here knows a status code: each wire has one table from class to response.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import ClassVar, NamedTuple

_LOWER_CASE = re.compile(r"[a-z]+(?:'[a-z]+)?(?![A-Za-z0-9_:=-]|\.\S)")
"""A word of the language at the beginning of a text, and no name such as ``client_id``, ``authParams`` or ``example.org``."""


def as_sentence(text: str) -> str:
    """A reason as a sentence: with a capital, except where it begins with a name, and a full stop."""
    begun = text[:1].upper() + text[1:] if _LOWER_CASE.match(text) else text
    return begun if begun.endswith((".", "?", "!")) else f"{begun}."


def pointer_to(*members: str) -> str:
    """The JSON Pointer to a member of a member (RFC 6901)."""
    return "".join(f"/{each.replace('~', '~0').replace('/', '~1')}" for each in members)


class Action(StrEnum):
    """An action that resolves a failure. Each channel (API, terminal, pages) has its own words for it."""

    CHANGE_ISSUER_KEYS = "change_issuer_keys"
    CREATE_API_TOKEN = "create_api_token"  # noqa: S105 - an action's name
    CREATE_GROUP = "create_group"
    DELETE_CLIENT_IN_USE = "delete_client_in_use"
    DELETE_GROUP_IN_USE = "delete_group_in_use"
    LEAVE_ISSUER = "leave_issuer"
    LIST_APPROVALS = "list_approvals"
    LIST_AUDIT_EVENTS = "list_audit_events"
    LIST_CLIENTS = "list_clients"
    LIST_GROUPS = "list_groups"
    LIST_ISSUERS = "list_issuers"
    LIST_PEOPLE = "list_people"
    LIST_PEOPLE_AND_GROUPS = "list_people_and_groups"
    MOVE_CLIENT_IN_USE = "move_client_in_use"
    LIST_TRUSTED_ISSUERS = "list_trusted_issuers"
    LIST_SERVICE_ACCOUNTS = "list_service_accounts"
    RECOVER_ACCOUNT = "recover_account"
    RENAME_CLIENT_IN_USE = "rename_client_in_use"
    RENAME_GROUP_IN_USE = "rename_group_in_use"
    RESET_PERSON = "reset_person"
    REVIVE = "revive"
    SET_UP_SECOND_FACTOR = "set_up_second_factor"
    SHOW_CLIENT = "show_client"
    SHOW_TRUSTED_ISSUER = "show_trusted_issuer"
    SHOW_ISSUER = "show_issuer"
    SIGN_IN = "sign_in"
    SIGN_IN_AGAIN = "sign_in_again"
    UPDATE_PERSON = "update_person"
    ALLOW_HTTP_REDIRECTS = "allow_http_redirects"
    CREATE_PROFILE = "create_profile"
    GRANT_ROLE = "grant_role"
    LIST_GRANTS = "list_grants"
    LIST_OWN_APPROVALS = "list_own_approvals"
    LIST_PROFILES = "list_profiles"
    LIST_ROLES = "list_roles"
    REMOVE_APPROVAL_RULE = "remove_approval_rule"
    SET_UP_FAPI = "set_up_fapi"
    UPDATE_PROFILE = "update_profile"
    WITHDRAW_APPROVAL = "withdraw_approval"


class Remedy(NamedTuple):
    """What the caller can do next."""

    action: Action
    name: str = ""
    """Of the object of the action, such as a group; empty if there is none."""


class Failure(Exception):
    """Root of the three; never raised itself."""

    code: ClassVar[str] = "failure"

    def __init__(
        self, detail: str, *, reasons: tuple[str, ...] = (), hint: str = "", remedy: Remedy | None = None, pointer: str = ""
    ) -> None:
        """`detail`: what was refused or failed and why, as one sentence, with the value that was wrong.

        `reasons`: the rules that decided, in words, for the audit row and for "why?". What to do next is `hint`, words that
        fit every channel, and `remedy`, for which each channel has its own. `pointer`: which value of what was given is wrong.
        """
        super().__init__(detail)
        self.detail = detail
        self.reasons = reasons
        self.hint = hint
        self.remedy = remedy
        self.pointer = pointer
        """JSON Pointer (RFC 6901) to the value that is wrong, in the API's words: ``/mails/0``. Empty for no one value."""

    def next_step(self, words: Mapping[Action, str]) -> str:
        """What to do next: the hint, and the remedy in the words of one channel, where NAME stands for an unknown name."""
        if self.remedy is None:
            return self.hint
        return f"{self.hint} {words[self.remedy.action].format(name=self.remedy.name or 'NAME')}".strip()


class Refused(Failure):
    """The caller asked for something that is not allowed or not understood, and can act on it."""

    code: ClassVar[str] = "refused"


class InvalidInput(Refused):
    """A value does not have the form that is needed."""

    code: ClassVar[str] = "invalid_input"


class NotSignedIn(Refused):
    """The caller is not authenticated, or no longer."""

    code: ClassVar[str] = "not_signed_in"


class NotPermitted(Refused):
    """The caller is authenticated, but not allowed to do this."""

    code: ClassVar[str] = "not_permitted"


class NotFound(Refused):
    """The thing that was named does not exist."""

    code: ClassVar[str] = "not_found"


class MethodNotAllowed(Refused):
    """The resource exists, but not for this method; `allowed` lists the methods it has."""

    code: ClassVar[str] = "method_not_allowed"

    def __init__(self, detail: str, *, allowed: tuple[str, ...]) -> None:
        super().__init__(detail)
        self.allowed = allowed


class ContentTooLarge(Refused):
    """The request is longer than the limit."""

    code: ClassVar[str] = "too_large"


class RateLimited(Refused):
    """Too many attempts; the next one is accepted in `retry_after` seconds."""

    code: ClassVar[str] = "too_many_attempts"

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Conflict(Failure):
    """The current state does not allow this: the thing exists already, or was changed meanwhile."""

    code: ClassVar[str] = "conflict"


class Unavailable(Failure):
    """Something this needs does not work at the moment; the same call may work in `retry_after` seconds."""

    code: ClassVar[str] = "unavailable"

    def __init__(self, detail: str, *, retry_after: int = 5, hint: str = "") -> None:
        super().__init__(detail, hint=hint)
        self.retry_after = retry_after


@contextmanager
def in_member(*path: str) -> Iterator[None]:
    """What is refused in the block is wrong in this member of what was given, or below it."""
    try:
        yield
    except Failure as failure:
        failure.pointer = pointer_to(*path) + failure.pointer
        raise
