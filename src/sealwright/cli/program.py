"""The command `sealwright`: the tree of its commands, and how their failures are shown."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from itertools import pairwise
from typing import TYPE_CHECKING

import click

from sealwright.cli.commands import LazyGroup
from sealwright.cli.context import CommandContext
from sealwright.cli.dependencies import CommandDependencies
from sealwright.cli.errors import CommandFailed, ExitCode, exit_code_of, heading_of
from sealwright.errors import Failure

if TYPE_CHECKING:
    from sealwright.cli.connection import Connection
    from sealwright.cli.server_side import ServerSide

INTERRUPTED = 130

_HERE = "sealwright.cli"

COMMANDS = {
    "login": (f"{_HERE}.sign_in:login", "Sign in to a server."),
    "logout": (f"{_HERE}.sign_in:logout", "Sign out."),
    "reauth": (f"{_HERE}.sign_in:reauth", "Give the password again, as changes need a recent sign-in."),
    "whoami": (f"{_HERE}.sign_in:whoami", "Who is signed in, and what they may do."),
    "session": (f"{_HERE}.session:session", "Sessions: list and end them."),
    "key": (f"{_HERE}.key:key", "API keys of people."),
    "person": (f"{_HERE}.person:person", "People."),
    "service-account": (f"{_HERE}.service_account:service_account", "Accounts of programs, and their API tokens."),
    "group": (f"{_HERE}.group:group", "Groups of people and groups."),
    "role": (f"{_HERE}.role:role", "Roles: what they allow, and who holds them."),
    "oidc-provider": (f"{_HERE}.oidc_provider:oidc_provider", "Identity providers of others that people sign in with."),
    "recycle-bin": (f"{_HERE}.recycle_bin:recycle_bin", "Deleted people, service accounts, groups and clients."),
    "system": (f"{_HERE}.system:system", "OAuth clients."),
    "profile": (f"{_HERE}.certificate_profile:profile", "Which names, keys, uses and lifetimes certificates have."),
    "provisioner": (f"{_HERE}.provisioner:provisioner", "Who may ask the certificate authority, and for what."),
    "certificate": (f"{_HERE}.certificate:certificate", "Certificates: issue, inspect, renew, list, revoke."),
    "machine": (f"{_HERE}.machine:machine", "A program's own certificate, client and tokens: enrol, token, renew, revoke."),
    "approval": (f"{_HERE}.approval:approval", "What needs the approval of others, and deciding about it."),
    "apply": (f"{_HERE}.manifest:apply", "Make the server what a file says: people, groups, clients, provisioners."),
    "export": (f"{_HERE}.manifest:export", "Write what the server has as such a file."),
    "audit": (f"{_HERE}.audit:audit", "What happened, and who did it."),
    "mcp": (
        f"{_HERE}.mcp:mcp",
        "Offer tools to an assistant that speaks the Model Context Protocol over standard input and output.",
    ),
    "init": (f"{_HERE}.server_commands:init", "Make a home directory for a server."),
    "serve": (f"{_HERE}.server_commands:serve", "Start the server."),
    "root": (f"{_HERE}.root:root", "Show the server's root certificate."),
    "doctor": (f"{_HERE}.server_commands:doctor", "Check a home directory, and say what is wrong."),
    "recover-account": (f"{_HERE}.server_commands:recover_account", "Set an account's password from the server's shell."),
    "break-glass": (f"{_HERE}.break_glass:break_glass", "The password for emergencies, from the server's shell."),
    "recover-approval": (f"{_HERE}.server_commands:recover_approval", "Remove an approval rule from the server's shell."),
    "backup": (f"{_HERE}.backup:backup", "A whole server in one file: make it, check it, restore it."),
    "issuer": (f"{_HERE}.server_commands:issuer", "The authorities that sign certificates."),
    "version": (f"{_HERE}.version:version", "Print the version."),
    "help": (f"{_HERE}.help:help_", "Show help on a command."),
    "completion": (f"{_HERE}.help:completion", "Print what makes a shell complete commands."),
}


MEANT = {
    "self": "whoami",
    "user": "person",
    "users": "person",
    "account": "person",
    "service": "service-account",
    "robot": "service-account",
    "client": "system oauth2",
    "keys": "key",
    "api-key": "key",
    "clients": "system oauth2",
    "oauth2": "system oauth2",
    "app": "system oauth2",
    "cert": "certificate",
    "enroll": "machine enrol",
    "agent": "machine",
    "ca": "certificate",
    "issue": "certificate issue",
    "fingerprint": "root",
    "roots": "root",
    "trust": "root",
    "start": "serve",
    "run": "serve",
    "signin": "login",
    "permission": "role",
    "permissions": "role permissions",
    "grant": "role grant",
    "approvals": "approval",
    "approve": "approval approve",
    "assistant": "mcp",
    "logs": "audit list",
    "log": "audit list",
}
"""What people type that is not a command, and what they mostly mean."""


def _version_option() -> click.Option:
    def print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
        if wanted:
            from sealwright import __version__

            context = ctx.find_object(CommandContext)
            if context is not None and context.output.as_json:
                context.output.json({"version": __version__})
            else:
                click.echo(f"Sealwright {__version__}")
            ctx.exit()

    return click.Option(["--version"], is_flag=True, expose_value=False, callback=print_version, help="Print the version.")


def tree() -> LazyGroup:
    """The whole command, not yet loaded."""
    return LazyGroup(
        "sealwright",
        help="An identity provider and a certificate authority in one program.",
        epilog="Help on a command: sealwright COMMAND --help",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
        commands_in=COMMANDS,
        params=[_version_option()],
        meant=MEANT,
        top=True,
    )


def run(
    arguments: Sequence[str], *, server_side: Callable[[], ServerSide], dependencies: CommandDependencies | None = None
) -> int:
    """Run one command; returns the exit code."""
    context = CommandContext(dependencies or CommandDependencies(), server_side, _sign_in_again)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a sign is not a reason to fail
    try:
        answer = tree().main(list(arguments), prog_name="sealwright", standalone_mode=False, obj=context)
        sys.stdout.flush()
    except click.ClickException as refusal:
        context.output.as_json |= _asks_for_json(arguments)
        return _usage(refusal, context)
    except (click.Abort, KeyboardInterrupt):
        context.output.note("Stopped.")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of the output has closed it
        sys.stdout = None  # keeps the interpreter from flushing into the closed pipe at exit
        return ExitCode.DONE
    except Failure as failure:
        _trace(context)
        context.output.failure(failure, heading_of(failure, context.heading))
        return exit_code_of(failure)
    except Exception as fault:  # noqa: BLE001 - the outermost boundary: no trace unless it was asked for
        _trace(context)
        context.output.failure(_fault(fault), "")
        return ExitCode.FAILED
    return answer if isinstance(answer, int) else ExitCode.DONE


def _sign_in_again(context: CommandContext, connection: Connection) -> object:
    from sealwright.cli.sign_in import sign_in_again

    context.output.note("Your sign-in is too long ago for a change.")
    return sign_in_again(context, connection)


def _trace(context: CommandContext) -> None:
    if context.choices.debug:
        import traceback

        traceback.print_exc(file=sys.stderr)


def _fault(fault: Exception) -> CommandFailed:
    return CommandFailed(
        f"This is a fault in sealwright itself: {type(fault).__name__}.",
        hint="Run the same command with --debug to see where, and report it.",
    )


def _asks_for_json(arguments: Sequence[str]) -> bool:
    """Whether JSON was asked for, in a command line that could not be parsed to its end."""
    pairs = pairwise([*arguments, ""])
    return any(each in ("--output=json", "-ojson") or (each in ("--output", "-o") and value == "json") for each, value in pairs)


def _usage(refusal: click.ClickException, context: CommandContext) -> int:
    ctx = getattr(refusal, "ctx", None)
    path = ctx.command_path if ctx else "sealwright"
    if isinstance(refusal, click.exceptions.NoArgsIsHelpError):
        sys.stderr.write(f"{refusal.format_message()}\n")
        return ExitCode.USAGE
    from sealwright.cli.errors import WrongUsage

    message = refusal.format_message().rstrip(".")
    end = "" if message.endswith(("?", "?)")) else "."
    wrong = WrongUsage(f"{message[:1].lower()}{message[1:]}{end}", hint=f"See: {path} --help")
    context.output.failure(wrong, wrong.heading)
    return wrong.exit_code
