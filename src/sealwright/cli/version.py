"""`sealwright version`."""

from __future__ import annotations

from sealwright import __version__
from sealwright.cli.commands import command
from sealwright.cli.context import CommandContext, pass_context


@command("version", examples=["sealwright version"], local=True)
@pass_context
def version(context: CommandContext) -> None:
    """Print the version."""
    context.output.say(f"Sealwright {__version__}")
    context.output.json({"version": __version__})
