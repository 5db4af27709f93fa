"""`sealwright machine`: a program gets its certificate, its client and its tokens, and renews, with no person and no secret kept.

Everything is done over the wires that are there for anyone: that of `step`, dynamic registration (RFC 7591), and client
credentials with mutual TLS (RFC 8705).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sealwright.cli.commands import CommandGroup, command, fingerprint_option
from sealwright.cli.confirmation import ask_first
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.errors import WrongUsage
from sealwright.cli.formatting import duration, until

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

machine = CommandGroup("machine", help="A program's own certificate, client and tokens: enrol, token, renew, revoke.")

_directory = click.option(
    "--dir",
    "directory",
    metavar="DIRECTORY",
    type=click.Path(path_type=Path),
    default=Path("machine"),
    show_default=True,
    help="Where its files are: machine.pem, client.json and root.pem, readable by you only.",
)
_ca_url = click.option("--ca-url", metavar="URL", help="The certificate authority. Default: the one that the server names.")
_OF_ITS_LIFE = 3


@command(
    "enrol",
    examples=[
        "sealwright machine enrol shop.example.org --ca-url https://ca.example.org:9443 --ca root_ca.crt \\",
        "    --token-file shop.token --registration-token-file registration.token",
        "sealwright machine enrol shop.example.org --provisioner services --provisioner-password-file services.pw \\",
        "    --registration-token-file registration.token --dir /etc/shop/machine",
    ],
)
@click.argument("name")
@click.option("--token-file", metavar="FILE", help="A token for the certificate, as of step ca token, or an access token.")
@click.option("--provisioner", metavar="NAME", help="The JWK provisioner that vouches, where there is no token.")
@click.option("--provisioner-password-file", metavar="FILE", help="Its password; - for standard input.")
@click.option(
    "--registration-token-file", metavar="FILE", help="The token that lets the client register, unless it is registered."
)
@_directory
@fingerprint_option
@_ca_url
@pass_context
def enrol(context: CommandContext, name: str, directory: Path, ca_url: str | None, **given: str | None) -> None:
    """Get a certificate for NAME, and register a client that it proves.

    Tokens of the client are bound to the certificate. Where the registration fails, the same command goes on with the certificate
    that is there. Where the certificate has expired, or was revoked with --keep-client, the client gets another one.
    """
    from sealwright.cli.certificate import authority_of
    from sealwright.cli.machine_files import MachineFiles
    from sealwright.cli.machine_steps import certify, register

    files = MachineFiles(directory)
    made = files.certificate_to_enrol(name, context.dependencies.now())
    token = ""
    if not files.has_client():
        if given["registration_token_file"] is None:
            raise WrongUsage("who lets the client register?", hint="Give --registration-token-file.")
        token = _one_line(context, given["registration_token_file"], "--registration-token-file")
    authority = authority_of(context, ca_url)
    if made is None:
        if (given["token_file"] is None) == (given["provisioner_password_file"] is None):
            raise WrongUsage("who vouches?", hint="Give --token-file, or --provisioner with --provisioner-password-file.")
        for_certificate = given["token_file"] and _one_line(context, given["token_file"], "--token-file")
        by_password = (given["provisioner"], given["provisioner_password_file"])
        made = certify(context, authority, files, name, for_certificate or None, by_password)
    client = files.registered() if files.has_client() else register(context, authority, files, made, token)
    context.output.done(f"{name}   {until(made.not_valid_after_utc, context.dependencies.now())}")
    context.output.say(
        f"  {files.identity}   certificate, chain and private key\n  {files.client}   client {client['client_id']}"
    )
    context.output.json({**_told(made, files), "client_id": client["client_id"]})


@command("token", examples=["sealwright machine token", "sealwright machine token --resource https://api.example.org/"])
@click.option("--scope", metavar="SCOPE", multiple=True, help="A scope to ask for; repeatable. Default: all that it has.")
@click.option("--resource", metavar="URL", multiple=True, help="The server that the token is for (RFC 8707); repeatable.")
@_directory
@pass_context
def token(context: CommandContext, directory: Path, scope: tuple[str, ...], resource: tuple[str, ...]) -> None:
    """Print an access token, bound to the certificate: the server that it is sent to asks for a connection with that."""
    from sealwright.cli.machine_files import MachineFiles
    from sealwright.cli.machine_steps import ask_for_token

    answer = ask_for_token(context, MachineFiles(directory), scope, resource)
    context.output.say(answer["access_token"])
    context.output.json(answer)


@command("renew", examples=["sealwright machine renew", "sealwright machine renew --expires-in 8h --revoke-old"])
@click.option("--expires-in", metavar="DURATION", help="Renew only when less than this is left. Default: a third of its life.")
@click.option("-f", "--force", is_flag=True, help="Renew now.")
@click.option("--revoke-old", is_flag=True, help="Revoke the old certificate: the tokens that are bound to it end at once.")
@_directory
@pass_context
def renew(context: CommandContext, directory: Path, expires_in: str | None, *, force: bool, revoke_old: bool) -> None:
    """Replace the certificate by one with the same names and a new key, when it is due. To be run every few minutes.

    The client stays as it is. Tokens that were bound to the old certificate cannot be used with the new one.
    """
    from sealwright.cli.machine_files import MachineFiles
    from sealwright.cli.machine_steps import replace_certificate
    from sealwright.cli.renew import threshold_of

    files, now = MachineFiles(directory), context.dependencies.now()
    held = files.certificate()
    left = held.not_valid_after_utc - now
    whole = held.not_valid_after_utc - held.not_valid_before_utc
    threshold = whole / _OF_ITS_LIFE if expires_in is None else threshold_of(expires_in)
    if left > threshold and not force:
        context.output.note(f"Not due: it is valid for another {duration(left)}.")
        context.output.json({**_told(held, files), "renewed": False})
        return
    made = replace_certificate(context, files, revoke_old=revoke_old)
    context.output.done(f"Renewed with a new key   {until(made.not_valid_after_utc, now)}")
    context.output.json({**_told(made, files), "renewed": True})


@command("revoke", examples=["sealwright machine revoke --yes"], asks_first=True)
@click.option("--keep-client", is_flag=True, help="Leave the client registered, for another certificate with this name.")
@_directory
@pass_context
def revoke(context: CommandContext, directory: Path, *, keep_client: bool) -> None:
    """Revoke the certificate, and delete the client. From then on neither gets a token, and those that it got are not valid.

    The file of the certificate and its key is deleted.
    """
    from sealwright.cli.machine_files import MachineFiles
    from sealwright.cli.machine_steps import end_certificate, unregister

    files = MachineFiles(directory)
    if not files.has_certificate() and not keep_client:  # it was revoked, and the client could not be deleted
        unregister(context, files)
        context.output.confirm("Deleted the client")
        context.output.json({"revoked": False, "client_deleted": True})
        return
    held = files.certificate()
    ask_first(context, "Revoke it? It cannot be undone.", lambda: [f"{held.subject.rfc4514_string()} in {files.identity}"])
    end_certificate(context, files)
    if not keep_client:
        unregister(context, files)
    context.output.confirm("Revoked the certificate" + ("" if keep_client else ", and deleted the client"))
    context.output.json({**_told(held, files), "revoked": True, "client_deleted": not keep_client})


def _told(made: Certificate, files: Any) -> dict[str, Any]:
    from sealwright.cli.certificate_text import as_json

    return {**as_json(made), "file": str(files.identity)}


def _one_line(context: CommandContext, file: str, option: str) -> str:
    return context.password(file, "Token", option)


for each in (enrol, token, renew, revoke):
    machine.add_command(each)
