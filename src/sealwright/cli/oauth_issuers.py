"""`sealwright system oauth2 issuer`: issuers that clients share, and which client is on which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from sealwright.cli.commands import CommandGroup, command
from sealwright.cli.confirmation import ask_first
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.formatting import parsed, stamp

issuer = CommandGroup("issuer", help="Issuers that several clients share. Without, each client has an issuer of its own.")

_FIELDS = (("name", "name"), ("root", "root"), ("issuer", "issuer_url"), ("discovery", "discovery_url"), ("keys", "keys"))


def shown_key(key: Mapping[str, Any]) -> str:
    """A signing key in one line."""
    signs = "signs" if key["signs"] else "verifies"
    until = f" until {stamp(parsed(key['retires_at']))}" if key["retires_at"] and key["signs"] else ""
    return f"{key['id']} {key['algorithm']}, {signs}{until}"


@command(
    "create",
    examples=["sealwright system oauth2 issuer create team", "sealwright system oauth2 issuer create main --root"],
)
@click.argument("name")
@click.option("--root", is_flag=True, help="Its URL is the server's own, without a path. There is one such issuer at most.")
@pass_context
def create(context: CommandContext, name: str, root: bool) -> None:
    """Create an issuer that clients can share."""
    made = context.connection().call("POST", "oauth2", "issuers", body={"name": name, "root": root})
    context.output.confirm(f"Created the issuer {name}: {made['issuer_url']}")
    if context.output.tells_next_steps:
        context.output.note("Next, put clients on it, each when it is created or afterwards:")
        context.output.note(f"  sealwright system oauth2 create NAME DISPLAY_NAME URL --issuer {name}")
        context.output.note(f"  sealwright system oauth2 set-issuer NAME {name}")
    context.output.json(made)


@command("list", examples=["sealwright system oauth2 issuer list"])
@pass_context
def list_(context: CommandContext) -> None:
    """List the issuers that clients share."""
    context.output.table(
        list(context.connection().pages("oauth2", "issuers")),
        (("NAME", "name"), ("ISSUER", "issuer_url")),
        empty="No clients share an issuer. Create one with: sealwright system oauth2 issuer create NAME",
    )


@command("get", examples=["sealwright system oauth2 issuer get team"])
@click.argument("name")
@pass_context
def get(context: CommandContext, name: str) -> None:
    """Show an issuer that clients share, with its keys."""
    value = context.connection().call("GET", "oauth2", "issuers", name)
    keys = context.connection().call("GET", "oauth2", "issuers", name, "keys")["items"]
    shown = keys if context.output.as_json else [shown_key(key) for key in keys]
    context.output.record({**value, "keys": shown}, _FIELDS)


@command(
    "delete",
    examples=["sealwright system oauth2 issuer delete team", "sealwright system oauth2 issuer delete team --yes"],
    asks_first=True,
)
@click.argument("name")
@pass_context
def delete(context: CommandContext, name: str) -> None:
    """Delete an issuer that no client is on."""
    ask_first(context, f"Delete the issuer {name}?", lambda: ["Its keys are gone then; no client is on it."])
    context.connection().call("DELETE", "oauth2", "issuers", name)
    context.output.confirm(f"Deleted the issuer {name}")
    context.output.json({"name": name, "deleted": True})


@command(
    "rotate-keys",
    examples=[
        "sealwright system oauth2 issuer rotate-keys team",
        "sealwright system oauth2 issuer rotate-keys team 2026-12-24T18:00:00Z",
    ],
)
@click.argument("name")
@click.argument("time", default="now")
@pass_context
def rotate_keys(context: CommandContext, name: str, time: str) -> None:
    """Give an issuer new signing keys, which are published now and sign from TIME on."""
    keys = context.connection().call("POST", "oauth2", "issuers", name, "key-rotation", body={"at": time})
    context.output.confirm(f"The issuer {name} has new keys")
    for key in keys["items"]:
        context.output.note(f"  {shown_key(key)}")
    context.output.json(keys)


@command(
    "revoke-key",
    examples=[
        "sealwright system oauth2 issuer revoke-key team 4KoiZ3Sy6Fn0yXwvTMNpGkxy7pmX6MNGyPFtqJ9nLtk",
        "sealwright system oauth2 issuer revoke-key team 4KoiZ3Sy6Fn0yXwvTMNpGkxy7pmX6MNGyPFtqJ9nLtk --yes",
    ],
    asks_first=True,
)
@click.argument("name")
@click.argument("key_id")
@pass_context
def revoke_key(context: CommandContext, name: str, key_id: str) -> None:
    """Revoke a signing key of an issuer: whatever it signed, for any client on it, is worth nothing from now on."""
    consequences = [f"Every token that {key_id} signed is refused from now on, of all clients on {name}."]
    ask_first(context, f"Revoke a key of {name}?", lambda: consequences)
    keys = context.connection().call("DELETE", "oauth2", "issuers", name, "keys", key_id)
    context.output.confirm(f"Revoked the key {key_id} of the issuer {name}")
    context.output.json(keys)


@command(
    "set-issuer",
    examples=[
        "sealwright system oauth2 set-issuer wiki team",
        "sealwright system oauth2 set-issuer wiki",
        "sealwright system oauth2 set-issuer wiki team --yes",
    ],
    asks_first=True,
)
@click.argument("name")
@click.argument("issuer_name", metavar="[ISSUER]", required=False)
@click.option("--even-if-used", is_flag=True, help="Also when a provisioner trusts the client.")
@pass_context
def set_issuer(context: CommandContext, name: str, issuer_name: str | None, even_if_used: bool) -> None:
    """Put a client on an issuer that it shares with others; without ISSUER it gets one of its own.

    All of its tokens end, and people sign in again. What people allowed, its secret and its scope maps stay.
    """
    consequences = [f"Wherever {name} runs it needs the new issuer; all of its tokens end."]
    where = f"Put {name} on the issuer {issuer_name}?" if issuer_name else f"Give {name} an issuer of its own?"
    ask_first(context, where, lambda: consequences)
    query = {"even_if_used": "true"} if even_if_used else None
    changed = context.connection().call("POST", "oauth2", "clients", name, "issuer", body={"issuer": issuer_name}, query=query)
    context.output.confirm(f"The issuer of {name} is {changed['issuer_url']}")
    context.output.json(changed)


for each in (create, list_, get, delete, rotate_keys, revoke_key):
    issuer.add_command(each)
