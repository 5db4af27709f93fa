"""`sealwright help` and `sealwright completion`."""

from __future__ import annotations

import click

from sealwright.cli.commands import command
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.errors import WrongUsage


@command("help", examples=["sealwright help", "sealwright help certificate issue", "sealwright help settings"], local=True)
@click.argument("words", metavar="[COMMAND]...", nargs=-1)
@pass_context
def help_(context: CommandContext, words: tuple[str, ...]) -> None:
    """Show help on a command, the same as COMMAND --help. After the word settings, show every setting and its default."""
    if words == ("settings",):
        from sealwright.settings import render

        context.output.say(render().rstrip("\n"))
        return
    ctx = click.get_current_context().find_root()
    found: click.Command = ctx.command
    for word in words:
        below = found.get_command(ctx, word) if isinstance(found, click.Group) else None
        if below is None:
            raise WrongUsage(f"there is no command {' '.join(words)!r}.", hint="See all with: sealwright help")
        found = below
        ctx = click.Context(found, info_name=found.name, parent=ctx)
    context.output.say(found.get_help(ctx))


@command("completion", examples=["sealwright completion bash", "sealwright completion fish"], local=True)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@pass_context
def completion(context: CommandContext, shell: str) -> None:
    """Print what makes a shell complete commands and options: append it to the start file of the shell, such as ~/.bashrc."""
    from click.shell_completion import get_completion_class

    root = click.get_current_context().find_root()
    chosen = get_completion_class(shell)
    if chosen is not None:
        # not source(): it first runs the shell to look at its version, also where that shell is not installed
        made = chosen(root.command, {}, "sealwright", "_SEALWRIGHT_COMPLETE")
        context.output.say((made.source_template % made.source_vars()).rstrip("\n"))
