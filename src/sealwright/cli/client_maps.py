"""The verbs of `system oauth2` about what groups bring at a client: scopes, and claims."""

from __future__ import annotations

from typing import Any

import click

from sealwright.cli.commands import Command, command
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.formatting import listed

_CLIENTS = ("oauth2", "clients")
MAP_ALIASES = {
    "create-sup-scope-map": "update-sup-scope-map",
    "create-claim-map": "update-claim-map",
}


def shown_maps(client: dict[str, Any]) -> dict[str, Any]:
    """The maps of a client from the API, as they are shown to people."""
    return {
        "scopes": _scopes(client["scope_maps"]),
        "supplementary_scopes": _scopes(client["supplementary_scope_maps"]),
        "claims": [
            f"{one['claim']} ({one['join']}): {each['group']}: {' '.join(each['values'])}"
            for one in client["claim_maps"]
            for each in one["groups"]
        ],
    }


def _scopes(maps: list[dict[str, Any]]) -> list[str]:
    return [f"{each['group']}: {' '.join(each['scopes'])}" for each in maps]


@command(
    "set-implicit-scopes",
    examples=["sealwright system oauth2 set-implicit-scopes wiki openid profile email"],
)
@click.argument("name")
@click.argument("scopes", nargs=-1)
@pass_context
def set_implicit_scopes(context: CommandContext, name: str, scopes: tuple[str, ...]) -> None:
    """Say which scopes every account may be asked for. Replaces those before; without SCOPES there are none.

    It is the same as a scope map for the group idm_all_accounts.
    """
    done = f"Every account may use {' '.join(scopes) if scopes else 'no scope by itself'} at {name}"
    context.change("PUT", *_CLIENTS, name, "implicit-scopes", body={"scopes": list(scopes)}, done=done)


@command(
    "update-sup-scope-map",
    examples=["sealwright system oauth2 update-sup-scope-map wiki wiki_editors edit"],
)
@click.argument("name")
@click.argument("group")
@click.argument("scopes", nargs=-1, required=True)
@pass_context
def update_sup_scope_map(context: CommandContext, name: str, group: str, scopes: tuple[str, ...]) -> None:
    """Say which scopes the members of a group get beside those that the application asks for. Replaces what the group had."""
    done = f"Members of {group} also get {' '.join(scopes)} at {name}"
    context.change("PUT", *_CLIENTS, name, "supplementary-scope-maps", group, body={"scopes": list(scopes)}, done=done)


@command(
    "delete-sup-scope-map",
    examples=["sealwright system oauth2 delete-sup-scope-map wiki wiki_editors"],
)
@click.argument("name")
@click.argument("group")
@pass_context
def delete_sup_scope_map(context: CommandContext, name: str, group: str) -> None:
    """Take a group's supplementary scopes away."""
    done = f"Members of {group} get no supplementary scopes at {name} any more"
    context.change("DELETE", *_CLIENTS, name, "supplementary-scope-maps", group, done=done)


@command(
    "update-claim-map",
    examples=["sealwright system oauth2 update-claim-map wiki roles wiki_admins admin editor"],
)
@click.argument("name")
@click.argument("claim")
@click.argument("group")
@click.argument("values", nargs=-1, required=True)
@pass_context
def update_claim_map(context: CommandContext, name: str, claim: str, group: str, values: tuple[str, ...]) -> None:
    """Say which values the members of a group have in a claim of this client's tokens. Replaces what the group had.

    Someone in several groups has the values of all of them.
    """
    done = f"Members of {group} have {listed(values)} in the claim {claim} at {name}"
    context.change("PUT", *_CLIENTS, name, "claim-maps", claim, "groups", group, body={"values": list(values)}, done=done)


@command(
    "update-claim-map-join",
    examples=["sealwright system oauth2 update-claim-map-join wiki roles csv"],
)
@click.argument("name")
@click.argument("claim")
@click.argument("join", type=click.Choice(["csv", "ssv", "array"]))
@pass_context
def update_claim_map_join(context: CommandContext, name: str, claim: str, join: str) -> None:
    """Say how the values of a mapped claim are written: as an array, or as one text with commas (csv) or spaces (ssv)."""
    done = f"The claim {claim} is written as {join} at {name}"
    context.change("PUT", *_CLIENTS, name, "claim-maps", claim, "join", body={"join": join}, done=done)


@command(
    "delete-claim-map",
    examples=["sealwright system oauth2 delete-claim-map wiki roles wiki_admins"],
)
@click.argument("name")
@click.argument("claim")
@click.argument("group")
@pass_context
def delete_claim_map(context: CommandContext, name: str, claim: str, group: str) -> None:
    """Take a group's values of a claim away."""
    done = f"Members of {group} have nothing in the claim {claim} at {name} any more"
    context.change("DELETE", *_CLIENTS, name, "claim-maps", claim, "groups", group, done=done)


MAP_COMMANDS: tuple[Command, ...] = (
    set_implicit_scopes,
    update_sup_scope_map,
    delete_sup_scope_map,
    update_claim_map,
    update_claim_map_join,
    delete_claim_map,
)
