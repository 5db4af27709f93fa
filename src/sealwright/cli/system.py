"""`sealwright system oauth2`: OAuth clients. Verbs and their order of arguments are those that kanidm's users know."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

import click

from sealwright.cli.commands import Command, Group, command
from sealwright.cli.confirmation import ask_about_client, ask_first
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.formatting import duration, parsed, stamp

system = Group("system", help="OAuth clients.")

oauth2 = Group(
    "oauth2",
    help="Applications that sign people in here.",
    aliases={
        "create-scope-map": "update-scope-map",
        "reset-secrets": "reset-basic-secret",
        "set-display-name": "set-displayname",
    },
)

_FIELDS = (
    ("name", "name"),
    ("display name", "display_name"),
    ("kind", "kind"),
    ("landing URL", "landing_url"),
    ("redirect URLs", "redirect_urls"),
    ("localhost redirects", "localhost_redirects"),
    ("http redirects", "http_redirects"),
    ("scopes", "scopes"),
    ("PKCE required", "require_pkce"),
    ("signs with", "signing_algorithm"),
    ("asks for consent", "consent_prompt"),
    ("partial scopes", "partial_scopes"),
    ("short user names", "short_username"),
    ("refresh tokens last", "refresh_lifetime"),
    ("refresh grace", "refresh_grace"),
    ("issuer", "issuer_url"),
    ("discovery", "discovery_url"),
    ("created", "created"),
)


def _shown(value: dict[str, Any]) -> dict[str, Any]:
    grace = value["refresh_grace_seconds"]
    maps = [f"{each['group']}: {' '.join(each['scopes'])}" for each in value["scope_maps"]]
    return {
        **value,
        "scopes": maps,
        "refresh_lifetime": duration(timedelta(seconds=value["refresh_seconds"])),
        "refresh_grace": duration(timedelta(seconds=grace)) if grace else "none",
        "created": stamp(parsed(value["created_at"])),
    }


def _change(context: CommandContext, name: str, said: str, **members: Any) -> None:
    changed = context.connection().call("PATCH", "oauth2", "clients", name, body=members)
    context.output.confirm(said)
    context.output.json(changed)


def _create(context: CommandContext, kind: str, name: str, display_name: str, origin: str) -> None:
    body = {"kind": kind, "name": name, "display_name": display_name, "landing_url": origin}
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
@pass_context
def create(context: CommandContext, name: str, display_name: str, origin: str) -> None:
    """Create a confidential client: an application that can keep a secret."""
    _create(context, "confidential", name, display_name, origin)


@command(
    "create-public",
    examples=["sealwright system oauth2 create-public step-ca Step-CA https://ca.example.org"],
)
@click.argument("name")
@click.argument("display_name")
@click.argument("origin")
@pass_context
def create_public(context: CommandContext, name: str, display_name: str, origin: str) -> None:
    """Create a public client: an application on people's own machines, which has no secret and always uses PKCE."""
    _create(context, "public", name, display_name, origin)


@command("get", examples=["sealwright system oauth2 get step-ca"])
@click.argument("name")
@pass_context
def get(context: CommandContext, name: str) -> None:
    """Show a client."""
    value = context.connection().call("GET", "oauth2", "clients", name)
    context.output.record(value if context.output.as_json else _shown(value), _FIELDS)


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

    A client that a provisioner trusts is not deleted without being told.
    """
    ask_about_client(context, name, even_if_used=even_if_used)
    query = {"even_if_used": "true"} if even_if_used else None
    context.connection().call("DELETE", "oauth2", "clients", name, query=query)
    context.output.confirm(f"Deleted client {name}")
    context.output.json({"name": name, "deleted": True})


@command(
    "set-displayname",
    examples=['sealwright system oauth2 set-displayname wiki "Our wiki"'],
)
@click.argument("name")
@click.argument("display_name")
@pass_context
def set_displayname(context: CommandContext, name: str, display_name: str) -> None:
    """Change the name that people read."""
    _change(context, name, f"{name} is now called {display_name}", display_name=display_name)


@command(
    "set-landing-url",
    examples=["sealwright system oauth2 set-landing-url step-ca https://ca.example.org"],
)
@click.argument("name")
@click.argument("url")
@pass_context
def set_landing_url(context: CommandContext, name: str, url: str) -> None:
    """Set the address that people are sent to from their list of applications. It is an allowed redirect URL, too."""
    _change(context, name, f"{name} lands at {url}", landing_url=url)


@command(
    "add-redirect-url",
    examples=["sealwright system oauth2 add-redirect-url step-ca http://localhost:10000"],
)
@click.argument("name")
@click.argument("url")
@pass_context
def add_redirect_url(context: CommandContext, name: str, url: str) -> None:
    """Allow an address that people may come back to.

    It is compared exactly; only of a public client's loopback address (http://127.0.0.1, http://[::1], http://localhost) the
    port is free. A scheme of the application's own is allowed, such as com.example.app:/callback or cursor://callback.
    """
    changed = context.connection().call("POST", "oauth2", "clients", name, "redirect-urls", body={"url": url})
    context.output.confirm(f"{name} may redirect to {url}")
    context.output.json(changed)


@command(
    "remove-redirect-url",
    examples=["sealwright system oauth2 remove-redirect-url step-ca http://localhost:10000"],
)
@click.argument("name")
@click.argument("url")
@pass_context
def remove_redirect_url(context: CommandContext, name: str, url: str) -> None:
    """No longer allow an address."""
    changed = context.connection().call("DELETE", "oauth2", "clients", name, "redirect-urls", query={"url": url})
    context.output.confirm(f"{name} may no longer redirect to {url}")
    context.output.json(changed)


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
    changed = context.connection().call("PUT", "oauth2", "clients", name, "scope-maps", group, body={"scopes": list(scopes)})
    context.output.confirm(f"Members of {group} may use {' '.join(scopes)} at {name}")
    if all("openid" not in each["scopes"] for each in changed["scope_maps"]):
        context.output.note(
            f"No group has the scope openid at {name}, which every application that signs people in asks for. Add it with:\n"
            f"  sealwright system oauth2 update-scope-map {name} {group} openid {' '.join(scopes)}"
        )
    context.output.json(changed)


@command(
    "delete-scope-map",
    examples=["sealwright system oauth2 delete-scope-map step-ca step-ca_users"],
)
@click.argument("name")
@click.argument("group")
@pass_context
def delete_scope_map(context: CommandContext, name: str, group: str) -> None:
    """Take a group's scopes away."""
    changed = context.connection().call("DELETE", "oauth2", "clients", name, "scope-maps", group)
    context.output.confirm(f"Members of {group} have no scopes at {name} any more")
    context.output.json(changed)


class _Switch(NamedTuple):
    """A verb that sets one member of a client to one value."""

    verb: str
    member: str
    value: bool | str
    summary: str
    said: str

    def command(self) -> Command:
        """The command of this verb."""

        @command(self.verb, help=self.summary, examples=[f"sealwright system oauth2 {self.verb} step-ca"])
        @click.argument("name")
        @pass_context
        def switch(context: CommandContext, name: str) -> None:
            _change(context, name, self.said.format(name=name), **{self.member: self.value})

        return switch


_SWITCHES = (
    _Switch(
        verb="enable-localhost-redirects",
        member="localhost_redirects",
        value=True,
        summary="Allow redirects to any port of the person's own machine; for a confidential client only to the loopback "
        "addresses that are registered.",
        said="{name} may redirect to localhost",
    ),
    _Switch(
        verb="disable-localhost-redirects",
        member="localhost_redirects",
        value=False,
        summary="Allow only the registered redirect URLs.",
        said="{name} may no longer redirect to localhost",
    ),
    _Switch(
        verb="warning-insecure-client-allow-http-redirects",
        member="http_redirects",
        value=True,
        summary="Allow redirect and landing URLs over plain http, where whoever is on the way can read a code.",
        said="{name} may redirect over plain http: others on the way can read what it is sent",
    ),
    _Switch(
        verb="disable-http-redirects",
        member="http_redirects",
        value=False,
        summary="Allow no redirects over plain http, as is the default.",
        said="{name} may not redirect over plain http",
    ),
    _Switch(
        verb="enable-partial-scopes",
        member="partial_scopes",
        value=True,
        summary="Let a person who may not grant all scopes that are asked for grant the rest; the client is told which.",
        said="{name} is granted those scopes that the person may grant",
    ),
    _Switch(
        verb="disable-partial-scopes",
        member="partial_scopes",
        value=False,
        summary="Grant all scopes that are asked for, or none, as is the default.",
        said="{name} is granted all scopes that it asks for, or none",
    ),
    _Switch(
        verb="enable-pkce",
        member="require_pkce",
        value=True,
        summary="Require PKCE, as is the default.",
        said="{name} must use PKCE",
    ),
    _Switch(
        verb="warning-insecure-client-disable-pkce",
        member="require_pkce",
        value=False,
        summary="Let a client do without PKCE. A stolen code can then be used by others. Confidential clients only.",
        said="{name} may do without PKCE: a stolen code can be used by others",
    ),
    _Switch(
        verb="warning-enable-legacy-crypto",
        member="signing_algorithm",
        value="RS256",
        summary="Sign this client's tokens with RS256 in place of ES256.",
        said="Tokens of {name} are signed with RS256 in about a minute, when applications can have seen the new key",
    ),
    _Switch(
        verb="disable-legacy-crypto",
        member="signing_algorithm",
        value="ES256",
        summary="Sign this client's tokens with ES256, as is the default.",
        said="Tokens of {name} are signed with ES256 in about a minute, when applications can have seen the new key",
    ),
    _Switch(
        verb="enable-consent-prompt",
        member="consent_prompt",
        value=True,
        summary="Ask people before they are signed in to this client, as is the default.",
        said="{name} asks for consent",
    ),
    _Switch(
        verb="disable-consent-prompt",
        member="consent_prompt",
        value=False,
        summary="Sign people in to this client without asking. Confidential clients only.",
        said="{name} no longer asks for consent",
    ),
    _Switch(
        verb="prefer-short-username",
        member="short_username",
        value=True,
        summary="Tell this client user names without a domain: alice.",
        said="{name} is told user names without a domain",
    ),
    _Switch(
        verb="prefer-spn-username",
        member="short_username",
        value=False,
        summary="Tell this client user names with their domain, as is the default: alice@example.org.",
        said="{name} is told user names with their domain",
    ),
)


@command(
    "set-refresh-token-expiry",
    examples=[
        "sealwright system oauth2 set-refresh-token-expiry wiki 28800",
        "sealwright system oauth2 set-refresh-token-expiry wiki",
    ],
)
@click.argument("name")
@click.argument("seconds", type=click.IntRange(min=1), required=False)
@pass_context
def set_refresh_token_expiry(context: CommandContext, name: str, seconds: int | None) -> None:
    """Say how long a refresh token waits for its use; without SECONDS as long as the server's settings say."""
    _change(context, name, f"Refresh tokens of {name} have a new lifetime", refresh_seconds=seconds)


@command(
    "set-refresh-token-grace",
    examples=[
        "sealwright system oauth2 set-refresh-token-grace wiki 20",
        "sealwright system oauth2 set-refresh-token-grace wiki",
    ],
)
@click.argument("name")
@click.argument("seconds", type=click.IntRange(min=0, max=60), required=False)
@pass_context
def set_refresh_token_grace(context: CommandContext, name: str, seconds: int | None) -> None:
    """Say for how long a used refresh token is answered with the same new one again.

    So parallel requests and lost answers do no harm. 0 is never. Without SECONDS: 10 for a confidential client, 0 for a public
    one.
    """
    _change(context, name, f"Used refresh tokens of {name} have a new grace", refresh_grace_seconds=seconds)


@command(
    "show-basic-secret",
    examples=["sealwright system oauth2 show-basic-secret wiki"],
)
@click.argument("name")
@pass_context
def show_basic_secret(context: CommandContext, name: str) -> None:
    """Print the secret of a confidential client. That it was shown is recorded."""
    answer = context.connection().call("GET", "oauth2", "clients", name, "secret")
    context.output.say(answer["secret"])
    context.output.json(answer)


@command(
    "reset-basic-secret",
    examples=["sealwright system oauth2 reset-basic-secret wiki", "sealwright system oauth2 reset-basic-secret wiki --yes"],
    asks_first=True,
)
@click.argument("name")
@pass_context
def reset_basic_secret(context: CommandContext, name: str) -> None:
    """Give a confidential client a new secret, and print it. The old one stops working at once."""
    told = [f"Wherever {name} runs it needs the new secret: with the old one it gets no tokens from now on."]
    ask_first(context, f"Give {name} another secret?", lambda: told)
    answer = context.connection().call("POST", "oauth2", "clients", name, "secret")
    context.output.say(answer["secret"])
    context.output.json(answer)


for each in (
    create,
    create_public,
    get,
    list_,
    delete,
    set_displayname,
    set_landing_url,
    add_redirect_url,
    remove_redirect_url,
    update_scope_map,
    delete_scope_map,
    *(switch.command() for switch in _SWITCHES),
    set_refresh_token_expiry,
    set_refresh_token_grace,
    show_basic_secret,
    reset_basic_secret,
):
    oauth2.add_command(each)
system.add_command(oauth2)
