"""The home directory of a server, as the commands take it that work on one."""

from __future__ import annotations

from pathlib import Path

import click

from sealwright.cli.context import CommandContext

home_option = click.option(
    "--dir",
    "directory",
    metavar="DIRECTORY",
    help="The home directory. Default: SEALWRIGHT_HOME, else ~/.local/share/sealwright.",
)


def home_of(context: CommandContext, directory: str | None) -> Path:
    """The home directory: as given, else of the environment, else the default."""
    from sealwright.settings import home_directory, read_environment

    return home_directory(directory, read_environment(context.dependencies.environ))
