"""`sealwright mcp`: the tools of this server for an assistant that starts a program and speaks with it (MCP over stdio)."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TextIO

import click

from sealwright.cli.commands import command
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.errors import WrongUsage

if TYPE_CHECKING:
    from sealwright.cli.connection import Connection


@command(
    "mcp", examples=["sealwright mcp", "sealwright mcp --token-file ~/.config/assistant/token", "sealwright mcp --allow-changes"]
)
@click.option("--allow-changes", is_flag=True, help="Offer tools that change something, too. Each asks to be confirmed.")
@click.option("--token-file", metavar="FILE", help="Act by the API token or API key in this file, in place of a sign-in.")
@pass_context
def mcp(context: CommandContext, allow_changes: bool, token_file: str | None) -> None:
    """Offer tools to an assistant that speaks the Model Context Protocol over standard input and output.

    The assistant starts this command by itself: put it into its configuration. It acts as the one who signed in last, or by
    the token in a file, and may do what they may.
    """
    from sealwright import __version__
    from sealwright.clock import SystemClock
    from sealwright.entropy import SystemEntropy
    from sealwright.mcp import LONGEST_MESSAGE, ConfirmTokensInMemory, ToolServer

    connection = context.connection(signed_in=token_file is None)
    if token_file is not None:
        connection.use_token(_token_in(token_file))
    confirm_tokens = ConfirmTokensInMemory(SystemClock(), SystemEntropy()) if allow_changes else None
    server = ToolServer(_Calls(connection), version=__version__, confirm_tokens=confirm_tokens)
    with asyncio.Runner() as runner:
        for line in _lines(context.dependencies.stdin, LONGEST_MESSAGE):
            response = runner.run(server.respond(line))
            if response is not None:
                sys.stdout.write(response.decode() + "\n")
                sys.stdout.flush()


class _Calls:
    """Calls of the tools, over the connection of the command."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def __call__(self, method: str, *path: str, body: Any = None, query: Mapping[str, str] | None = None) -> Any:
        from sealwright.cli.errors import CommandFailed
        from sealwright.mcp import ApiCallFailed

        try:
            return await asyncio.to_thread(self._connection.call, method, *path, body=body, query=query)
        except CommandFailed as failure:
            raise ApiCallFailed(" ".join(filter(None, (failure.detail, *failure.reasons, failure.hint)))) from failure


def _lines(stdin: TextIO, longest: int) -> Iterator[bytes]:
    """Lines that hold something. One that is too long comes cut off, one byte longer than `longest`, and its rest is dropped."""
    while line := stdin.readline(longest + 1):
        whole = line
        while not whole.endswith("\n") and (whole := stdin.readline(longest)):
            pass
        if line.strip():
            yield line.encode(errors="replace")


def _token_in(file: str) -> str:
    from sealwright.cli.files import read_bytes, typed_path

    token = read_bytes(typed_path(file), at_most=4096).decode(errors="replace").strip()
    if not token.isascii() or not token.isprintable() or not token or " " in token:
        raise WrongUsage(f"{file} does not hold a token.", hint="A file with a token has it as its only line.")
    return token
