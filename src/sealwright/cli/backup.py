"""`sealwright backup`: a whole server in one file. Functions that are passed in do the work; this shows it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from sealwright.cli.commands import CommandGroup, command
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.files import typed_path
from sealwright.cli.home import home_of, home_option

if TYPE_CHECKING:
    from sealwright.cli.server_side import BackupSummary

_MEGABYTE = 1_000_000


backup = CommandGroup("backup", help="A whole server in one file: make it, check it, restore it.")


@command(
    "create",
    examples=[
        "sealwright backup create /srv/backups/",
        "sealwright backup create before-upgrade.backup --dir /var/lib/sealwright --with-key",
    ],
    local=True,
)
@click.argument("target", metavar="FILE|DIRECTORY")
@click.option("--with-key", is_flag=True, help="Put the key-encryption key into it, too.")
@home_option
@pass_context
def create(context: CommandContext, target: str, directory: str | None, *, with_key: bool) -> None:
    """Write database, settings, certificates and provisioner files into one file, while the server runs or not.

    The key-encryption key, without which no secret in it can be opened, is left out unless --with-key is given: keep a copy
    of it in another place. Who is signed in is left out, too. In a directory the file gets a name of its own.
    """
    report = context.server_side().create_backup(home_of(context, directory), typed_path(target), with_key)
    _tell(context, report, "Written and read back")
    if report.has_key:
        context.output.say("  The key-encryption key is in it: anyone who reads the file holds every secret of this server.")
    else:
        where = f": {report.key_file}" if report.key_file else ", which is in SEALWRIGHT_KEY"
        context.output.say("  The key-encryption key is not in it, and without the key it cannot be restored.")
        context.output.say(f"  Keep a copy of the key in another place{where}")
    context.output.say(f"  Restore it: {_restore_command(report)}")


@command("check", examples=["sealwright backup check /srv/backups/sealwright-20261122T102000Z.backup"], local=True)
@click.argument("file", metavar="FILE")
@pass_context
def check(context: CommandContext, file: str) -> None:
    """Read a whole backup and say whether anything of it is missing or was changed. Needs no server and no key."""
    _tell(context, context.server_side().check_backup(typed_path(file)), "Whole")


@command(
    "restore",
    examples=[
        "sealwright backup restore last.backup --dir /var/lib/sealwright --key-file key-encryption.key",
        "sealwright backup restore with-key.backup",
    ],
    local=True,
)
@click.argument("file", metavar="FILE")
@click.option("--key-file", metavar="FILE", help="The key-encryption key, unless the backup or SEALWRIGHT_KEY holds it.")
@home_option
@pass_context
def restore(context: CommandContext, file: str, key_file: str | None, directory: str | None) -> None:
    """Make a server of a backup. The home directory and the database must be empty: nothing is ever replaced.

    The whole backup is checked first, and either all of it is restored or nothing. With SEALWRIGHT_DATABASE_URL it goes into
    another database than it came from, also of the other kind. Everyone has to sign in again.
    """
    home = home_of(context, directory)
    key = None if key_file is None else typed_path(key_file)
    report = context.server_side().restore_backup(home, typed_path(file), key)
    _tell(context, report, "Restored")
    where = shlex.quote(str(home))
    context.output.say("  Certificates that were issued after it was made are unknown: they are neither renewed nor revoked.")
    context.output.say(f"Next: sealwright doctor --dir {where} && sealwright serve --dir {where}")


def _tell(context: CommandContext, report: BackupSummary, done: str) -> None:
    size = f"{max(report.size / _MEGABYTE, 0.01):.2f} MB"
    context.output.done(f"{done}: {report.file}")
    context.output.say(f"  {report.server}, {report.made}, {report.rows:,} rows, schema {report.schema}, {size}")
    context.output.json(
        {
            "file": str(report.file),
            "made": report.made,
            "version": report.version,
            "schema": report.schema,
            "server": report.server,
            "rows": report.rows,
            "size": report.size,
            "has_key": report.has_key,
        }
    )


def _restore_command(report: BackupSummary) -> str:
    key = "" if report.has_key else " --key-file KEY"
    return f"sealwright backup restore {shlex.quote(report.file.name)} --dir DIRECTORY{key}"


for each in (create, check, restore):
    backup.add_command(each)
