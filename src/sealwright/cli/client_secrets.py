"""The verbs of `system oauth2` about names, secrets and keys of a client: what ends when they are changed is said first."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import click

from sealwright.cli.commands import Command, command
from sealwright.cli.confirmation import ask_first
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.durations import typed_seconds
from sealwright.cli.errors import CommandFailed
from sealwright.cli.formatting import moment, parsed, stamp
from sealwright.client_metadata import LARGEST_IMAGE

_OVERLAP = "24h"


@command(
    "set-name",
    examples=["sealwright system oauth2 set-name wiki handbook", "sealwright system oauth2 set-name wiki handbook --yes"],
    asks_first=True,
)
@click.argument("name")
@click.argument("new_name")
@click.option("--even-if-used", is_flag=True, help="Also when a provisioner trusts the client.")
@pass_context
def set_name(context: CommandContext, name: str, new_name: str, even_if_used: bool) -> None:
    """Give a client another name: another client_id and another issuer.

    All of its tokens end, and people sign in again. What people allowed, its secret, its keys and its scope maps stay.
    """
    consequences = [f"Wherever {name} runs it needs the new client_id and issuer; all of its tokens end."]
    ask_first(context, f"Rename {name} to {new_name}?", lambda: consequences)
    query = {"even_if_used": "true"} if even_if_used else None
    changed = context.connection().call("POST", "oauth2", "clients", name, "name", body={"name": new_name}, query=query)
    context.output.confirm(f"{name} is now {changed['name']}, with the issuer {changed['issuer_url']}")
    context.output.json(changed)


@command("show-basic-secret", examples=["sealwright system oauth2 show-basic-secret wiki"])
@click.argument("name")
@pass_context
def show_basic_secret(context: CommandContext, name: str) -> None:
    """Print the secret of a confidential client. That it was shown is recorded."""
    found = context.connection().call("GET", "oauth2", "clients", name, "secret")
    context.output.say(found["secret"])
    context.output.json(found)


@command(
    "reset-basic-secret",
    examples=[
        "sealwright system oauth2 reset-basic-secret wiki",
        "sealwright system oauth2 reset-basic-secret wiki --overlap 7d",
        "sealwright system oauth2 reset-basic-secret wiki --at-once --yes",
    ],
    asks_first=True,
)
@click.argument("name")
@click.option("--overlap", metavar="DURATION", default=_OVERLAP, show_default=True, help="How long the old secret works on.")
@click.option("--at-once", is_flag=True, help="The old secret stops working now, and all tokens of the client end.")
@pass_context
def reset_basic_secret(context: CommandContext, name: str, overlap: str, at_once: bool) -> None:
    """Give a confidential client a new secret, and print it. The old one works on for a while, so that nothing stands still.

    Where someone else may know the old secret, use --at-once, or reset-secrets, which replaces its keys as well.
    """
    if at_once:
        consequences = [f"Wherever {name} runs it needs the new secret: with the old one it gets no tokens from now on."]
        ask_first(context, f"Give {name} another secret?", lambda: consequences)
    made = context.connection().call("POST", "oauth2", "clients", name, "secret", query=_overlap(overlap, at_once=at_once))
    context.output.say(made["secret"])
    if made["old_until"]:
        until = moment(parsed(made["old_until"]), context.dependencies.now())
        context.output.note(f"The old secret works on until {until}. To end it now, use --at-once.")
    context.output.json(made)


def _overlap(text: str, *, at_once: bool) -> dict[str, str] | None:
    return None if at_once else {"overlap_seconds": str(typed_seconds("--overlap", text))}


@command(
    "reset-secrets",
    examples=["sealwright system oauth2 reset-secrets wiki", "sealwright system oauth2 reset-secrets wiki --yes"],
    asks_first=True,
)
@click.argument("name")
@pass_context
def reset_secrets(context: CommandContext, name: str) -> None:
    """Replace the secret and the signing keys of a client and end all of its tokens, at once. For when they may be known."""
    consequences = [f"Wherever {name} runs it needs the new secret; everything that it was given ends, and people sign in again."]
    ask_first(context, f"Replace all secrets of {name}?", lambda: consequences)
    made = context.connection().call("POST", "oauth2", "clients", name, "reset-secrets")
    if made["secret"]:
        context.output.say(made["secret"])
    context.output.note(f"The tokens of {name} have ended, and it has new signing keys.")
    context.output.json(made)


@command(
    "rotate-cryptographic-keys",
    examples=[
        "sealwright system oauth2 rotate-cryptographic-keys wiki now",
        "sealwright system oauth2 rotate-cryptographic-keys wiki 2026-12-24T18:00:00Z",
    ],
)
@click.argument("name")
@click.argument("time")
@pass_context
def rotate_cryptographic_keys(context: CommandContext, name: str, time: str) -> None:
    """Give a client new signing keys, which sign from TIME on: now, or a time such as 2026-12-24T18:00:00Z.

    They are published at once and never sign before applications can have seen them, which takes a minute. What the old keys
    signed stays valid until it expires.
    """
    found = context.connection().call("POST", "oauth2", "clients", name, "key-rotation", body={"at": time})
    leaving = [key["retires_at"] for key in found["items"] if key["retires_at"]]
    context.output.confirm(f"{name} has new keys, which sign from {stamp(parsed(max(leaving)))} on")
    context.output.json(found)


@command(
    "revoke-cryptographic-key",
    examples=["sealwright system oauth2 revoke-cryptographic-key wiki KEY_ID"],
    asks_first=True,
)
@click.argument("name")
@click.argument("key_id")
@pass_context
def revoke_cryptographic_key(context: CommandContext, name: str, key_id: str) -> None:
    """Revoke a signing key of a client: whatever it signed is worth nothing from now on.

    The ids of its keys are those that get shows. A new key takes its place, and signs at once.
    """
    consequences = [f"What the key signed for {name} is refused from now on: people sign in again."]
    ask_first(context, f"Revoke the key {key_id}?", lambda: consequences)
    found = context.connection().call("DELETE", "oauth2", "clients", name, "keys", key_id)
    context.output.confirm(f"Revoked the key {key_id} of {name}")
    context.output.json(found)


@command("set-image", examples=["sealwright system oauth2 set-image wiki wiki.png"])
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("type", required=False)
@pass_context
def set_image(context: CommandContext, name: str, file: Path, **_: Any) -> None:
    """Give a client an image for people's lists of applications: PNG, JPEG, GIF or WebP, up to 256 KiB and 1024 pixels.

    What it is comes from its content; TYPE is taken for kanidm's sake and means nothing.
    """
    size = file.stat().st_size
    if size > LARGEST_IMAGE:
        raise CommandFailed(
            f"{file} has {size} bytes.", hint=f"At most {LARGEST_IMAGE // 1024} KiB are allowed: make it smaller."
        )
    content = base64.b64encode(file.read_bytes()).decode()
    found = context.connection().call("PUT", "oauth2", "clients", name, "image", body={"content": content})
    context.output.confirm(f"{name} has an image: {found['media_type']}, {found['width']} by {found['height']}")
    context.output.json(found)


@command("remove-image", examples=["sealwright system oauth2 remove-image wiki"])
@click.argument("name")
@pass_context
def remove_image(context: CommandContext, name: str) -> None:
    """Take a client's image away."""
    context.connection().call("DELETE", "oauth2", "clients", name, "image")
    context.output.confirm(f"{name} has no image any more")
    context.output.json({"name": name, "image": None})


def _strict(verb: str, doc: str, said: str) -> Command:
    @command(verb, help=doc, examples=[f"sealwright system oauth2 {verb} wiki"])
    @click.argument("name")
    @pass_context
    def run(context: CommandContext, name: str, **_: Any) -> None:
        found = context.connection().call("GET", "oauth2", "clients", name)
        context.output.confirm(said.format(name=found["name"]))
        context.output.json(found)

    return run


enable_strict_redirect_url = _strict(
    "enable-strict-redirect-url",
    "Compare redirect URLs exactly. They always are, so this changes nothing; scripts for kanidm may go on to say it.",
    "Redirect URLs of {name} are compared exactly, as always",
)
disable_strict_redirect_url = _strict(
    "disable-strict-redirect-url",
    "Changes nothing, as in kanidm: redirect URLs are always compared exactly (RFC 9700, section 2.1). "
    "Add each with add-redirect-url.",
    "Nothing was changed: redirect URLs of {name} are always compared exactly. Add each with add-redirect-url",
)

secret_commands = (
    set_name,
    set_image,
    remove_image,
    show_basic_secret,
    reset_basic_secret,
    reset_secrets,
    rotate_cryptographic_keys,
    revoke_cryptographic_key,
    enable_strict_redirect_url,
    disable_strict_redirect_url,
)
