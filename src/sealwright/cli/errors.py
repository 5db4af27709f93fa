"""Failures of commands. Each class has one exit code and the first words of its message."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar

from sealwright.errors import Conflict, Failure, InvalidInput, NotFound, NotSignedIn


class ExitCode(IntEnum):
    """Exit codes."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_SIGNED_IN = 3
    NOT_FOUND = 4
    CONFLICT = 5
    UNREACHABLE = 6


class CommandFailed(Failure):
    """The command could not do what it was asked for."""

    code = "failed"
    heading: ClassVar[str] = ""
    exit_code: ClassVar[ExitCode] = ExitCode.FAILED

    def __init__(self, detail: str, *, reasons: tuple[str, ...] = (), hint: str = "", kind: str = "") -> None:
        """`kind`: what the server calls it, where it is more exact than this class."""
        super().__init__(detail, reasons=reasons, hint=hint)
        self.kind = kind or self.code


class WrongUsage(CommandFailed):
    """The command was called in a way that it does not understand."""

    code = "wrong_usage"
    heading = "Wrong usage"
    exit_code = ExitCode.USAGE


class RefusedByServer(CommandFailed):
    """The server understood and said no."""

    code = "refused"
    heading = "Refused"


class ValueRefused(CommandFailed):
    """The server did not understand a value."""

    code = "invalid_input"
    heading = "Wrong value"


class SignInNeeded(CommandFailed):
    """There is no session, or it has ended."""

    code = "not_signed_in"
    heading = "Not signed in"
    exit_code = ExitCode.NOT_SIGNED_IN


class Missing(CommandFailed):
    """What was named does not exist."""

    code = "not_found"
    heading = "Not found"
    exit_code = ExitCode.NOT_FOUND


class Waiting(CommandFailed):
    """Others must approve it first; the same command does it once they have."""

    code = "approval_pending"
    heading = "Waiting"
    exit_code = ExitCode.CONFLICT


class Clash(CommandFailed):
    """It exists already, or was changed meanwhile."""

    code = "conflict"
    heading = "Conflict"
    exit_code = ExitCode.CONFLICT


class Unreachable(CommandFailed):
    """The server does not answer, or is not who it should be."""

    code = "unreachable"
    heading = "Cannot reach the server"
    exit_code = ExitCode.UNREACHABLE


_OF_THE_SERVER: tuple[tuple[type[Failure], type[CommandFailed]], ...] = (
    (NotSignedIn, SignInNeeded),
    (NotFound, Missing),
    (Conflict, Clash),
    (InvalidInput, ValueRefused),
)
"""What a command of the server itself raises, and as which failure of a command it is shown."""


def exit_code_of(failure: Failure) -> ExitCode:
    """The exit code for any failure, also one that a command of the server itself raised."""
    return _class_of(failure).exit_code


def heading_of(failure: Failure, of_the_command: str = "") -> str:
    """What the message begins with; what the command calls its failures wins over what kind of failure it is."""
    if isinstance(failure, CommandFailed):
        return failure.heading
    return of_the_command or _class_of(failure).heading


def _class_of(failure: Failure) -> type[CommandFailed]:
    if isinstance(failure, CommandFailed):
        return type(failure)
    return next((shown_as for kind, shown_as in _OF_THE_SERVER if isinstance(failure, kind)), CommandFailed)
