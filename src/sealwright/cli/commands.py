"""The parts that commands are made of: a command with examples and the options of all commands, and a group that loads late."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from sealwright.cli.context import CommandContext

_WHOLE_LINE = 200
_KEY_ID = re.compile(r"-[A-Za-z0-9_-]{42}")
"""A thumbprint (RFC 7638) that begins with a hyphen, as one in 64 does."""
ASKS_FIRST = "At a terminal it says what will end, and asks; --yes goes on without, and so does a script, which has no terminal."


def _choose(member: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
        if value is None or value is False:
            return
        if value == "":  # from a variable that is not set; the default would be another value
            raise click.BadParameter("it is empty.", ctx, parameter)
        context = ctx.find_object(CommandContext)
        if context is None:
            return
        if member == "output":
            context.output.as_json = value == "json"
        else:
            setattr(context.choices, member, value)

    return callback


def global_options(*, hidden: bool, local: bool = False) -> list[click.Parameter]:
    """Fresh copies of the options that every command takes; `local` leaves out those about a server."""

    def option(*names: str, member: str, **more: Any) -> click.Option:
        return click.Option(
            names, expose_value=False, hidden=hidden, callback=_choose(member), is_eager=member in ("output", "debug"), **more
        )

    formats = click.Choice(["text", "json"])
    common = [
        option("-o", "--output", "output_", member="output", type=formats, help="How results are written."),
        option("--yes", "yes_", member="yes", is_flag=True, help="Do not ask before something is deleted, revoked or ended."),
        option("--debug", "debug_", member="debug", is_flag=True, help="Show the trace of a failure."),
    ]
    if local:
        return list(common)
    url = "The server. Default: SEALWRIGHT_URL, the last sign-in, or the one on this machine."
    ca = "Roots to trust for it, as PEM. Default: SEALWRIGHT_CA."
    return [
        option("-H", "--url", "url_", member="url", metavar="URL", help=url),
        option("-C", "--ca", "ca_", member="ca", metavar="FILE", help=ca),
        option("-D", "--name", "name_", member="name", metavar="NAME", help="Who to act as. Default: the last who signed in."),
        *common,
    ]


fingerprint_option = click.option(
    "--fingerprint",
    metavar="SHA256",
    expose_value=False,
    callback=_choose("fingerprint"),
    help="Fingerprint of the server's root, in place of --ca: fetches the root, compares, and trusts it from then on.",
)
"""For commands that are the first contact with a server."""


class Command(click.Command):
    """A command whose help ends with examples, and which takes the global options."""

    def __init__(self, *args: Any, examples: Sequence[str], local: bool = False, asks_first: bool = False, **more: Any) -> None:
        """`asks_first`: at a terminal it says what will end, and goes on only after a confirmation."""
        super().__init__(*args, **more)
        self.examples = tuple(examples)
        if asks_first and self.help:
            self.help = f"{self.help}\n\n{ASKS_FIRST}"
        self.params = [*self.params, *global_options(hidden=True, local=local)]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments; the id of a key may begin with a hyphen and is not an option."""
        return super().parse_args(ctx, _key_ids_last(args))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples."""
        with formatter.section("Examples" if len(self.examples) > 1 else "Example"):
            for example in self.examples:
                formatter.write(f"{'':>{formatter.current_indent}}{example}\n")
        super().format_epilog(ctx, formatter)


def _key_ids_last(args: list[str]) -> list[str]:
    """The arguments with ids of keys that begin with a hyphen moved behind `--`, so that they are not read as options."""
    ids = [] if "--" in args else [each for each in args if _KEY_ID.fullmatch(each)]
    return [*(each for each in args if each not in ids), "--", *ids] if ids else args


def command(name: str, *, examples: Sequence[str], **more: Any) -> Callable[[Callable[..., Any]], Command]:
    """Make a function a `Command`."""

    def decorate(function: Callable[..., Any]) -> Command:
        made = click.command(name, cls=Command, examples=examples, **more)(function)
        assert isinstance(made, Command)  # noqa: S101 - tells the type checker what `cls` made
        return made

    return decorate


class CommandGroup(click.Group):
    """Commands about one noun. Underscores may stand for hyphens, and older spellings for newer ones."""

    def __init__(
        self,
        *args: Any,
        aliases: Mapping[str, str] | None = None,
        meant: Mapping[str, str] | None = None,
        top: bool = False,
        **more: Any,
    ) -> None:
        """`aliases`: other spelling → name. `meant`: wrong word → command. `top`: the options of all are shown here."""
        super().__init__(*args, **more)
        self.aliases = dict(aliases or {})
        self.meant = dict(meant or {})
        self.params = [*self.params, *global_options(hidden=not top)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        spelled = cmd_name.replace("_", "-")
        return super().get_command(ctx, self.aliases.get(spelled, spelled))

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click hands it in
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write every command with its whole first sentence."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, each.get_short_help_str(_WHOLE_LINE)) for name, each in found if each])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            raise click.UsageError(f"no such command {args[0]!r}{self._nearest(ctx, args[0])}.", ctx)
        _, found, rest = super().resolve_command(ctx, args)
        return (found.name if found else None), found, rest

    def _nearest(self, ctx: click.Context, name: str) -> str:
        from difflib import get_close_matches

        if name in self.meant:
            return f"; perhaps {self.meant[name]!r} was meant"
        close = get_close_matches(name.replace("_", "-"), [*self.list_commands(ctx), *self.aliases], n=1)
        return f"; perhaps {close[0]!r} was meant" if close else ""


class LazyGroup(CommandGroup):
    """A group whose commands are named here and loaded when they are used, so that help and start are quick."""

    def __init__(self, *args: Any, commands_in: Mapping[str, tuple[str, str]], **more: Any) -> None:
        """`commands_in`: name → place as ``module:attribute``, and the line that help shows."""
        super().__init__(*args, **more)
        self.commands_in = dict(commands_in)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click hands it in
        return list(self.commands_in)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click hands it in
        spelled = cmd_name.replace("_", "-")
        name = self.aliases.get(spelled, spelled)
        if name not in self.commands_in:
            return None
        module, _, attribute = self.commands_in[name][0].partition(":")
        loaded: click.Command = getattr(importlib.import_module(module), attribute)
        return loaded

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click hands it in
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self.commands_in.items()])
