"""`sealwright group account-policy`."""

from __future__ import annotations

from typing import Any

import click

from sealwright.cli.commands import CommandGroup, command
from sealwright.cli.context import CommandContext, pass_context

account_policy = CommandGroup("account-policy", help="What a group asks of the sign-ins of its members.")
_FIELDS = (
    ("group", "group"),
    ("sign-in lasts, seconds", "auth_expiry"),
    ("changes for, seconds", "privilege_expiry"),
    ("least credential", "credential_minimum"),
    ("password characters at least", "password_minimum_length"),
    ("members change their mail", "self_mail_write"),
)


def _set(context: CommandContext, name: str, **body: Any) -> None:
    changed = context.connection().call("PATCH", "groups", name, "account-policy", body=body)
    context.output.confirm(f"Changed the account policy of {changed['group']}")
    context.output.json(changed)


@command("enable", examples=["sealwright group account-policy enable staff"])
@click.argument("name")
@pass_context
def enable(context: CommandContext, name: str) -> None:
    """Give a group an account policy, which asks for nothing yet."""
    _set(context, name)


@command("disable", examples=["sealwright group account-policy disable staff"])
@click.argument("name")
@pass_context
def disable(context: CommandContext, name: str) -> None:
    """Take the account policy from a group."""
    context.connection().call("DELETE", "groups", name, "account-policy")
    context.output.confirm(f"{name} has no account policy now")
    context.output.json({"group": name, "deleted": True})


@command("show", examples=["sealwright group account-policy show staff"])
@click.argument("name")
@pass_context
def show(context: CommandContext, name: str) -> None:
    """Show the account policy of a group."""
    context.output.record(context.connection().call("GET", "groups", name, "account-policy"), _FIELDS)


@command("auth-expiry", examples=["sealwright group account-policy auth-expiry staff 28800"])
@click.argument("name")
@click.argument("seconds", type=int)
@pass_context
def auth_expiry(context: CommandContext, name: str, seconds: int) -> None:
    """Set how long a sign-in of a member lasts at the most. What the settings say is never exceeded."""
    _set(context, name, auth_expiry=seconds)


@command("reset-auth-expiry", examples=["sealwright group account-policy reset-auth-expiry staff"])
@click.argument("name")
@pass_context
def reset_auth_expiry(context: CommandContext, name: str) -> None:
    """Let sign-ins of members last as the settings say."""
    _set(context, name, auth_expiry=None)


@command("privilege-expiry", examples=["sealwright group account-policy privilege-expiry staff 300"])
@click.argument("name")
@click.argument("seconds", type=int)
@pass_context
def privilege_expiry(context: CommandContext, name: str, seconds: int) -> None:
    """Set for how long after a sign-in members can make changes. What the settings say is never exceeded."""
    _set(context, name, privilege_expiry=seconds)


@command("reset-privilege-expiry", examples=["sealwright group account-policy reset-privilege-expiry staff"])
@click.argument("name")
@pass_context
def reset_privilege_expiry(context: CommandContext, name: str) -> None:
    """Let members make changes for as long as the settings say."""
    _set(context, name, privilege_expiry=None)


@command(
    "credential-type-minimum",
    examples=[
        "sealwright group account-policy credential-type-minimum idm_all_persons mfa",
        "sealwright group account-policy credential-type-minimum staff passkey",
    ],
)
@click.argument("name")
@click.argument("minimum", type=click.Choice(["any", "mfa", "passkey"]))
@pass_context
def credential_type_minimum(context: CommandContext, name: str, minimum: str) -> None:
    """Set what members have to prove: anything, a second factor or a passkey, or a passkey.

    A member who has none yet gets a browser session that serves only to add one, and no terminal session.
    """
    _set(context, name, credential_minimum=minimum)


@command("password-minimum-length", examples=["sealwright group account-policy password-minimum-length staff 16"])
@click.argument("name")
@click.argument("characters", type=int)
@pass_context
def password_minimum_length(context: CommandContext, name: str, characters: int) -> None:
    """Set how many characters a new password of a member has at least."""
    _set(context, name, password_minimum_length=characters)


@command("reset-password-minimum-length", examples=["sealwright group account-policy reset-password-minimum-length staff"])
@click.argument("name")
@pass_context
def reset_password_minimum_length(context: CommandContext, name: str) -> None:
    """Ask members for no longer passwords than everyone."""
    _set(context, name, password_minimum_length=None)


@command("allow-self-mail-write", examples=["sealwright group account-policy allow-self-mail-write staff"])
@click.argument("name")
@pass_context
def allow_self_mail_write(context: CommandContext, name: str) -> None:
    """Let members change their own mail addresses."""
    _set(context, name, self_mail_write=True)


@command("forbid-self-mail-write", examples=["sealwright group account-policy forbid-self-mail-write contractors"])
@click.argument("name")
@pass_context
def forbid_self_mail_write(context: CommandContext, name: str) -> None:
    """Keep members from changing their own mail addresses, whatever other groups and the settings say."""
    _set(context, name, self_mail_write=False)


@command("reset-self-mail-write", examples=["sealwright group account-policy reset-self-mail-write staff"])
@click.argument("name")
@pass_context
def reset_self_mail_write(context: CommandContext, name: str) -> None:
    """Let other groups and the settings say whether members change their own mail addresses."""
    _set(context, name, self_mail_write=None)


for each in (
    *(enable, disable, show, auth_expiry, reset_auth_expiry, privilege_expiry, reset_privilege_expiry),
    *(credential_type_minimum, password_minimum_length, reset_password_minimum_length),
    *(allow_self_mail_write, forbid_self_mail_write, reset_self_mail_write),
):
    account_policy.add_command(each)
