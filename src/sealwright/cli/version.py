"""`sealwright version`."""

from __future__ import annotations

from sealwright import __version__
from sealwright.cli.commands import command
from sealwright.cli.invocation import Invocation, pass_invocation


@command("version", examples=["sealwright version"], local=True)
@pass_invocation
def version(invocation: Invocation) -> None:
    """Print the version."""
    invocation.output.say(f"Sealwright {__version__}")
    invocation.output.json({"version": __version__})
