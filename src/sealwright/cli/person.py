"""`sealwright person`."""

from __future__ import annotations

from typing import Any

import click

from sealwright.cli.commands import CommandGroup, command
from sealwright.cli.confirmation import ask_about_person
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.durations import typed_seconds
from sealwright.cli.errors import WrongUsage
from sealwright.cli.formatting import parsed, stamp
from sealwright.cli.person_credentials import ended, remove_second_factors, status
from sealwright.cli.person_import import import_
from sealwright.cli.validity import validity_commands

person = CommandGroup("person", help="People.", meant={"session": "session list NAME"})

_FIELDS = (
    ("name", "name"),
    ("spn", "spn"),
    ("display name", "display_name"),
    ("mail", "mail"),
    ("state", "state"),
    ("member of", "groups"),
    ("id", "id"),
    ("created", "created"),
    ("updated", "updated"),
)


def _shown(value: dict[str, Any]) -> dict[str, Any]:
    return {
        **value,
        "mail": [f"{each['address']}{'' if each['verified'] else ' (not verified)'}" for each in value["mails"]],
        "created": stamp(parsed(value["created_at"])),
        "updated": stamp(parsed(value["updated_at"])),
    }


@command(
    "create",
    examples=['sealwright person create alice "Alice Example"'],
)
@click.argument("name")
@click.argument("display_name")
@click.option(
    "-m", "--mail", "mails", metavar="ADDRESS", multiple=True, help="Mail address; repeatable, the first is the main one."
)
@pass_context
def create(context: CommandContext, name: str, display_name: str, mails: tuple[str, ...]) -> None:
    """Create a person. They cannot sign in until they have a password."""
    body = {"name": name, "display_name": display_name, "mails": list(mails)}
    made = context.connection().call("POST", "persons", body=body)
    context.output.confirm(f"Created {made['spn']}")
    if context.output.tells_next_steps:
        context.output.note(f"Next, print a link by which they choose a password: sealwright person invite {made['name']}")
    context.output.json(made)


@command("get", examples=["sealwright person get alice"])
@click.argument("name")
@pass_context
def get(context: CommandContext, name: str) -> None:
    """Show a person."""
    value = context.connection().call("GET", "persons", name)
    context.output.record(value if context.output.as_json else _shown(value), _FIELDS)


@command("list", examples=["sealwright person list", "sealwright person list -o json"])
@pass_context
def list_(context: CommandContext) -> None:
    """List people."""
    values = context.connection().pages("persons")
    shown = values if context.output.as_json else map(_shown, values)
    fields = (("NAME", "name"), ("DISPLAY NAME", "display_name"), ("MAIL", "mail"), ("STATE", "state"))
    context.output.table(
        shown, fields, empty="There are no people yet. Create one with: sealwright person create NAME DISPLAY_NAME"
    )


@command("search", examples=["sealwright person search ali"])
@click.argument("text")
@pass_context
def search(context: CommandContext, text: str) -> None:
    """List people by the beginnings of words of their names or mail addresses."""
    values = context.connection().pages("persons", query={"search": text})
    shown = values if context.output.as_json else map(_shown, values)
    fields = (("NAME", "name"), ("DISPLAY NAME", "display_name"), ("MAIL", "mail"), ("STATE", "state"))
    context.output.table(shown, fields, empty=f"No name or address has words that begin with {text!r}.")


@command(
    "update",
    examples=[
        "sealwright person update alice --mail alice@example.org --mail a.example@example.org",
        'sealwright person update alice --display-name "Alice B. Example"',
        "sealwright person update alice --newname alice.example",
    ],
)
@click.argument("name")
@click.option(
    "-m", "--mail", "mails", metavar="ADDRESS", multiple=True, help="Mail address; repeatable, the first is the main one."
)
@click.option("-i", "--display-name", "--displayname", metavar="TEXT", help="The name that people read.")
@click.option("-n", "--newname", "--new-name", "new_name", metavar="NAME", help="The user name. The one before is free then.")
@click.option(
    "-a",
    "--attribute",
    "attributes",
    metavar="NAME=VALUE",
    multiple=True,
    help="Something else about the person, such as given_name or address.locality; repeatable. An empty VALUE takes it away.",
)
@pass_context
def update(
    context: CommandContext,
    name: str,
    mails: tuple[str, ...],
    display_name: str | None,
    new_name: str | None,
    attributes: tuple[str, ...],
) -> None:
    """Change a person. With --mail, the given addresses replace all that there were."""
    body: dict[str, Any] = {}
    given = _attributes(attributes)
    if mails:
        body["mails"] = list(mails)
    if display_name is not None:
        body["display_name"] = display_name
    if new_name is not None:
        body["name"] = new_name
    if not body and not given:
        raise WrongUsage("nothing is to be changed.", hint="Say what with --mail, --display-name, --newname or --attribute.")
    connection = context.connection()
    changed = connection.call("PATCH", "persons", name, body=body) if body else connection.call("GET", "persons", name)
    if given:
        changed["attributes"] = connection.call("PATCH", "persons", changed["name"], "profile", body={"attributes": given})[
            "attributes"
        ]
    context.output.confirm(f"Updated {changed['spn']}")
    context.output.json(changed)


def _attributes(texts: tuple[str, ...]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise WrongUsage(f"--attribute {text!r} has no value.", hint="Write it like given_name=Alice.")
        found[name] = value or None
    return found


@command("profile", examples=["sealwright person profile alice"])
@click.argument("name")
@pass_context
def profile(context: CommandContext, name: str) -> None:
    """Show what is kept about a person beside names and mail addresses."""
    value = context.connection().call("GET", "persons", name, "profile")
    fields = tuple((each, each) for each in value["attributes"])
    keys = [f"{tag}: {key}" for tag, key in value["ssh_public_keys"].items()]
    shown = {"name": value["name"], **value["attributes"], "ssh_public_keys": keys}
    whole = (("name", "name"), *fields, ("SSH public keys", "ssh_public_keys"))
    context.output.record(value if context.output.as_json else shown, whole)


@command(
    "disable",
    examples=["sealwright person disable alice", "sealwright person disable alice --yes"],
    asks_first=True,
)
@click.argument("name")
@pass_context
def disable(context: CommandContext, name: str) -> None:
    """Disable a person: their sessions and tokens end, and their certificates are not renewed."""
    ask_about_person(context, name, f"Disable {name}?", certificates="of theirs will not be renewed")
    changed = context.connection().call("POST", "persons", name, "disable")
    context.output.confirm(f"Disabled {changed['spn']}")
    context.output.json(changed)


@command("enable", examples=["sealwright person enable alice"])
@click.argument("name")
@pass_context
def enable(context: CommandContext, name: str) -> None:
    """Let a disabled person sign in again."""
    changed = context.connection().call("POST", "persons", name, "enable")
    context.output.confirm(f"Enabled {changed['spn']}")
    context.output.json(changed)


@command(
    "delete",
    examples=["sealwright person delete alice", "sealwright person delete alice --yes"],
    asks_first=True,
)
@click.argument("name")
@pass_context
def delete(context: CommandContext, name: str) -> None:
    """Delete a person, who can be revived for a week.

    They come back without credentials: sealwright recycle-bin revive NAME. What the audit record and the inventory of
    certificates tell of them stays.
    """
    ask_about_person(context, name, f"Delete {name}?", certificates="of theirs will not be renewed")
    context.connection().call("DELETE", "persons", name)
    context.output.confirm(f"Deleted {name}")
    context.output.json({"name": name, "deleted": True})


@command(
    "set-password",
    examples=["sealwright person set-password alice", "sealwright person set-password alice --password-file alice.pw"],
    asks_first=True,
)
@click.argument("name")
@click.option("--password-file", metavar="FILE", help="Read the password from FILE; - for standard input.")
@click.option("--keep-certificates", is_flag=True, help="Leave the person's certificates valid. Default: they are revoked.")
@pass_context
def set_password(context: CommandContext, name: str, password_file: str | None, keep_certificates: bool) -> None:
    """Give a person a password. Their sessions end, and their certificates too, as anyone who knew the old one may have some."""
    connection = context.connection()
    fate = "of theirs will stay valid" if keep_certificates else "of theirs will be revoked"
    ask_about_person(context, name, f"Give {name} another password?", certificates=fate, but=True)
    password = context.new_password(password_file, f"New password of {name}")
    body = {"password": password, "end_certificates": not keep_certificates}
    reset = connection.call("PUT", "persons", name, "password", body=body)
    context.output.confirm(f"{name} has a new password")
    for line in ended(reset):
        context.output.note(line)
    context.output.json({"name": name, "password_set": True, **reset})


_no_mail = click.option("--no-mail", is_flag=True, help="Only print the link; send nothing.")
_LIFETIME = "How long the link is valid for, such as 1h30m."


def _seconds(lifetime: str | None) -> int | None:
    return None if lifetime is None else typed_seconds("--lifetime", lifetime)


def _of_mail(mail: dict[str, Any]) -> str:
    """What came of sending the link."""
    if mail["state"] == "sent":
        return f"Sent to {mail['to']}."
    if mail["state"] == "queued":
        return f"Queued: {mail['to']} gets it once the SMTP server takes it. {mail['detail']}".rstrip()
    whom = f" to {mail['to']}" if mail["to"] else ""
    return f"Not sent{whom}: pass the link on yourself. {mail['detail']}"


def _show_link(context: CommandContext, answer: dict[str, Any], words: str) -> None:
    """The link on standard output, so that a script can take it, and what it is beside it."""
    context.output.confirm(words)
    context.output.say(answer["link"])
    context.output.note(f"It works once, until {stamp(parsed(answer['expires_at']))}. It is shown only now.")
    mail = answer["mail"]
    if mail is not None:
        context.output.note(_of_mail(mail))
    context.output.json(answer)


@command(
    "invite",
    examples=[
        "sealwright person invite alice --mail alice@example.org",
        'sealwright person invite alice --display-name "Alice Example" --lifetime 24h',
    ],
)
@click.argument("name")
@click.option(
    "-m", "--mail", "mails", metavar="ADDRESS", multiple=True, help="Mail address; repeatable, the first is the main one."
)
@click.option("-i", "--display-name", "--displayname", metavar="TEXT", default="", help="The name that people read.")
@click.option("--lifetime", metavar="DURATION", help=f"{_LIFETIME} Default: 72h.")
@_no_mail
@pass_context
def invite(
    context: CommandContext, name: str, mails: tuple[str, ...], display_name: str, lifetime: str | None, no_mail: bool
) -> None:
    """Print a link with which a person chooses their first password, and mail it where the server has an SMTP server.

    A person who is not there is created.
    """
    body = {
        "name": name,
        "display_name": display_name,
        "mails": list(mails),
        "lifetime_seconds": _seconds(lifetime),
        "send_mail": not no_mail,
    }
    answer = context.connection().call("POST", "invitations", body=body)
    _show_link(context, answer, f"{'Created and invited' if answer['created'] else 'Invited'} {answer['name']}")


def _reset(context: CommandContext, name: str, seconds: int | None, *, keep_certificates: bool, no_mail: bool) -> None:
    body = {"lifetime_seconds": seconds, "end_certificates": not keep_certificates, "send_mail": not no_mail}
    answer = context.connection().call("POST", "persons", name, "reset-link", body=body)
    _show_link(context, answer, f"Made a link with which {answer['name']} sets a new password")
    if answer["certificates"]:
        what = "end when it is used" if answer["end_certificates"] else "stay valid"
        context.output.note(f"Certificates of {answer['name']} that {what}: {answer['certificates']}.")


@command("reset", examples=["sealwright person reset alice", "sealwright person reset alice --keep-certificates"])
@click.argument("name")
@click.option("--lifetime", metavar="DURATION", help=f"{_LIFETIME} Default: 1h.")
@click.option("--keep-certificates", is_flag=True, help="Leave the person's certificates valid. Default: they are revoked.")
@_no_mail
@pass_context
def reset(context: CommandContext, name: str, lifetime: str | None, keep_certificates: bool, no_mail: bool) -> None:
    """Print a link with which a person sets a new password, and mail it where the server has an SMTP server.

    Using it ends their sessions and their certificates.
    """
    _reset(context, name, _seconds(lifetime), keep_certificates=keep_certificates, no_mail=no_mail)


@command(
    "verify-mail",
    examples=["sealwright person verify-mail alice alice@example.org", "sealwright person verify-mail alice a@example.org --not"],
)
@click.argument("name")
@click.argument("address")
@click.option("--not", "revoke", is_flag=True, help="Take it back: the address is not proven.")
@pass_context
def verify_mail(context: CommandContext, name: str, address: str, revoke: bool) -> None:
    """Vouch for a mail address of a person, without a link to it."""
    changed = context.connection().call("PUT", "persons", name, "mails", address, "verification", body={"verified": not revoke})
    context.output.confirm(f"{address} of {changed['name']} {'does not count' if revoke else 'counts'} as proven")
    context.output.json(changed)


credential = CommandGroup(
    "credential", help="What people prove themselves with.", aliases={"send-reset-token": "create-reset-token"}
)


@command("create-reset-token", examples=["sealwright person credential create-reset-token alice --ttl 3600"])
@click.argument("name")
@click.option("--ttl", metavar="SECONDS", type=int, help="How long the link is valid for. Default: 3600.")
@click.option("--keep-certificates", is_flag=True, help="Leave the person's certificates valid. Default: they are revoked.")
@_no_mail
@pass_context
def create_reset_token(context: CommandContext, name: str, ttl: int | None, keep_certificates: bool, no_mail: bool) -> None:
    """The same as `person reset`, as Kanidm calls it."""
    _reset(context, name, ttl, keep_certificates=keep_certificates, no_mail=no_mail)


ssh = CommandGroup("ssh", help="SSH public keys of people.")


@command("list-publickeys", examples=["sealwright person ssh list-publickeys alice"])
@click.argument("name")
@pass_context
def list_publickeys(context: CommandContext, name: str) -> None:
    """List the SSH public keys of a person, each with its tag."""
    keys = context.connection().call("GET", "persons", name, "profile")["ssh_public_keys"]
    rows = [{"tag": tag, "public_key": key} for tag, key in keys.items()]
    context.output.table(rows, (("TAG", "tag"), ("PUBLIC KEY", "public_key")), empty=f"{name} has no SSH public keys.")


@command("add-publickey", examples=['sealwright person ssh add-publickey alice laptop "$(cat ~/.ssh/id_ed25519.pub)"'])
@click.argument("name")
@click.argument("tag")
@click.argument("public_key")
@pass_context
def add_publickey(context: CommandContext, name: str, tag: str, public_key: str) -> None:
    """Add an SSH public key to a person, under a tag of its own."""
    changed = context.connection().call("POST", "persons", name, "ssh-public-keys", tag, body={"public_key": public_key})
    context.output.confirm(f"Added the SSH public key {tag} to {changed['name']}")
    context.output.json(changed)


@command("delete-publickey", examples=["sealwright person ssh delete-publickey alice laptop"])
@click.argument("name")
@click.argument("tag")
@pass_context
def delete_publickey(context: CommandContext, name: str, tag: str) -> None:
    """Take an SSH public key of a person away."""
    changed = context.connection().call("DELETE", "persons", name, "ssh-public-keys", tag)
    context.output.confirm(f"Deleted the SSH public key {tag} of {changed['name']}")
    context.output.json(changed)


for each in (list_publickeys, add_publickey, delete_publickey):
    ssh.add_command(each)
person.add_command(ssh)
person.add_command(validity_commands("person", "persons", "alice"))
for each in (status, create_reset_token, remove_second_factors):
    credential.add_command(each)
person.add_command(credential)
for each in (
    invite,
    import_,
    verify_mail,
    reset,
    create,
    get,
    list_,
    search,
    update,
    profile,
    disable,
    enable,
    delete,
    set_password,
):
    person.add_command(each)
