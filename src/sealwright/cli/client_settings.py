"""The verbs of `system oauth2` that only set something on a client: made from the table of client metadata."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import click

from sealwright.cli.commands import Command, command
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.formatting import duration
from sealwright.client_metadata import Row, Verb, VerbEffect, rows


def setting_commands() -> list[Command]:
    """A command for each verb in the table, in its order."""
    return [_command(row, verb) for row in rows().values() for verb in row.declared.verbs]


def setting_aliases() -> dict[str, str]:
    """Other spellings of these, and what they stand for."""
    return {alias: verb.name for row in rows().values() for verb in row.declared.verbs for alias in verb.aliases}


def setting_fields() -> list[tuple[str, str]]:
    """Label and member of everything that is set on a client."""
    return [(row.declared.label, row.name) for row in rows().values()]


def shown_settings(client: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a client from the API, as they are shown to people."""
    return {name: _shown(name, client[name]) for name in rows()}


def _shown(name: str, value: Any) -> Any:
    if name == "jwks" and value is not None:
        return [str(key.get("kid", "without kid")) for key in value["keys"]]
    if not name.endswith("_seconds"):
        return value
    return duration(timedelta(seconds=value)) if value else "none"


def _command(row: Row, verb: Verb) -> Command:
    @command(verb.name, help=verb.doc, examples=_examples(verb))
    @click.argument("name")
    @pass_context
    def run(context: CommandContext, name: str, **given: Any) -> None:
        value = given[verb.argument] if verb.argument else verb.value
        changed = _send(context, name, row, verb, value)
        context.output.confirm(verb.said.format(client=name, value=value))
        context.output.json(changed)

    if verb.argument:
        run.params.insert(1, click.Argument([verb.argument], type=_type_of(row), required=not verb.optional))
    return run


def _examples(verb: Verb) -> list[str]:
    full = f"sealwright system oauth2 {verb.example}"
    return [full, full.rpartition(" ")[0]] if verb.optional else [full]


def _send(context: CommandContext, name: str, row: Row, verb: Verb, value: Any) -> Any:
    connection, path = context.connection(), row.name.replace("_", "-")
    if verb.effect is VerbEffect.ADD:
        return connection.call("POST", "oauth2", "clients", name, path, body={"value": value})
    if verb.effect is VerbEffect.REMOVE:
        return connection.call("DELETE", "oauth2", "clients", name, path, query={"value": value})
    return connection.call("PATCH", "oauth2", "clients", name, body={row.name: value})


def _type_of(row: Row) -> Any:
    if row.choices:
        return click.Choice(row.choices)
    return click.INT if row.type in (int, int | None) else click.STRING
