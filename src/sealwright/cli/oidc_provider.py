"""`sealwright oidc-provider`: identity providers of others that people sign in with."""

from __future__ import annotations

from typing import Any

import click

from sealwright.cli.commands import CommandGroup, command
from sealwright.cli.confirmation import ask_first
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.formatting import counted
from sealwright.cli.provider_sign_ins import explain, sign_ins

oidc_provider = CommandGroup("oidc-provider", help="Identity providers of others that people sign in with.")

_PATH = ("auth", "oidc", "providers")
_FIELDS = (
    ("name", "name"),
    ("id", "id"),
    ("issuer", "issuer_url"),
    ("client id", "client_id"),
    ("secret", "has_client_secret"),
    ("redirect URI", "redirect_uri"),
    ("groups in", "groups_claim_path"),
    ("scopes", "scopes"),
    ("downgrade rule", "downgrade_rule"),
    ("seconds after iat", "iat_window_seconds"),
    ("keys kept for seconds", "jwks_cache_ttl_seconds"),
    ("groups of userinfo", "userinfo_groups"),
    ("mail domains", "allowed_email_domains"),
    ("enabled", "enabled"),
)
_settings = (
    click.option("--client-secret-file", metavar="FILE", help="File with the secret of this server there; - for standard input."),
    click.option("--groups-claim", "groups_claim_path", metavar="PATH", help="Where ID tokens name groups. Default: groups."),
    click.option(
        "--downgrade-rule",
        type=click.Choice(("strict", "intersection")),
        help="strict refuses providers that offer HS256 and its like; intersection passes over these algorithms.",
    ),
    click.option("--iat-window", "iat_window_seconds", type=int, metavar="SECONDS", help="How old an ID token may be."),
    click.option(
        "--keys-kept", "jwks_cache_ttl_seconds", type=int, metavar="SECONDS", help="How long its keys are cached at most."
    ),
    click.option("--userinfo-groups/--no-userinfo-groups", default=None, help="Ask userinfo where the ID token names no groups."),
    click.option("--email-domain", "allowed_email_domains", multiple=True, metavar="DOMAIN", help="Admit only addresses of it."),
    click.option("--scope", "scopes", multiple=True, metavar="SCOPE", help="What is asked for. Default: openid profile email."),
)


def _body(context: CommandContext, given: dict[str, Any]) -> dict[str, Any]:
    file = given.pop("client_secret_file", None)
    body = {name: value for name, value in given.items() if value not in (None, ())}
    if file is not None:
        body["client_secret"] = context.password(file, "", "--client-secret-file")
    return body


def _with_settings(run: Any) -> Any:
    for option in reversed(_settings):
        run = option(run)
    return run


@command("list", examples=["sealwright oidc-provider list"])
@pass_context
def list_(context: CommandContext) -> None:
    """List identity providers."""
    values = context.connection().pages(*_PATH)
    fields = (("NAME", "name"), ("ISSUER", "issuer_url"), ("ENABLED", "enabled"), ("ID", "id"))
    context.output.table(values, fields, empty="People sign in here with their own accounts only.")


@command("get", examples=["sealwright oidc-provider get 5b0c8f0e-8d6f-4c02-9d55-6f0a3c1f8e77"])
@click.argument("provider_id", metavar="ID")
@pass_context
def get(context: CommandContext, provider_id: str) -> None:
    """Show an identity provider."""
    context.output.record(context.connection().call("GET", *_PATH, provider_id), _FIELDS)


@command(
    "create",
    examples=[
        "sealwright oidc-provider create Keycloak https://sso.example.org/realms/staff sealwright --client-secret-file secret.txt"
    ],
)
@click.argument("name")
@click.argument("issuer_url", metavar="ISSUER_URL")
@click.argument("client_id", metavar="CLIENT_ID")
@_with_settings
@pass_context
def create(context: CommandContext, name: str, issuer_url: str, client_id: str, **given: Any) -> None:
    """Store an identity provider, if it passes every check."""
    body = {"name": name, "issuer_url": issuer_url, "client_id": client_id, **_body(context, given)}
    made = context.connection().call("POST", *_PATH, body=body)
    context.output.confirm(f"Created identity provider {made['name']} ({made['id']})")
    if context.output.tells_next_steps:
        context.output.note(f"Next, say what its groups give: sealwright oidc-provider map-group {made['id']} GROUP ROLE")
    context.output.json(made)


@command("register-own", examples=["sealwright oidc-provider register-own"])
@click.option("--display-name", "name", default="", metavar="NAME", help="On the button. Default: the name of the server.")
@click.option(
    "--client", default="", metavar="NAME", help="The client that stands for the control plane. Default: control-plane."
)
@pass_context
def register_own(context: CommandContext, name: str, client: str) -> None:
    """Let people sign in with this server's own accounts, and get roles by their groups here.

    Makes the client and the provider, and tests it. What is there already stays, and is put right where it no longer fits.
    """
    found = context.connection().call("POST", "auth", "oidc", "own-provider", body={"name": name, "client": client})
    provider = found["provider"]
    what = ", ".join(found["made"])
    made = f"Made now: {what}" if what else "Everything was there"
    context.output.confirm(f"People sign in with {provider['name']} ({provider['id']}), the client {found['client']}. {made}")
    if context.output.tells_next_steps:
        context.output.note(f"Next, say what its groups give: sealwright oidc-provider map-group {provider['id']} GROUP ROLE")
    context.output.json(found)


@command("test", examples=["sealwright oidc-provider test Keycloak https://sso.example.org/realms/staff sealwright"])
@click.argument("name")
@click.argument("issuer_url", metavar="ISSUER_URL")
@click.argument("client_id", metavar="CLIENT_ID")
@_with_settings
@pass_context
def test(context: CommandContext, name: str, issuer_url: str, client_id: str, **given: Any) -> None:
    """Check whether an identity provider could be stored, without storing it."""
    body = {"name": name, "issuer_url": issuer_url, "client_id": client_id, **_body(context, given)}
    _tell(context, context.connection().call("POST", "auth", "oidc", "test", body=body))


@command("refresh", examples=["sealwright oidc-provider refresh 5b0c8f0e-8d6f-4c02-9d55-6f0a3c1f8e77"])
@click.argument("provider_id", metavar="ID")
@pass_context
def refresh(context: CommandContext, provider_id: str) -> None:
    """Fetch the discovery document and the keys of an identity provider again."""
    _tell(context, context.connection().call("POST", *_PATH, provider_id, "refresh"))


@command("key-status", examples=["sealwright oidc-provider key-status 5b0c8f0e-8d6f-4c02-9d55-6f0a3c1f8e77"])
@click.argument("provider_id", metavar="ID")
@pass_context
def key_status(context: CommandContext, provider_id: str) -> None:
    """Show the cached keys of an identity provider, and why they could not be fetched."""
    found = context.connection().call("GET", *_PATH, provider_id, "jwks-status")
    if found["failure"]:
        context.output.say(f"WRONG  {found['failure']}")
    when = f", fetched at {found['fetched_at']}, used until {found['kept_until']}" if found["fetched_at"] else ""
    context.output.say(f"{counted(len(found['keys']), 'key')}{when}")
    for each in found["keys"]:
        context.output.say(f"  {each['kid'] or 'without a name'}  {each['algorithm'] or 'any algorithm of its kind'}")
    context.output.json(found)


def _tell(context: CommandContext, found: dict[str, Any]) -> None:
    for each in found["checks"]:
        context.output.say(f"{'good' if each['passed'] else 'WRONG'}  {each['name']}: {each['detail']}")
    context.output.json(found)


@command("update", examples=["sealwright oidc-provider update 5b0c8f0e-8d6f-4c02-9d55-6f0a3c1f8e77 --groups-claim realm.groups"])
@click.argument("provider_id", metavar="ID")
@click.option("--display-name", "name", metavar="NAME", help="What people see on the sign-in page.")
@click.option("--issuer-url", metavar="URL", help="Its issuer, to the letter.")
@click.option("--client-id", metavar="CLIENT_ID", help="This server's name there.")
@click.option("--any-email-domain", is_flag=True, help="Admit people of every mail domain again, and those without an address.")
@click.option("--enable/--disable", "enabled", default=None, help="Whether people can sign in with it.")
@_with_settings
@pass_context
def update(context: CommandContext, provider_id: str, *, any_email_domain: bool, **given: Any) -> None:
    """Change an identity provider, if it still passes every check."""
    body = _body(context, given) | ({"allowed_email_domains": []} if any_email_domain else {})
    changed = context.connection().call("PATCH", *_PATH, provider_id, body=body)
    context.output.confirm(f"Changed identity provider {changed['name']}")
    context.output.json(changed)


@command(
    "delete", examples=["sealwright oidc-provider delete 5b0c8f0e-8d6f-4c02-9d55-6f0a3c1f8e77 --end-sessions"], asks_first=True
)
@click.argument("provider_id", metavar="ID")
@click.option("--end-sessions", is_flag=True, help="Also end the sessions that began with it.")
@pass_context
def delete(context: CommandContext, provider_id: str, *, end_sessions: bool) -> None:
    """Delete an identity provider, with its mappings and the roles that they gave. People stay."""
    connection = context.connection()

    def tell() -> list[str]:
        found = connection.call("GET", *_PATH, provider_id)
        mappings = list(connection.pages("auth", "oidc", "group-mappings", query={"provider_id": provider_id}))
        gone = f"{counted(len(mappings), 'mapping')} and the roles they gave go with it."
        return [f"{found['name']} ({found['issuer_url']}): {gone}"]

    ask_first(context, "Delete it?", tell)
    query = {"end_sessions": "true"} if end_sessions else None
    connection.call("DELETE", *_PATH, provider_id, query=query, as_read=(*_PATH, provider_id))
    context.output.confirm(f"Deleted identity provider {provider_id}")
    context.output.json({"id": provider_id, "deleted": True})


@command("map-group", examples=["sealwright oidc-provider map-group 5b0c8f0e-8d6f-4c02-9d55-6f0a3c1f8e77 engineers r-operator"])
@click.argument("provider_id", metavar="ID")
@click.argument("group_name", metavar="GROUP")
@click.argument("role_id", metavar="ROLE")
@pass_context
def map_group(context: CommandContext, provider_id: str, group_name: str, role_id: str) -> None:
    """Let a group of an identity provider give a role, from each person's next sign-in on."""
    body = {"provider_id": provider_id, "group_name": group_name, "role_id": role_id}
    made = context.connection().call("POST", "auth", "oidc", "group-mappings", body=body)
    context.output.confirm(f"The group {made['group_name']} gives {made['role_id']} (mapping {made['id']})")
    context.output.json(made)


@command("mappings", examples=["sealwright oidc-provider mappings 5b0c8f0e-8d6f-4c02-9d55-6f0a3c1f8e77"])
@click.argument("provider_id", metavar="ID")
@pass_context
def mappings(context: CommandContext, provider_id: str) -> None:
    """List which groups of an identity provider give which roles."""
    values = context.connection().pages("auth", "oidc", "group-mappings", query={"provider_id": provider_id})
    fields = (("GROUP", "group_name"), ("ROLE", "role_id"), ("ID", "id"))
    context.output.table(values, fields, empty="No group gives a role, so no one can sign in with it.")


@command("unmap-group", examples=["sealwright oidc-provider unmap-group 5b0c8f0e-8d6f-4c02-9d55-6f0a3c1f8e77"])
@click.argument("mapping_id", metavar="ID")
@pass_context
def unmap_group(context: CommandContext, mapping_id: str) -> None:
    """Remove the mapping of a group to a role, from each person's next sign-in on."""
    context.connection().call("DELETE", "auth", "oidc", "group-mappings", mapping_id)
    context.output.confirm(f"Removed the mapping {mapping_id}")
    context.output.json({"id": mapping_id, "removed": True})


for each in (
    list_,
    get,
    create,
    register_own,
    test,
    update,
    refresh,
    key_status,
    delete,
    map_group,
    mappings,
    unmap_group,
    sign_ins,
    explain,
):
    oidc_provider.add_command(each)
