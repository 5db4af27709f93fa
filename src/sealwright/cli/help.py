"""`sealwright help` and `sealwright completion`."""

from __future__ import annotations

import click

from sealwright.cli.commands import command
from sealwright.cli.errors import WrongUsage
from sealwright.cli.invocation import Invocation, pass_invocation


@command("help", examples=["sealwright help", "sealwright help certificate issue", "sealwright help settings"], local=True)
@click.argument("words", metavar="[COMMAND]...", nargs=-1)
@pass_invocation
def help_(invocation: Invocation, words: tuple[str, ...]) -> None:
    """Show help on a command, the same as COMMAND --help. After the word settings, show every setting and its default."""
    if words == ("settings",):
        from sealwright.settings import render

        invocation.output.say(render().rstrip("\n"))
        return
    context = click.get_current_context().find_root()
    found: click.Command = context.command
    for word in words:
        below = found.get_command(context, word) if isinstance(found, click.Group) else None
        if below is None:
            raise WrongUsage(f"there is no command {' '.join(words)!r}.", hint="See all with: sealwright help")
        found = below
        context = click.Context(found, info_name=found.name, parent=context)
    invocation.output.say(found.get_help(context))


@command("completion", examples=["sealwright completion bash", "sealwright completion fish"], local=True)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@pass_invocation
def completion(invocation: Invocation, shell: str) -> None:
    """Print what makes a shell complete commands and options: append it to the start file of the shell, such as ~/.bashrc."""
    from click.shell_completion import get_completion_class

    root = click.get_current_context().find_root()
    chosen = get_completion_class(shell)
    if chosen is not None:
        # not source(): it first runs the shell to look at its version, also where that shell is not installed
        made = chosen(root.command, {}, "sealwright", "_SEALWRIGHT_COMPLETE")
        invocation.output.say((made.source_template % made.source_vars()).rstrip("\n"))
