"""`sealwright certificate preview`: what would be issued for a signing request, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sealwright.cli.certificate_content import CONTENT_FIELDS, content_in_words
from sealwright.cli.commands import command
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.errors import ExitCode
from sealwright.cli.files import read_bytes

_FIELDS = (
    ("verdict", "verdict"),
    ("that is", "detail"),
    *CONTENT_FIELDS,
    ("bytes", "bytes"),
    ("before", "previous"),
    ("different", "different"),
    ("careful", "warnings"),
    ("because", "reasons"),
    ("hint", "hint"),
)


@command(
    "preview",
    examples=[
        "sealwright certificate preview web.csr --provisioner sites",
        "sealwright certificate preview web.csr --provisioner sites --not-after 2026-12-31T00:00:00Z",
    ],
)
@click.argument("csr", metavar="CSR")
@click.option("--provisioner", metavar="NAME", required=True, help="Who would vouch for the names.")
@click.option("--not-before", metavar="TIME", help="Begin of validity (RFC 3339).")
@click.option("--not-after", metavar="TIME", help="End of validity (RFC 3339).")
@pass_context
def preview(context: CommandContext, csr: str, provisioner: str, not_before: str | None, not_after: str | None) -> int:
    """Show what would be issued for a signing request, and why. No key is used, and nothing is recorded.

    CSR is a file in PEM; - reads standard input. Exit code 0 unless it would be refused, then 1.
    """
    text = context.dependencies.stdin.read() if csr == "-" else read_bytes(Path(csr)).decode("utf-8", "replace")
    body = {"csr": text, "provisioner": provisioner, "not_before": not_before, "not_after": not_after}
    value = context.connection().call("POST", "certificate-requests", "preview", body=body)
    context.output.record(value if context.output.as_json else _in_words(value), _FIELDS)
    return ExitCode.FAILED if value["verdict"] == "block" else ExitCode.DONE


def _in_words(value: dict[str, Any]) -> dict[str, Any]:
    content = value["content"]
    if content is None:
        return value
    said = content_in_words(content)
    return {
        **content,
        **value,
        **said,
        "bytes": f"{said['bytes']}, but for the serial number and the moment",
        "previous": content["previous"] or "none with these names that you may see",
    }
