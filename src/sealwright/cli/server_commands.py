"""Commands that work on a server's home directory on this machine. Functions that are passed in do it; this shows it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import click

from sealwright import __version__
from sealwright.cli.commands import CommandGroup, command
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.errors import ExitCode, WrongUsage
from sealwright.cli.formatting import columns, counted, local
from sealwright.cli.home import home_of as _home
from sealwright.cli.home import home_option as _dir
from sealwright.cli.root import TRUST_PAGE
from sealwright.cli.server_side import InitOptions, NewServer, ServingServer

DEFAULT_NAME = "sealwright"
"""What `init` calls the client and the provisioner of `certificate issue`."""


def _is_usual_home(context: CommandContext, home: Path) -> bool:
    """Whether commands find this home without --dir."""
    from sealwright.settings import SettingsRefused

    try:
        return _home(context, None) == home
    except SettingsRefused:  # of a user who has none
        return False


@command(
    "init",
    examples=[
        "sealwright init --name Example",
        "sealwright init --dir /srv/sealwright --name Example --dns id.example.org --people 0.0.0.0:443",
        "sealwright init --name Example --provisioner first --provisioner-password-file password.txt",
    ],
    local=True,
)
@_dir
@click.option("--name", metavar="NAME", help="What the authorities are called: NAME Root CA. Default: Sealwright.")
@click.option("--dns", metavar="HOST", multiple=True, help="Name or address of the server; repeatable. Default: localhost.")
@click.option("--people", metavar="HOST:PORT", help="Where browsers and the API are answered. Default: localhost:8443.")
@click.option("--machines", metavar="HOST:PORT", help="Where step and other machines are answered. Default: localhost:9443.")
@click.option("--status", metavar="HOST:PORT", help="Where health is served, without TLS. Default: localhost:8080.")
@click.option("--provisioner", metavar="NAME", help="Make a first JWK provisioner.")
@click.option("--provisioner-password-file", metavar="FILE", help="Its password; - for standard input.")
@click.option("--no-defaults", is_flag=True, help="Leave out the client and the provisioner that certificate issue uses.")
@pass_context
def init(
    context: CommandContext,
    directory: str | None,
    provisioner: str | None,
    provisioner_password_file: str | None,
    no_defaults: bool,
    **flags: Any,
) -> None:
    """Make a home directory: settings, sealed secrets, database, a root authority and one that issues.

    It never asks anything: what is not said has a default that can be changed in the settings file.

    It also makes a public client and a provisioner, both called sealwright, by which everyone who can sign in here gets a
    certificate: sealwright certificate issue. --no-defaults leaves them out.
    """
    given = {key: flags[flag] for key, flag in _FLAGS.items() if flags[flag] not in (None, ())}
    _require_usable(given)
    password = None
    if provisioner_password_file is not None and provisioner is None:
        raise WrongUsage("--provisioner-password-file goes with --provisioner.")
    if provisioner == DEFAULT_NAME and not no_defaults:
        raise WrongUsage(
            f"--provisioner {provisioner} is what init calls the one that certificate issue uses.",
            hint="Choose another name, or leave that one out with --no-defaults.",
        )
    if provisioner is not None:
        password = context.provisioner_password(provisioner, provisioner_password_file, "--provisioner-password-file")
    home = _home(context, directory)
    _tell_init(
        context,
        context.server_side().init(InitOptions(home, given, provisioner, password, None if no_defaults else DEFAULT_NAME)),
    )


_FLAGS = {"name": "name", "dns_names": "dns", "listen.people": "people", "listen.machines": "machines", "listen.status": "status"}
"""Setting → the flag of `init` that gives it."""


def _require_usable(given: Mapping[str, object]) -> None:
    """Refuse by its flag what a settings file would be refused for: there is none yet that could be looked at."""
    from sealwright.settings import FILE_NAME, SettingsRefused, parse, render

    try:
        parse(render(given), Path(FILE_NAME))
    except SettingsRefused as refusal:
        value = "" if refusal.key == "dns_names" else f" {refusal.value}"
        detail = f"--{_FLAGS[refusal.key]}{value} {refusal.problem}."
        for key, flag in _FLAGS.items():
            detail = detail.replace(key, f"--{flag}") if "." in key else detail
        raise WrongUsage(detail, hint="See: sealwright init --help") from refusal


def _tell_init(context: CommandContext, report: NewServer) -> None:
    output = context.output
    fingerprint = report.root_fingerprint
    bootstrap = f"step ca bootstrap --ca-url {report.machines_url} --fingerprint {fingerprint}"
    output.done(f"Home         {_tilde(context, report.home)}")
    root = f"{report.root_name}, {report.root_key}, until {_day(report.root_until)}"
    output.done(f"Root         {root}\n             SHA-256 {fingerprint}\n             {bootstrap}")
    output.done(f"Issuing CA   {report.issuing_name}, until {_day(report.issuing_until)}")
    if report.provisioner:
        output.done(f"Provisioner  {report.provisioner} (JWK)")
    if report.sign_in:
        output.done(f"Sign-in      {report.sign_in} (OIDC), for: sealwright certificate issue")
    output.done(f"Settings     {_tilde(context, report.settings_file)}")
    usual = _is_usual_home(context, report.home)
    where = "" if usual else f" --dir {shlex.quote(str(report.home))}"
    output.say("")
    output.say(f"Next: sealwright serve{where}")
    output.say("The root's key is not needed to issue certificates. When all works, take it off this machine:")
    output.say(f"  sealwright issuer export-root-key{where} --to /media/usb/")
    output.json(
        {
            "home": str(report.home),
            "settings_file": str(report.settings_file),
            "root": {"name": report.root_name, "not_after": report.root_until.isoformat(), "fingerprint": fingerprint},
            "issuing": {"name": report.issuing_name, "not_after": report.issuing_until.isoformat()},
            "machines_url": report.machines_url,
            "provisioner": report.provisioner,
            "sign_in": report.sign_in,
        }
    )


def _day(moment: datetime) -> str:
    moment = local(moment)
    return f"{moment.day} {moment:%b %Y}"


def _tilde(context: CommandContext, path: Path) -> str:
    user = context.dependencies.environ.get("HOME")
    return str(Path("~", path.relative_to(user))) if user and path.is_relative_to(user) else str(path)


def _typed(context: CommandContext, path: Path) -> str:
    """A path as a shell takes it; it leaves a tilde within quotes as it is."""
    quoted = shlex.quote(str(path))
    return _tilde(context, path) if quoted == str(path) else quoted


@command(
    "serve",
    examples=["sealwright serve", "sealwright serve --dir /srv/sealwright"],
    local=True,
)
@_dir
@pass_context
def serve(context: CommandContext, directory: str | None) -> None:
    """Start the server. SIGHUP reads the settings again; SIGTERM lets running requests end, then stops.

    Once it serves it prints its addresses and, while there is no administrator, a link that makes the first. It works once.
    """
    context.heading = "Cannot start"
    context.server_side().serve(_home(context, directory), partial(_tell_serve, context))


_USES = {
    "people": "sign in, pages, API",
    "machines": "step and other machines",
    "status": "health, certificates of the authorities",
}


def _tell_serve(context: CommandContext, report: ServingServer) -> None:
    output = context.output
    context.heading = ""  # it has started
    lines = [f"Sealwright {__version__} · {report.database} · {counted(report.workers, 'worker')}"]
    lines += columns([[f"  {listener:<9}", report.urls[listener], use] for listener, use in _USES.items()])
    if report.welcome:
        where = f" --dir {_typed(context, report.home)}"
        lines.append(f"No administrator yet. Open within an hour: {report.welcome}")
        lines.append(f"  or set a password here: sealwright recover-account admin{where}")
        lines.append(f"Browsers warn until they trust the root of this server. How: {report.urls['people']}{TRUST_PAGE}")
        lines.append(f"  Its fingerprint: sealwright root{where}")
    output.say("\n".join(lines))
    until = report.welcome_until and report.welcome_until.isoformat()
    output.json(
        {
            "version": __version__,
            "home": str(report.home),
            "database": report.database,
            "workers": report.workers,
            "pid": os.getpid(),
            "urls": dict(report.urls),
            "welcome": {"url": report.welcome, "not_after": until} if report.welcome else None,
        }
    )


@command(
    "doctor",
    examples=["sealwright doctor", "sealwright doctor --dir /srv/sealwright -o json"],
    local=True,
)
@_dir
@pass_context
def doctor(context: CommandContext, directory: str | None) -> int:
    """Check a home directory, and say what is wrong and what to do about it. Exit code 1 when something is."""
    output = context.output
    home = _home(context, directory)
    findings = context.server_side().doctor(home)
    for each in findings:
        output.json({"subject": each.subject, "ok": each.ok, "detail": each.detail, "hint": each.hint})
        output.finding(f"{each.subject:<19} {each.detail}", ok=each.ok)
        if each.hint and not each.ok:
            output.say(f"  {each.hint}")
    wrong = sum(not each.ok for each in findings)
    if wrong:
        output.note(f"{counted(wrong, 'thing')} to put right in {home}.")
    return ExitCode.FAILED if wrong else ExitCode.DONE


@command(
    "recover-account",
    examples=["sealwright recover-account idm_admin", "sealwright recover-account admin --password-file admin.pw"],
    local=True,
)
@click.argument("name")
@click.option("--password-file", metavar="FILE", help="The password; - for standard input. Default: one is made up and printed.")
@click.option("--keep-certificates", is_flag=True, help="Leave the account's certificates valid. Default: they are revoked.")
@_dir
@pass_context
def recover_account(
    context: CommandContext, name: str, password_file: str | None, keep_certificates: bool, directory: str | None
) -> None:
    """Set an account's password from the server's shell, and let it sign in again. Its sessions and certificates end."""
    given = None if password_file is None else context.password(password_file, "")
    recover = context.server_side().recover_account
    password, ended = recover(_home(context, directory), name, given, not keep_certificates)
    if ended:
        context.output.note(f"Ended: {counted(ended, 'certificate')}.")
    if given is None:
        context.output.say(f"Password of {name}: {password}")
        context.output.note("It is shown only now.")
        context.output.json({"name": name, "password": password, "certificates_ended": ended})
        return
    context.output.confirm(f"{name} has a new password")
    context.output.json({"name": name, "certificates_ended": ended})


@command("recover-approval", examples=["sealwright recover-approval profile:step_leaf"], local=True)
@click.argument("guarded", metavar="OBJECT")
@_dir
@pass_context
def recover_approval(context: CommandContext, guarded: str, directory: str | None) -> None:
    """Remove an approval rule from the server's shell, where those whom it asks are gone. It is on record."""
    context.server_side().recover_approval(_home(context, directory), guarded)
    context.output.confirm(f"{guarded} asks for no approval any more")
    context.output.json({"object": guarded, "removed": True})


issuer = CommandGroup("issuer", help="The authorities that sign certificates.")


@command(
    "export-root-key",
    examples=["sealwright issuer export-root-key --to /media/usb/"],
    local=True,
)
@click.option("--to", "target", metavar="DIRECTORY", type=click.Path(path_type=Path), required=True, help="Where the file goes.")
@_dir
@pass_context
def export_root_key(context: CommandContext, target: Path, directory: str | None) -> None:
    """Move the root's private key out of the home directory into a file, to be kept elsewhere.

    The server goes on issuing without it. It is needed again when the issuing authority is to be followed by another.
    """
    file = context.server_side().export_root_key(_home(context, directory), target)
    context.output.done(f"The root's key is now in {file}, and no longer in the home directory")
    context.output.say("  Keep the file where no network reaches: anyone who has it can sign for all who trust this root.")
    context.output.say(f"  A next issuing CA is made with it: sealwright issuer rotate --root-key {shlex.quote(str(file))}")
    context.output.json({"file": str(file)})


@command(
    "rotate",
    examples=["sealwright issuer rotate", "sealwright issuer rotate --root-key /media/usb/root_ca_key.pem"],
    local=True,
)
@click.option("--root-key", metavar="FILE", help="The root's private key, where it was exported. It is used, and not kept.")
@_dir
@pass_context
def rotate(context: CommandContext, root_key: str | None, directory: str | None) -> None:
    """Make another issuing CA under the root. It signs from now on, also in a server that runs, within 10 seconds.

    Certificates of the one before it stay valid until they expire, and are renewed by the new one. Clients that trust the root
    need nothing; machines that were given the issuing CA's certificate itself need the new one.
    """
    from sealwright.cli.files import typed_path

    key = None if root_key is None else typed_path(root_key)
    report = context.server_side().rotate_issuer(_home(context, directory), key)
    context.output.done(f"Issuing CA   {report.name}, until {_day(report.until)}")
    context.output.say(f"  SHA-256 {report.fingerprint}\n  {report.file}")
    context.output.json(
        {
            "name": report.name,
            "not_after": report.until.isoformat(),
            "fingerprint": report.fingerprint,
            "file": str(report.file),
        }
    )


issuer.add_command(export_root_key)
issuer.add_command(rotate)
