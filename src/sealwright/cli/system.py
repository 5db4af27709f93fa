"""`sealwright system oauth2`: OAuth clients. Verbs and their order of arguments are those that kanidm's users know."""

from __future__ import annotations

from typing import Any

import click

from sealwright.cli.client_authentication import set_authentication
from sealwright.cli.client_maps import MAP_ALIASES, MAP_COMMANDS, shown_maps
from sealwright.cli.client_secrets import secret_commands
from sealwright.cli.client_settings import setting_aliases, setting_commands, setting_fields, shown_settings
from sealwright.cli.commands import CommandGroup, command
from sealwright.cli.confirmation import ask_about_client
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.formatting import parsed, stamp
from sealwright.cli.oauth_issuers import issuer, set_issuer, shown_key
from sealwright.cli.registration_tokens import registration_token
from sealwright.cli.trusted_issuers import trusted_issuer
from sealwright.client_metadata import PROFILES, asked_of, library_settings

system = CommandGroup("system", help="OAuth clients.")

oauth2 = CommandGroup(
    "oauth2",
    help="Applications that sign people in here.",
    aliases={
        "create-scope-map": "update-scope-map",
        **setting_aliases(),
        **MAP_ALIASES,
    },
)

_FIELDS = (
    *setting_fields(),
    ("scopes", "scopes"),
    ("supplementary", "supplementary_scopes"),
    ("claims", "claims"),
    ("issuer", "issuer_url"),
    ("shared issuer", "issuer"),
    ("discovery", "discovery_url"),
    ("created", "created"),
    ("keys", "keys"),
    ("the application", "asks"),
    ("to be set in", "libraries"),
)


def _shown(value: dict[str, Any]) -> dict[str, Any]:
    return {**value, **shown_settings(value), **shown_maps(value), "created": stamp(parsed(value["created_at"]))}


_profile_option = click.option(
    "--profile",
    type=click.Choice(tuple(PROFILES)),
    default="oauth2.1",
    show_default=True,
    help="What is asked of the application: oauth2.1 (PKCE, ES256), or classic OpenID Connect (PKCE if it likes, RS256).",
)


_issuer_option = click.option(
    "--issuer", metavar="NAME", help="The issuer that it shares with other clients. Without, it has an issuer of its own."
)


def _create(context: CommandContext, kind: str, name: str, display_name: str, origin: str, **options: Any) -> None:
    body = {"kind": kind, "name": name, "display_name": display_name, "landing_url": origin, **options}
    made = context.connection().call("POST", "oauth2", "clients", body=body)
    context.output.confirm(f"Created {made['name']}, a {made['kind']} client")
    if context.output.tells_next_steps:
        context.output.note("Next, say where it is answered and whose members may use it:")
        where = "http://127.0.0.1/callback" if kind == "public" else f"{origin.rstrip('/')}/CALLBACK"
        context.output.note(f"  sealwright system oauth2 add-redirect-url {name} {where}")
        context.output.note(f"  sealwright system oauth2 update-scope-map {name} GROUP openid email")
    context.output.json(made)


@command(
    "create",
    examples=['sealwright system oauth2 create wiki "The wiki" https://wiki.example.org'],
)
@click.argument("name")
@click.argument("display_name")
@click.argument("origin")
@_profile_option
@_issuer_option
@pass_context
def create(context: CommandContext, name: str, display_name: str, origin: str, **options: Any) -> None:
    """Create a confidential client: an application that can keep a secret."""
    _create(context, "confidential", name, display_name, origin, **options)


@command(
    "create-public",
    examples=["sealwright system oauth2 create-public step-ca Step-CA https://ca.example.org"],
)
@click.argument("name")
@click.argument("display_name")
@click.argument("origin")
@_profile_option
@_issuer_option
@pass_context
def create_public(context: CommandContext, name: str, display_name: str, origin: str, **options: Any) -> None:
    """Create a public client: an application on people's own machines, which has no secret and always uses PKCE."""
    _create(context, "public", name, display_name, origin, **options)


@command("get", examples=["sealwright system oauth2 get step-ca"])
@click.argument("name")
@pass_context
def get(context: CommandContext, name: str) -> None:
    """Show a client."""
    value = context.connection().call("GET", "oauth2", "clients", name)
    keys = context.connection().call("GET", "oauth2", "clients", name, "keys")["items"]
    if context.output.as_json:
        context.output.record({**value, "keys": keys}, _FIELDS)
        return
    libraries = [f"{library}: {text}" for library, text in library_settings(value, name)]
    more = {"keys": [shown_key(key) for key in keys], "asks": list(asked_of(value)), "libraries": libraries}
    context.output.record({**_shown(value), **more}, _FIELDS)


@command("list", examples=["sealwright system oauth2 list"])
@pass_context
def list_(context: CommandContext) -> None:
    """List clients."""
    values = context.connection().pages("oauth2", "clients")
    fields = (("NAME", "name"), ("DISPLAY NAME", "display_name"), ("KIND", "kind"), ("LANDING URL", "landing_url"))
    context.output.table(
        values,
        fields,
        empty="There are no clients. Create one with: sealwright system oauth2 create-public NAME DISPLAY_NAME URL",
    )


@command(
    "delete",
    examples=["sealwright system oauth2 delete wiki", "sealwright system oauth2 delete wiki --even-if-used --yes"],
    asks_first=True,
)
@click.argument("name")
@click.option("--even-if-used", is_flag=True, help="Also when a provisioner trusts the client.")
@pass_context
def delete(context: CommandContext, name: str, even_if_used: bool) -> None:
    """Delete a client. What it was given stops working at once.

    A client that a provisioner trusts is deleted only with --even-if-used.
    """
    ask_about_client(context, name, even_if_used=even_if_used)
    query = {"even_if_used": "true"} if even_if_used else None
    context.connection().call("DELETE", "oauth2", "clients", name, query=query)
    context.output.confirm(f"Deleted client {name}")
    context.output.json({"name": name, "deleted": True})


@command(
    "update-scope-map",
    examples=["sealwright system oauth2 update-scope-map step-ca step-ca_users openid email"],
)
@click.argument("name")
@click.argument("group")
@click.argument("scopes", nargs=-1, required=True)
@pass_context
def update_scope_map(context: CommandContext, name: str, group: str, scopes: tuple[str, ...]) -> None:
    """Say which scopes the members of a group may be asked for. Replaces what the group had."""
    done = f"Members of {group} may use {' '.join(scopes)} at {name}"
    changed = context.change("PUT", "oauth2", "clients", name, "scope-maps", group, body={"scopes": list(scopes)}, done=done)
    if all("openid" not in each["scopes"] for each in changed["scope_maps"]):
        context.output.note(
            f"No group has the scope openid at {name}, which every application that signs people in asks for. Add it with:\n"
            f"  sealwright system oauth2 update-scope-map {name} {group} openid {' '.join(scopes)}"
        )


@command(
    "delete-scope-map",
    examples=["sealwright system oauth2 delete-scope-map step-ca step-ca_users"],
)
@click.argument("name")
@click.argument("group")
@pass_context
def delete_scope_map(context: CommandContext, name: str, group: str) -> None:
    """Take a group's scopes away."""
    done = f"Members of {group} have no scopes at {name} any more"
    context.change("DELETE", "oauth2", "clients", name, "scope-maps", group, done=done)


for each in (
    create,
    create_public,
    get,
    list_,
    delete,
    set_authentication,
    *setting_commands(),
    update_scope_map,
    delete_scope_map,
    *MAP_COMMANDS,
    *secret_commands,
    set_issuer,
    issuer,
    registration_token,
    trusted_issuer,
):
    oauth2.add_command(each)
system.add_command(oauth2)
