"""`sealwright break-glass`: the password for emergencies, from the server's shell."""

from __future__ import annotations

import click

from sealwright.cli.commands import CommandGroup, command
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.home import home_of, home_option

break_glass = CommandGroup("break-glass", help="The password for emergencies, from the server's shell.")


@command(
    "set-password",
    examples=["sealwright break-glass set-password", "sealwright break-glass set-password --password-file emergency.pw"],
    local=True,
)
@click.option("--password-file", metavar="FILE", help="The password; - for standard input. Default: one is made up and printed.")
@home_option
@pass_context
def set_password(context: CommandContext, password_file: str | None, directory: str | None) -> None:
    """Set the break-glass password. Sessions that were opened with the one before end."""
    given = None if password_file is None else context.password(password_file, "")
    password = context.server_side().set_break_glass_password(home_of(context, directory), given)
    if given is None:
        context.output.say(f"Break-glass password: {password}")
        context.output.note("It is shown only now. It opens /break-glass where the setting break_glass.enabled is true.")
        context.output.json({"password": password})
        return
    context.output.confirm("The break-glass password is set")
    context.output.json({"set": True})


@command("remove-password", examples=["sealwright break-glass remove-password"], local=True)
@home_option
@pass_context
def remove_password(context: CommandContext, directory: str | None) -> None:
    """Remove the break-glass password, and end the sessions that were opened with it."""
    removed = context.server_side().remove_break_glass_password(home_of(context, directory))
    context.output.confirm("The break-glass password is removed" if removed else "There was no break-glass password")
    context.output.json({"removed": removed})


for each in (set_password, remove_password):
    break_glass.add_command(each)
