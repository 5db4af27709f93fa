"""`sealwright login`, `logout` and `whoami`."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from sealwright.cli.commands import command, fingerprint_option
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.errors import SignInNeeded, WrongUsage
from sealwright.cli.formatting import listed, parsed, until

if TYPE_CHECKING:
    from sealwright.cli.connection import Connection


@command(
    "login",
    examples=[
        "sealwright login -D idm_admin",
        "sealwright login https://id.example.org:8443 --fingerprint 4f1e07aa… -D alice",
        "sealwright login -D alice --url https://id.example.org --ca root_ca.crt --password-file alice.pw",
    ],
)
@click.argument("url", required=False)
@fingerprint_option
@click.option("--password-file", metavar="FILE", help="Read the password from FILE; - for standard input.")
@click.option("--code", metavar="CODE", help="Six-digit code of the second factor, where the account has one.")
@pass_context
def login(context: CommandContext, url: str | None, password_file: str | None, code: str | None) -> None:
    """Sign in to a server, and keep the session for the commands that follow.

    URL is the address at which people sign in; it needs saying only once. The fingerprint of the server's root is in what init
    printed; on the server's machine, sealwright root tells it again.
    """
    if url is not None:
        url = url if "://" in url else f"https://{url}"
        if context.choices.url not in (None, url):
            raise WrongUsage(f"the server is named twice: {url}, and --url {context.choices.url}.", hint="Name it once.")
        context.choices.url = url
    connection = context.connection(signed_in=False)
    server = connection.server
    context.saved_sessions().require_place()
    name = context.choices.name or server.name
    if not name:
        raise WrongUsage("who is to be signed in?", hint="Say who with -D NAME.")
    password = context.password(password_file, f"Password of {name} at {server.url}")
    answer = connection.call("POST", "login", body={"name": name, "password": password})
    if "pending" in answer:
        answer = connection.call("POST", "login", "code", body={"pending": answer["pending"], "code": code or _code(context)})
    _keep(context, answer, server.url, server.roots_pem)
    account = answer["account"]
    moment = until(parsed(answer["expires_at"]), context.dependencies.now())
    context.output.confirm(f"Signed in to {server.url} as {account['spn']}, {moment}")
    context.output.json({"url": server.url, "account": account, "expires_at": answer["expires_at"]})


@command("reauth", examples=["sealwright reauth", "sealwright reauth -D idm_admin --password-file admin.pw"])
@click.option("--password-file", metavar="FILE", help="Read the password from FILE; - for standard input.")
@click.option("--code", metavar="CODE", help="Six-digit code of the second factor, where the account has one.")
@pass_context
def reauth(context: CommandContext, password_file: str | None, code: str | None) -> None:
    """Give the password again: the session goes on, and may make changes for a while.

    Some minutes after a sign-in its session only reads, so that a terminal that was left alone changes nothing. At a terminal,
    commands that change something ask for the password by themselves then.
    """
    connection = context.connection()
    answer = sign_in_again(context, connection, password_file, code)
    context.output.confirm(f"Signed in again as {answer['account']['spn']}")
    context.output.json({"url": connection.server.url, "account": answer["account"], "expires_at": answer["expires_at"]})


def sign_in_again(
    context: CommandContext, connection: Connection, password_file: str | None = None, code: str | None = None
) -> dict[str, Any]:
    """Give the password again, and keep the other token of the session, which `connection` uses from now on."""
    name = context.choices.name or connection.server.name
    password = context.password(password_file, f"Password of {name} at {connection.server.url}")
    answer = connection.call("POST", "reauth", body={"password": password})
    if "pending" in answer:
        given = code or _code(context)
        answer = connection.call("POST", "reauth", "code", body={"pending": answer["pending"], "code": given})
    connection.use_token(answer["token"])
    _keep(context, answer, connection.server.url, connection.server.roots_pem)
    return dict(answer)


def _code(context: CommandContext) -> str:
    if not context.output.asks():
        raise WrongUsage(
            "this account has a second factor, and there is no terminal to ask on.", hint="Pass it with --code CODE."
        )
    return context.dependencies.ask_hidden("Code of your second factor: ").strip()


def _keep(context: CommandContext, answer: dict[str, Any], url: str, roots_pem: str) -> None:
    from sealwright.cli.saved_sessions import SavedSession

    session = SavedSession(url, answer["account"]["name"], answer["token"], answer["expires_at"])
    context.saved_sessions().signed_in(session, roots_pem)


@command(
    "logout",
    examples=["sealwright logout", "sealwright logout -D idm_admin --local-only"],
)
@click.option("--local-only", is_flag=True, help="Only forget the session on this machine.")
@pass_context
def logout(context: CommandContext, local_only: bool) -> None:
    """Sign out: end the session at the server, and forget it here."""
    connection = context.connection()
    if not local_only:
        with suppress(SignInNeeded):  # it may have ended already
            connection.call("POST", "logout")
    saved = context.saved_sessions()
    name = context.choices.name or connection.server.name
    session = saved.session(connection.server.url, name)
    if session is not None:
        saved.signed_out(session)
    context.output.confirm(f"Signed out {name} from {connection.server.url}")
    context.output.json({"url": connection.server.url, "name": name})


@command("whoami", examples=["sealwright whoami", "sealwright whoami -o json"])
@pass_context
def whoami(context: CommandContext) -> None:
    """Show who is signed in, and what they may do."""
    connection = context.connection()
    answer = connection.call("GET", "whoami")
    context.output.json(answer)
    account, session = answer["account"], answer["session"]
    context.output.say(account["spn"])
    moment = until(parsed(session["expires_at"]), context.dependencies.now())
    context.output.say(f"  at {connection.server.url}, {moment}")
    if answer["groups"]:
        context.output.say(f"  member of {listed(answer['groups'])}")
    if answer["permissions"]:
        context.output.say(f"  may {', '.join(answer['permissions'])}")
