"""`sealwright root`: the root certificate by which a server is trusted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sealwright.cli.commands import command, fingerprint_option
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.errors import CommandFailed, WrongUsage
from sealwright.cli.formatting import columns, local
from sealwright.cli.home import home_of, home_option

if TYPE_CHECKING:
    from sealwright.cli.server_address import Server

TRUST_PAGE = "/trust"


@command(
    "root",
    examples=[
        "sealwright root",
        "sealwright root --dir /srv/sealwright",
        "sealwright root --url https://id.example.org:8443 --fingerprint 4f1e07aa… --pem",
    ],
)
@click.option("--pem", is_flag=True, help="Print the certificate itself.")
@fingerprint_option
@home_option
@pass_context
def root(context: CommandContext, directory: str | None, *, pem: bool) -> None:
    """Show the server's root certificate: its fingerprint, where its file is, and the page that tells how to trust it.

    It is the root that this machine trusts for the server: of the home directory, of a sign-in, of --ca, or with --fingerprint
    as the server tells it. On the server's own machine --dir names the home directory, and no sign-in is needed.
    """
    from sealwright.pem import certificates_pem

    server, file = _of_home(context, directory) if directory is not None else _known(context)
    page = f"{server.url}{TRUST_PAGE}"
    for root in _roots_in(server.roots_pem):
        text = certificates_pem((root.pop("der"),))
        more = {"url": server.url, "page": page, "file": None if file is None else str(file), "pem": text}
        context.output.json({**root, "not_after": root["not_after"].isoformat(), **more})
        if pem:
            context.output.say(text.rstrip("\n"))
            continue
        until = local(root["not_after"])
        rows = [["SHA-256", root["fingerprint"]], ["until", f"{until.day} {until:%b %Y}"], ["server", server.url]]
        if file is not None:
            rows.append(["file", str(file)])
        context.output.say("\n".join([root["name"], *(f"  {line}" for line in columns(rows))]))
    if not pem and context.output.tells_next_steps:
        context.output.note(f"How browsers and systems come to trust it: {page}")


def _roots_in(roots_pem: str) -> list[dict[str, Any]]:
    from cryptography.x509 import load_der_x509_certificate

    from sealwright.cli.fingerprint import fingerprint_of
    from sealwright.cli.key_pair import title_of
    from sealwright.pem import certificates

    found = []
    try:
        for der in certificates(roots_pem.encode()):
            made = load_der_x509_certificate(der)
            fingerprint = fingerprint_of(der)
            found.append({"name": title_of(made), "fingerprint": fingerprint, "not_after": made.not_valid_after_utc, "der": der})
    except ValueError as cause:
        raise CommandFailed("the root that is trusted here cannot be read as a certificate.") from cause
    return found


def _known(context: CommandContext) -> tuple[Server, Path | None]:
    """The server of all other commands, and the file of its root where that is on this machine."""
    from sealwright.cli.server_address import root_file_here

    server = context.server()
    if not server.roots_pem:  # the operating system vouches for its address, so what it tells is its own
        facts = context.connection(signed_in=False).call("GET", "version")
        server = server._replace(roots_pem="".join(facts["roots"]))
    return server, root_file_here(server.roots_pem, context.dependencies.environ)


def _of_home(context: CommandContext, directory: str) -> tuple[Server, Path]:
    from sealwright.cli.server_address import ROOT_FILE, server_at

    if context.choices.url or context.choices.ca or context.choices.fingerprint:
        raise WrongUsage("--dir names a home directory on this machine; --url, --ca and --fingerprint do not go with it.")
    home = home_of(context, directory)
    return server_at(home, context.dependencies.environ), home / ROOT_FILE
