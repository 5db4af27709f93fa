"""`sealwright` and ``python -m sealwright``: the one place where the command meets the server's own code."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sealwright.cli import run

if TYPE_CHECKING:
    from sealwright.cli.server_commands import ServerSide


def _server_side() -> ServerSide:
    from sealwright.cli.server_commands import ServerSide
    from sealwright.server import commands

    return ServerSide(
        init=commands.init,
        serve=commands.serve,
        doctor=commands.doctor,
        recover_account=commands.recover_account,
        export_root_key=commands.export_root_key,
    )


def main() -> None:
    """Run the command that the process was started with."""
    sys.exit(run(sys.argv[1:], server_side=_server_side))


if __name__ == "__main__":
    main()
