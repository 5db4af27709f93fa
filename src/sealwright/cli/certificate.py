"""`sealwright certificate`."""

from __future__ import annotations

import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sealwright.cli.certificate_preview import preview
from sealwright.cli.commands import CommandGroup, command, fingerprint_option
from sealwright.cli.confirmation import ask_about_certificate, ask_first
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.durations import days_as_hours
from sealwright.cli.errors import WrongUsage
from sealwright.cli.formatting import duration, listed, parsed, stamp, until

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from sealwright.cli.step_wire import Authority

certificate = CommandGroup("certificate", help="Certificates: issue, inspect, renew, list, revoke.")

REASONS = {
    "unspecified": 0,
    "keyCompromise": 1,
    "cACompromise": 2,
    "affiliationChanged": 3,
    "superseded": 4,
    "cessationOfOperation": 5,
    "certificateHold": 6,
    "privilegeWithdrawn": 9,
    "aACompromise": 10,
}
"""Reason → its code (RFC 5280, section 5.3.1)."""

_ca_url = click.option("--ca-url", metavar="URL", help="The certificate authority. Default: the one that the server names.")
_FIELDS = (
    ("serial", "serial"),
    ("state", "state"),
    ("subject name", "subject_name"),
    ("names", "names_text"),
    ("person", "person"),
    ("provisioner", "provisioner"),
    ("profile", "profile"),
    ("issuer", "issuer"),
    ("valid from", "from"),
    ("valid until", "until"),
    ("revoked", "revoked"),
    ("renewed from", "renewed_from"),
    ("how it came about", "story"),
)


def authority_of(context: CommandContext, ca_url: str | None, files: tuple[Path, Path] | None = None) -> Authority:
    """The certificate authority to ask, with the roots to trust it by. `files`: certificate and key to show."""
    from sealwright.cli.server_address import given_roots_pem, known_server
    from sealwright.cli.step_wire import Authority

    choices, environ = context.choices, context.dependencies.environ
    if ca_url and choices.fingerprint:
        url = ca_url if "://" in ca_url else f"https://{ca_url}"
        roots = context.root_at(url)
    elif ca_url:
        known = known_server(choices.url, choices.ca, environ)
        url, roots = ca_url, known.roots_pem if known else given_roots_pem(choices.ca, environ)
    else:
        server = context.server()
        url, roots = server.machines_url, server.roots_pem
        if choices.fingerprint:
            context.saved_sessions().trusted(server.url, roots)
    if not url:
        facts = context.connection(signed_in=False).call("GET", "version")
        url, roots = facts["urls"]["machines"], roots or "".join(facts["roots"])
    if "://" not in url:
        url = f"https://{url}"
    if not url.startswith("https://"):
        raise WrongUsage(f"--ca-url {url} is not an https:// address.")
    return Authority("/".join(url.split("/", 3)[:3]), roots, context.dependencies, files)


@command(
    "issue",
    examples=[
        "sealwright certificate issue",
        "sealwright certificate issue --url https://id.example.org:8443 --fingerprint 4f1e07aa…",
        "sealwright certificate issue alice@example.org alice.crt alice.key --provisioner kanidm",
        "sealwright certificate issue web.example.org --provisioner first --provisioner-password-file password.txt",
    ],
)
@click.argument("subject", required=False)
@click.argument("crt", required=False)
@click.argument("key", required=False)
@click.option(
    "--provisioner", metavar="NAME", help="Who vouches for you. Default: the only one of type OIDC, or JWK with a password file."
)
@click.option("--provisioner-password-file", metavar="FILE", help="Password of a JWK provisioner; - for standard input.")
@click.option("--san", "names", metavar="NAME", multiple=True, help="A name for the certificate to carry; repeatable.")
@click.option("--not-before", metavar="TIME", default="", help="Begin of validity: a time (RFC 3339) or a duration from now.")
@click.option("--not-after", metavar="TIME", default="", help="End of validity: a time (RFC 3339) or a duration: 8h, 30d.")
@click.option("--kty", "kind", type=click.Choice(["EC", "RSA", "OKP"]), default="EC", show_default=True, help="Kind of key.")
@click.option("--curve", "--crv", metavar="CURVE", help="Curve of an EC key: P-256, P-384 or P-521.")
@click.option("--size", type=int, metavar="BITS", help="Size of an RSA key.")
@click.option("-f", "--force", is_flag=True, help="Overwrite files that are there.")
@click.option("--browser/--no-browser", default=True, help="Open the browser, or only print the address.")
@fingerprint_option
@_ca_url
@pass_context
def issue(context: CommandContext, crt: str | None, key: str | None, ca_url: str | None, **options: Any) -> None:
    """Get a certificate: sign in through the browser, and have a new key certified.

    Without SUBJECT it carries your own names. CRT and KEY are the files to write; without them they are called after the
    name, such as alice.crt and alice.key. Both are readable by you only.
    """
    from sealwright.cli.issue import IssueOptions, obtain

    options |= {each: days_as_hours(options[each]) for each in ("not_before", "not_after")}
    asked = IssueOptions(certificate_file=crt, key_file=key, **options)
    obtained = obtain(context, authority_of(context, ca_url), asked)
    _tell(context, obtained.certificate, obtained.certificate_file, obtained.key_file, new_key=True, wanted=asked.subject)


def _tell(context: CommandContext, made: Certificate, crt: Path, key: Path, *, new_key: bool, wanted: str | None = None) -> None:
    """Say what there is now. `wanted`: the name that was asked for first."""
    from sealwright.cli.certificate_text import as_json
    from sealwright.cli.key_pair import names_of, title_of

    moment = until(made.not_valid_after_utc, context.dependencies.now())
    title = wanted if wanted and wanted in names_of(made) else title_of(made)
    context.output.done(f"{title}   {moment}")
    width = max(len(str(crt)), len(str(key)))
    context.output.say(f"  {crt!s:<{width}}   certificate and chain")
    if new_key:
        context.output.say(f"  {key!s:<{width}}   private key, readable by you only")
    context.output.json({**as_json(made), "certificate_file": str(crt), "key_file": str(key)})


@command(
    "renew",
    examples=["sealwright certificate renew alice.crt alice.key", "sealwright certificate renew alice.crt --expires-in 4h"],
)
@click.argument("crt", type=click.Path(path_type=Path))
@click.argument("key", type=click.Path(path_type=Path), required=False)
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path), help="Write the new certificate here.")
@click.option("--expires-in", metavar="DURATION", help="Renew only when less than this is left, such as 4h.")
@click.option("-f", "--force", is_flag=True, help="Overwrite the file of --out when it is there.")
@_ca_url
@pass_context
def renew(
    context: CommandContext,
    crt: Path,
    key: Path | None,
    out: Path | None,
    expires_in: str | None,
    force: bool,
    ca_url: str | None,
) -> None:
    """Renew a certificate: the same names and key, a new end. CRT is replaced, unless --out names another file.

    The certificate itself is what proves who asks. KEY is by default the file beside CRT that ends in .key.
    """
    from sealwright.cli.issue import key_file_beside
    from sealwright.cli.renew import due, renewed

    key = key or key_file_beside(crt)
    now = context.dependencies.now()
    left = due(crt, expires_in, now)
    if left is not None:
        context.output.note(f"Not due: {crt} is valid for another {duration(left)}.")
        context.output.json({"renewed": False, "certificate_file": str(crt), "seconds_left": int(left.total_seconds())})
        return
    target = out or crt
    made = renewed(partial(authority_of, context, ca_url), crt, key, target, now, replace=force or target == crt)
    _tell(context, made, target, key, new_key=False)


@command(
    "inspect",
    examples=["sealwright certificate inspect alice.crt", "sealwright certificate inspect alice.crt --short"],
    local=True,
)
@click.argument("file", metavar="FILE")
@click.option("--short", "in_short", is_flag=True, help="Only the essentials.")
@click.option("--bundle", is_flag=True, help="Every certificate in the file, not only the first.")
@pass_context
def inspect(context: CommandContext, file: str, in_short: bool, bundle: bool) -> None:
    """Show what is in a certificate file. Nothing is verified.

    FILE is PEM or DER; - reads standard input.
    """
    from sealwright.cli import certificate_text
    from sealwright.cli.files import read_bytes
    from sealwright.cli.key_pair import read_certificates

    content = context.dependencies.stdin.read().encode() if file == "-" else read_bytes(Path(file))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # oddities of a certificate are for its issuer; what is in it is shown all the same
        for each in read_certificates(content, Path("standard input" if file == "-" else file), only_first=not bundle):
            context.output.say(certificate_text.short(each) if in_short else certificate_text.long(each))
            context.output.json(certificate_text.as_json(each))


def _shown(value: dict[str, Any]) -> dict[str, Any]:
    revoked = stamp(parsed(value["revoked_at"])) if value["revoked_at"] else ""
    return {
        **value,
        "names_text": [each["value"] for each in value["names"]],
        "title": value["names"][0]["value"] if value["names"] else value["subject_name"],
        "from": stamp(parsed(value["not_before"])),
        "until": stamp(parsed(value["not_after"])),
        "story": f"sealwright audit list --target certificate:{value['serial']}",
        "revoked": f"{revoked} ({value['revocation_reason']})" if revoked else "",
    }


@command(
    "list",
    examples=[
        "sealwright certificate list",
        "sealwright certificate list --san web.example.org",
        "sealwright certificate list --san .example.org",
        "sealwright certificate list --person alice -o json",
    ],
)
@click.option("--san", "san", metavar="NAME", help="Only those that hold this name, or any that ends in .DOMAIN or @DOMAIN.")
@click.option("--person", metavar="NAME", help="Only those that speak for this person.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="At most this many.")
@pass_context
def list_(context: CommandContext, san: str | None, person: str | None, limit: int | None) -> None:
    """List certificates, newest first: your own, or all of them when you may see them.

    In JSON, here and in every other answer, serial is the number in hexadecimal, and serial_decimal the same as step writes it.
    """
    from itertools import islice

    query = {key: value for key, value in (("name", san), ("person", person)) if value}
    values = islice(context.connection().pages("certificates", query=query or None), limit)
    fields = (("SERIAL", "serial"), ("NAME", "title"), ("PERSON", "person"), ("STATE", "state"), ("UNTIL", "until"))
    shown = values if context.output.as_json else map(_shown, values)
    context.output.table(shown, fields, empty=f"{_none(san, person)} Get one with: sealwright certificate issue")


def _none(name: str | None, person: str | None) -> str:
    """Why a list of certificates is empty."""
    if name:
        ends = "a name that ends in" if name.startswith((".", "@")) else "the name"
        return f"No certificate that you may see has {ends} {name}{f' and speaks for {person}' if person else ''}."
    return f"No certificate speaks for {person}." if person else "No certificate speaks for you, and you may not see others."


@command("show", examples=["sealwright certificate show 01a35c0f…"])
@click.argument("serial")
@click.option("--pem", is_flag=True, help="Print the certificate itself.")
@pass_context
def show(context: CommandContext, serial: str, pem: bool) -> None:
    """Show a certificate: whom it speaks for, who vouched for it, and what became of it.

    SERIAL is hexadecimal, as lists show it, with or without 0x and colons; or decimal, as step writes it.
    How it came about, step by step and with the reasons, is in the audit record; the last line says how to read it.
    """
    value = context.connection().call("GET", "certificates", serial)
    if pem and not context.output.as_json:
        if not value["certificate"]:
            raise WrongUsage(f"certificate {serial} was never signed: it is {value['state']}.")
        context.output.say(value["certificate"].rstrip("\n"))
        return
    context.output.record(value if context.output.as_json else _shown(value), _FIELDS)


@command(
    "revoke",
    examples=[
        "sealwright certificate revoke 01a35c0f… --reason keyCompromise",
        "sealwright certificate revoke 01a35c0f… --yes",
        "sealwright certificate revoke --cert alice.crt --key alice.key",
    ],
    asks_first=True,
)
@click.argument("serial", required=False)
@click.option("--cert", "crt", metavar="FILE", type=click.Path(path_type=Path), help="The certificate to revoke.")
@click.option("--key", "key", metavar="FILE", type=click.Path(path_type=Path), help="Its private key.")
@click.option(
    "--reason",
    type=click.Choice(list(REASONS), case_sensitive=False),
    default="unspecified",
    show_default=True,
    help="Why.",
)
@_ca_url
@pass_context
def revoke(
    context: CommandContext, serial: str | None, crt: Path | None, key: Path | None, reason: str, ca_url: str | None
) -> None:
    """Revoke a certificate: it is not renewed any more. It cannot be undone.

    A server that does not ask this one accepts it until it expires: there are no revocation lists (CRL) and no OCSP yet.

    By SERIAL, as a signed-in person who may; or with --cert and --key, as the holder of the certificate.
    """
    if (serial is None) == (crt is None):
        raise WrongUsage("which certificate is to be revoked?", hint="Pass its SERIAL, or --cert FILE and --key FILE.")
    if serial is not None:
        ask_about_certificate(context, serial)
        value = context.connection().call("POST", "certificates", serial, "revoke", body={"reason": reason})
        names = listed([each["value"] for each in value["names"]]) or value["subject_name"]
        _confirm_revoked(context, value["serial"], names)
        context.output.json(value)
        return
    assert crt is not None  # noqa: S101 - one of the two is given, see above
    from sealwright.cli.certificate_text import serial_of
    from sealwright.cli.files import read_bytes
    from sealwright.cli.issue import key_file_beside
    from sealwright.cli.key_pair import read_certificates, title_of

    held = read_certificates(read_bytes(crt), crt)[0]
    moment = until(held.not_valid_after_utc, context.dependencies.now())
    ask_first(context, "Revoke it? It cannot be undone.", lambda: [f"{serial_of(held)} ({title_of(held)}), {moment}"])
    authority = authority_of(context, ca_url, (crt, key or key_file_beside(crt)))
    authority.revoke(str(held.serial_number), REASONS[reason], reason)
    _confirm_revoked(context, serial_of(held), title_of(held))
    context.output.json({"serial": serial_of(held), "serial_decimal": str(held.serial_number), "revoked": True})


def _confirm_revoked(context: CommandContext, serial: str, names: str) -> None:
    context.output.confirm(f"Revoked {serial} ({names}): it is never renewed again")
    if context.output.tells_next_steps:
        context.output.note("A server that does not ask this one accepts it until it expires: there is no CRL or OCSP yet.")


for each in (issue, inspect, renew, list_, show, preview, revoke):
    certificate.add_command(each)
