"""`sealwright profile`: which names, keys, uses and lifetimes certificates have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from sealwright.cli.commands import CommandGroup, command
from sealwright.cli.confirmation import ask_first
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.durations import typed_seconds
from sealwright.cli.errors import WrongUsage
from sealwright.cli.held_changes import tell_change

profile = CommandGroup("profile", help="Which names, keys, uses and lifetimes certificates have.")

Function = TypeVar("Function", bound=Callable[..., Any])

_FIELDS = (
    ("profile", "name"),
    ("description", "description"),
    ("built in", "builtin"),
    ("names", "name_types"),
    ("most names", "most_names"),
    ("wildcards", "wildcards"),
    ("common name", "common_name"),
    ("keys", "key_kinds"),
    ("curves", "curves"),
    ("RSA bits", "shortest_rsa"),
    ("key uses", "key_uses"),
    ("uses", "extended_uses"),
    ("shortest", "shortest"),
    ("default", "default"),
    ("longest", "longest"),
    ("begins before", "backdate"),
    ("issuer", "issuer"),
    ("issuer URL", "issuer_url"),
    ("OCSP URL", "ocsp_url"),
    ("CRL URL", "crl_url"),
    ("provisioners", "provisioners"),
)
_LISTS = {"name_type": "name_types", "key_kind": "key_kinds", "curve": "curves", "key_use": "key_uses", "use": "extended_uses"}
_DURATIONS = {"min_dur": "shortest", "default_dur": "default", "max_dur": "longest", "backdate": "backdate"}
_AS_THEY_ARE = ("description", "most_names", "wildcards", "common_name", "issuer", "issuer_url", "ocsp_url", "crl_url")


def _choice(*values: str) -> click.Choice[str]:
    return click.Choice(values, case_sensitive=False)


_OPTIONS = (
    click.option("--description", metavar="TEXT", help="What the profile is for."),
    click.option("--name-type", type=_choice("dns", "ip", "email", "uri"), multiple=True, help="Kind of names; repeatable."),
    click.option("--most-names", type=click.IntRange(1), metavar="NUMBER", help="At most this many names."),
    click.option("--wildcards/--no-wildcards", default=None, help="Whether names may begin with *."),
    click.option("--common-name/--no-common-name", default=None, help="Whether the subject may hold a common name."),
    click.option("--key-kind", type=_choice("EC", "RSA", "Ed25519"), multiple=True, help="Kind of keys; repeatable."),
    click.option("--curve", type=_choice("P-256", "P-384", "P-521"), multiple=True, help="Curve of EC keys; repeatable."),
    click.option("--rsa-bits", type=int, metavar="NUMBER", help="Bits that an RSA key has at least."),
    click.option(
        "--key-use",
        type=_choice("digital_signature", "content_commitment", "key_encipherment", "key_agreement"),
        multiple=True,
        help="Key usage; repeatable. key_encipherment is for RSA keys alone, key_agreement for EC keys.",
    ),
    click.option(
        "--use",
        type=_choice("server_auth", "client_auth", "code_signing", "email_protection"),
        multiple=True,
        help="Extended key usage; repeatable.",
    ),
    click.option("--min-dur", metavar="DURATION", help="Shortest lifetime."),
    click.option("--default-dur", metavar="DURATION", help="Lifetime when none is asked for."),
    click.option("--max-dur", metavar="DURATION", help="Longest lifetime."),
    click.option("--backdate", metavar="DURATION", help="How long before it is issued a certificate begins."),
    click.option(
        "--issuer",
        metavar="NAME",
        help="The issuing CA that signs. There is one at a time: leave it out.",
    ),
    click.option("--issuer-url", metavar="URL", help="Where the issuer's certificate is found, as http://…"),
    click.option("--ocsp-url", metavar="URL", help="Where its responder is, as http://…"),
    click.option("--crl-url", metavar="URL", help="Where its revocation list is, as http://…"),
)


def _with_options(function: Function) -> Function:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@command("list", examples=["sealwright profile list"])
@pass_context
def list_(context: CommandContext) -> None:
    """List profiles."""
    fields = (("PROFILE", "name"), ("NAMES", "name_types"), ("USES", "extended_uses"), ("LONGEST", "longest"))
    context.output.table(context.connection().pages("profiles"), fields, empty="There are no profiles.")


@command("get", examples=["sealwright profile get web"])
@click.argument("name")
@pass_context
def get(context: CommandContext, name: str) -> None:
    """Show what a profile allows, and which provisioners choose it."""
    context.output.record(context.connection().call("GET", "profiles", name), _FIELDS)


@command(
    "create",
    examples=[
        "sealwright profile create web --name-type dns --use server_auth --default-dur 30d --max-dur 90d",
        "sealwright profile create vpn --name-type email --key-kind EC --curve P-384 --use client_auth --max-dur 24h",
    ],
)
@click.argument("name")
@_with_options
@pass_context
def create(context: CommandContext, name: str, **given: Any) -> None:
    """Store a profile. Provisioners choose it with --profile.

    What is not given is as in the built-in profile step_leaf, but for lifetimes: 24 hours where none is asked for, or what
    --max-dur allows, and 90 days at most.
    """
    made = context.connection().call("POST", "profiles", body={"name": name, **_members(given)})
    context.output.confirm(f"Created the profile {made['name']}")
    context.output.json(made)


@command("update", examples=["sealwright profile update web --max-dur 47d", "sealwright profile update web --no-wildcards"])
@click.argument("name")
@_with_options
@pass_context
def update(context: CommandContext, name: str, **given: Any) -> None:
    """Change a stored profile; what is not given stays. Where it asks for approval, the change waits for that."""
    body = _members(given)
    if not body:
        raise WrongUsage("nothing to change was given.")
    tell_change(context, context.connection().call("PATCH", "profiles", name, body=body), f"Changed the profile {name}")


@command("delete", examples=["sealwright profile delete web", "sealwright profile delete web --yes"], asks_first=True)
@click.argument("name")
@pass_context
def delete(context: CommandContext, name: str) -> None:
    """Delete a stored profile that no provisioner chooses."""
    ask_first(context, f"Delete the profile {name}?", lambda: ["Certificates of it stay valid until they expire."])
    value = context.connection().call("DELETE", "profiles", name) or {"name": name, "deleted": True}
    tell_change(context, value, f"Deleted the profile {name}")


def _members(given: dict[str, Any]) -> dict[str, Any]:
    """The members of the API that the options stand for."""
    body: dict[str, Any] = {name: given[name] for name in _AS_THEY_ARE if given[name] is not None}
    body |= {member: list(given[option]) for option, member in _LISTS.items() if given[option]}
    if given["rsa_bits"] is not None:
        body["shortest_rsa"] = given["rsa_bits"]
    for option, member in _DURATIONS.items():
        if given[option] is not None:
            seconds = typed_seconds(f"--{option.replace('_', '-')}", given[option])
            body[member] = f"{seconds}s"
    return body


for each in (list_, get, create, update, delete):
    profile.add_command(each)
