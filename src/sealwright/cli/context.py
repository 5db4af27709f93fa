"""One run of one command: what was chosen, and what it needs made on demand."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sealwright.cli.dependencies import CommandDependencies
from sealwright.cli.errors import SignInNeeded, ValueRefused, WrongUsage
from sealwright.cli.output import Output

if TYPE_CHECKING:
    from sealwright.cli.connection import Connection
    from sealwright.cli.saved_sessions import SavedSessions
    from sealwright.cli.server_address import Server
    from sealwright.cli.server_side import ServerSide

T = TypeVar("T")

_BLANK = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
"""What `step` takes off the end of a password file, so that one file is one password for both: Unicode's White_Space."""
_BYTE_ORDER_MARK = "\ufeff"


@dataclass
class Choices:
    """The options that every command takes."""

    url: str | None = None
    ca: str | None = None
    fingerprint: str | None = None
    """Of the root to trust."""
    name: str | None = None
    debug: bool = False
    yes: bool = False
    """Whether nothing is to be asked before something ends."""


class CommandContext:
    """Handed to every command."""

    def __init__(
        self,
        dependencies: CommandDependencies,
        server_side: Callable[[], ServerSide],
        sign_in_again: Callable[[CommandContext, Connection], object],
    ) -> None:
        """`server_side` loads the functions behind `init`, `serve` and their like; called only by those commands.

        `sign_in_again`: asks for the password where a change needs a recent sign-in.
        """
        self.dependencies = dependencies
        self._sign_in_again = sign_in_again
        self.server_side = server_side
        self.choices = Choices()
        self.output = Output(dependencies)
        self._fetched_root: str | None = None
        self.heading = ""
        """The heading of a failure that names no kind."""

    def saved_sessions(self) -> SavedSessions:
        """What sign-ins left on this machine."""
        from sealwright.cli.saved_sessions import SavedSessions

        return SavedSessions(self.dependencies.environ)

    def server(self) -> Server:
        """The server to speak to."""
        from sealwright.cli.server_address import find_server

        found = find_server(self.choices.url, self.choices.ca, self.dependencies.environ)
        return found if self.choices.fingerprint is None else found._replace(roots_pem=self.root_at(found.url))

    def root_at(self, url: str) -> str:
        """The root that ``--fingerprint`` names, as the server at `url` tells it."""
        from sealwright.cli.fingerprint import fetch_root, read_fingerprint

        if self._fetched_root is None:
            if self.choices.ca:
                raise WrongUsage("--ca and --fingerprint both say which root to trust.", hint="Give one of the two.")
            self._fetched_root = fetch_root(self.dependencies, url, read_fingerprint(self.choices.fingerprint or ""))
        return self._fetched_root

    def connection(self, *, signed_in: bool = True) -> Connection:
        """A connection to the server, by default with the session of ``--name``, else an API key, else the last sign-in there."""
        from sealwright.cli.connection import Connection
        from sealwright.settings import read_environment

        server = self.server()
        if not signed_in:
            return Connection(server, self.dependencies)
        api_key = None if self.choices.name else read_environment(self.dependencies.environ).api_key
        if api_key:
            return Connection(server, self.dependencies, api_key)
        name = self.choices.name or server.name
        session = self.saved_sessions().session(server.url, name) if name else None
        if session is None:
            who = f"{name} is not signed in" if name else "no one is signed in"
            raise SignInNeeded(
                f"{who} at {server.url}.", hint=f"Sign in with: sealwright login -D {shlex.quote(name) if name else 'NAME'}"
            )
        again = partial(self._sign_in_again, self) if self.output.asks() else None
        return Connection(server, self.dependencies, session.token, again)

    def change(self, method: str, *path: str, body: Mapping[str, Any] | None = None, done: str) -> Any:
        """Change something at the server and say what was done; returns the server's response, which ``-o json`` shows."""
        changed = self.connection().call(method, *path, body=body)
        self.output.confirm(done)
        self.output.json(changed)
        return changed

    def password(self, file: str | None, prompt: str, option: str = "--password-file", *, may_be_empty: bool = False) -> str:
        """A password from a file (``-``: standard input), or asked for on the terminal without showing it."""
        if file is not None:
            text = password_in_file(self._secret_in(file))
        elif self.output.asks():
            text = self.dependencies.ask_hidden(f"{prompt}: ")
        else:
            raise WrongUsage(
                "a password is needed, and there is no terminal to ask on.",
                hint=f"Pass it with {option} FILE, or {option} - for standard input.",
            )
        password = text.removesuffix("\n").removesuffix("\r")
        if "\n" in password or "\r" in password:
            raise WrongUsage(f"{file or 'the password'} holds more than one line; a password is one.")
        if not password and not may_be_empty:
            raise WrongUsage("the password is empty." if file is None else f"{file} holds no password.")
        if password.startswith(_BYTE_ORDER_MARK):
            raise WrongUsage(
                f"{file or 'the password'} begins with a byte order mark, which would be a part of the password.",
                hint="Save the file as UTF-8 without one.",
            )
        return password

    def _secret_in(self, file: str) -> str:
        """The content of a file, or a line of standard input; nothing of it is in a message."""
        try:
            if file == "-":
                text = self.dependencies.stdin.readline()
                text.encode()  # where the locale is none, bytes that are not text come as half characters
                return text
            from sealwright.cli.files import read_bytes, typed_path

            return read_bytes(typed_path(file), at_most=4096).decode()
        except UnicodeError:
            where = "standard input" if file == "-" else file
            raise WrongUsage(f"{where} is not text in UTF-8.", hint="Write the password again, as text.") from None

    def new_password(self, file: str | None, prompt: str, option: str = "--password-file") -> str:
        """A password to be set: asked for twice on a terminal."""
        password = self.password(file, prompt, option)
        if file is None and self.dependencies.ask_hidden("Once more: ") != password:
            raise WrongUsage("the two passwords differ.")
        return password

    def provisioner_password(self, name: str, file: str | None, option: str = "--password-file") -> str:
        """A password for the key of a new provisioner: the sealed key is public, so it must be as good as a person's."""
        from sealwright.password_strength import weaknesses

        password = self.new_password(file, f"New password of the provisioner {name}", option)
        reasons = weaknesses(password, name=name, display_name="", mails=())
        if reasons:
            raise ValueRefused(
                f"the password of the provisioner {name} is not strong enough: {'; '.join(reasons)}.",
                hint="Take four or more words that do not belong together, or: openssl rand -base64 24",
            )
        return password


def password_in_file(text: str) -> str:
    """The password that a file of this content holds for `step`, and so for us."""
    return text.rstrip(_BLANK)


def pass_context(function: Callable[..., T]) -> Callable[..., T]:
    """Hand the context to a command as its first argument."""
    return click.make_pass_decorator(CommandContext)(function)
