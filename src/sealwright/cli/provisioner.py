"""`sealwright provisioner`: who may ask the certificate authority for what. Flags are those that step's users know."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from sealwright.cli.commands import CommandGroup, command
from sealwright.cli.confirmation import ask_about_provisioner
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.durations import days_as_hours
from sealwright.cli.errors import ValueRefused, WrongUsage

provisioner = CommandGroup("provisioner", help="Who may ask the certificate authority, and for what.")

_DURATIONS = (
    ("x509_min_dur", "minTLSCertDuration"),
    ("x509_default_dur", "defaultTLSCertDuration"),
    ("x509_max_dur", "maxTLSCertDuration"),
)
_SWITCHES = (
    ("disable_renewal", "disableRenewal"),
    ("allow_renewal_after_expiry", "allowRenewalAfterExpiry"),
    ("disable_smallstep_extensions", "disableSmallstepExtensions"),
)
_OIDC = (
    ("client_id", "clientID"),
    ("configuration_endpoint", "configurationEndpoint"),
    ("tenant_id", "tenantID"),
    ("admin", "admins"),
    ("domain", "domains"),
    ("group", "groups"),
    ("listen_address", "listenAddress"),
    ("scope", "scopes"),
    ("auth_param", "authParams"),
)


@command("list", examples=["sealwright provisioner list", "sealwright provisioner list -o json"])
@pass_context
def list_(context: CommandContext) -> None:
    """List provisioners."""
    values = context.connection().pages("provisioners")
    shown = values if context.output.as_json else map(_shown, values)
    fields = (("NAME", "name"), ("TYPE", "type"), ("FOR", "for"), ("LIFETIME", "lifetime"), ("RENEWAL", "renewal"))
    context.output.table(
        shown, fields, empty="There are no provisioners. Add one with: sealwright provisioner add NAME --type oidc …"
    )


def _shown(value: dict[str, Any]) -> dict[str, Any]:
    claims = value.get("claims") or {}
    return {
        **value,
        "for": value.get("clientID") or value.get("audience") or (value.get("key") or {}).get("kid"),
        "lifetime": claims.get("defaultTLSCertDuration") or (f"of {value['profile']}" if value.get("profile") else "24h"),
        "renewal": not claims.get("disableRenewal", False),
    }


@command("get", examples=["sealwright provisioner get Google"])
@click.argument("name")
@pass_context
def get(context: CommandContext, name: str) -> None:
    """Show a provisioner, without its secret. NAME may also be its id, by which the audit record calls it."""
    value = context.connection().call("GET", "provisioners", name)
    context.output.say(json.dumps(value, indent=2, ensure_ascii=False))
    context.output.json(value)


@command(
    "add",
    examples=[
        "sealwright provisioner add Google --type oidc --client-id ID --client-secret-file secret.txt \\",
        "    --configuration-endpoint https://accounts.google.com/.well-known/openid-configuration --domain example.org",
        "sealwright provisioner add ops --type jwk --password-file ops.pw",
        "sealwright provisioner add --from-file kanidm.json",
        "sealwright provisioner add jobs --type access-token --audience https://ca.example.org/jobs \\",
        "    --holder account:robot=shop.example.org --holder client:backup=backup.example.org,backup",
    ],
)
@click.argument("name", required=False)
@click.option(
    "--type", "kind", type=click.Choice(["oidc", "jwk", "access-token"], case_sensitive=False), help="Kind of provisioner."
)
@click.option(
    "--from-file", metavar="FILE", type=click.Path(path_type=Path, allow_dash=True), help="Read the definition from here."
)
@click.option("--client-id", metavar="ID", help="oidc: client at the provider.")
@click.option(
    "--client-secret", metavar="SECRET", help="oidc: its secret. Others on this machine can see it; better use the next."
)
@click.option("--client-secret-file", metavar="FILE", help="oidc: file with its secret; - for standard input.")
@click.option("--configuration-endpoint", metavar="URL", help="oidc: the provider's discovery document.")
@click.option("--tenant-id", metavar="ID", help="oidc: what {tenantid} in the provider's issuer stands for.")
@click.option(
    "--admin",
    metavar="WHO",
    multiple=True,
    help="oidc: who may have any name: an address, a group, or account:ID or group:ID of this server; repeatable.",
)
@click.option("--domain", metavar="DOMAIN", multiple=True, help="oidc: domains of mail addresses that are allowed; repeatable.")
@click.option(
    "--group",
    metavar="GROUP",
    multiple=True,
    help="oidc: groups of which one is needed, by name or group:ID, mostly with --scope groups; repeatable.",
)
@click.option("--listen-address", metavar="HOST:PORT", help="oidc: where the user's machine waits for the browser.")
@click.option(
    "--scope",
    metavar="SCOPE",
    multiple=True,
    help="oidc: scopes to ask for; repeatable. Default: openid and email. access-token: the one that a token needs: certificate.",
)
@click.option("--auth-param", metavar="KEY=VALUE", multiple=True, help="oidc: more for the authorization request; repeatable.")
@click.option("--create", is_flag=True, help="jwk: make a new key, as is the default.")
@click.option("--public-key", metavar="FILE", help="jwk: JSON file with the public key, in place of making one.")
@click.option("--password-file", metavar="FILE", help="jwk: password for the new key; - for standard input.")
@click.option("--profile", metavar="NAME", help="Profile of its certificates. Default: step_leaf.")
@click.option(
    "--issuer",
    metavar="NAME",
    help="The issuing CA that signs them. There is one at a time: leave it out.",
)
@click.option("--audience", metavar="URL", help="access-token: the resource that tokens are asked for.")
@click.option(
    "--holder",
    metavar="WHO=NAME,…",
    multiple=True,
    help="access-token: account:NAME of a service account, or client:NAME, and the names that it may have; repeatable.",
)
@click.option("--x509-min-dur", metavar="DURATION", help="Shortest lifetime of a certificate.")
@click.option("--x509-default-dur", metavar="DURATION", help="Lifetime when none is asked for.")
@click.option("--x509-max-dur", metavar="DURATION", help="Longest lifetime.")
@click.option("--disable-renewal", is_flag=True, help="Its certificates are not renewed.")
@click.option("--allow-renewal-after-expiry", is_flag=True, help="Its certificates are renewed even when they have expired.")
@click.option("--disable-smallstep-extensions", is_flag=True, help="Its certificates do not tell which provisioner vouched.")
@pass_context
def add(context: CommandContext, name: str | None, kind: str | None, from_file: Path | None, **given: Any) -> None:
    """Add a provisioner.

    Type oidc: people who sign in at an OpenID Connect provider. Type jwk: anyone who knows the password of a key; the key is
    made here, and only its sealed form leaves this machine. Type access-token: service accounts and clients, with an access token
    of this server. With --from-file the definition is read from a JSON file, in the form
    that a step-ca configuration holds.
    """
    if from_file is not None:
        if kind is not None or any(given.values()):
            raise WrongUsage("--from-file holds the whole definition; other options do not go with it.")
        definition = _read(context, from_file)
        if name is not None:
            definition["name"] = name
    else:
        if name is None or kind is None:
            raise WrongUsage("a provisioner needs a NAME and a --type, or --from-file.")
        definition = {
            "type": kind.upper(),
            "name": name,
            **_members(context, name, kind.lower(), given),
        }
        definition |= {member: given[member] for member in ("profile", "issuer") if given[member]}
        claims = _claims(given)
        if claims:
            definition["claims"] = claims
    made = context.connection().call("POST", "provisioners", body=definition)
    if made.get("groups") and "groups" not in made.get("scopes", ()):
        context.output.note(
            f"{made['name']} asks for groups, but not for the scope groups; most providers put groups into a token only then."
        )
    context.output.confirm(f"Added the provisioner {made['name']} ({made['type']})")
    context.output.json(made)


def _read(context: CommandContext, file: Path) -> dict[str, Any]:
    from sealwright.cli.files import read_bytes
    from sealwright.strict_json import JsonRefused, loads

    content = context.dependencies.stdin.read() if str(file) == "-" else read_bytes(file).decode("utf-8", "replace")
    try:
        definition = loads(content)
    except JsonRefused as cause:
        raise ValueRefused(f"{file} {cause}.") from cause
    if not isinstance(definition, dict):
        raise ValueRefused(f"{file} must hold one JSON object.")
    return definition


def _members(context: CommandContext, name: str, kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """What a definition of a type has beside type, name and claims."""
    if kind == "access-token":
        return _access_token(context, given)
    _only(given, "access-token", "audience", "holder")
    return _jwk(context, name, given) if kind == "jwk" else _oidc(context, given)


def _access_token(context: CommandContext, given: dict[str, Any]) -> dict[str, Any]:
    _only(given, "jwk", "create", "public_key", "password_file")
    _only(given, "oidc", "client_secret", "client_secret_file", *(option for option, _ in _OIDC if option != "scope"))
    if not given["audience"] or not given["holder"]:
        raise WrongUsage("a provisioner of type access-token needs --audience and --holder.")
    if len(given["scope"]) > 1:
        raise WrongUsage("a provisioner of type access-token needs one --scope, or none.")
    scope = {"scope": given["scope"][0]} if given["scope"] else {}
    return {"audience": given["audience"], **scope, "holders": [_holder(context, each) for each in given["holder"]]}


def _holder(context: CommandContext, text: str) -> dict[str, Any]:
    who, equals, names = text.partition("=")
    kind, _, name = who.partition(":")
    listed = [each.strip() for each in names.split(",") if each.strip()]
    if kind not in ("account", "client") or not name or not equals or not listed:
        raise WrongUsage(f"--holder is {text[:100]!r}; it is written as account:NAME=NAME,… or client:NAME=NAME,…")
    if kind == "client":
        return {"client": name, "names": listed}
    return {"account": context.connection().call("GET", "service-accounts", name)["id"], "names": listed}


def _oidc(context: CommandContext, given: dict[str, Any]) -> dict[str, Any]:
    _only(given, "jwk", "create", "public_key", "password_file")
    for option in ("client_id", "configuration_endpoint"):
        if not given[option]:
            raise WrongUsage(f"a provisioner of type oidc needs --{option.replace('_', '-')}.")
    if given["client_secret"] and given["client_secret_file"]:
        raise WrongUsage("--client-secret and --client-secret-file do not go together.")
    file = given["client_secret_file"]
    # a public client has no secret: an empty file says so
    secret = context.password(file, "", "--client-secret-file", may_be_empty=True) if file else given["client_secret"] or ""
    members = {member: list(value) if isinstance(value, tuple) else value for option, member in _OIDC if (value := given[option])}
    return {**members, "clientSecret": secret}


def _jwk(context: CommandContext, name: str, given: dict[str, Any]) -> dict[str, Any]:
    _only(given, "oidc", "client_secret", "client_secret_file", *(option for option, _ in _OIDC))
    if given["public_key"]:
        if given["create"] or given["password_file"]:
            raise WrongUsage("--public-key brings a key; --create and --password-file make one.")
        return {"key": _read(context, Path(given["public_key"]))}
    from sealwright.jose import new_sealed_jwk

    password = context.provisioner_password(name, given["password_file"])
    public, sealed = new_sealed_jwk(password.encode())
    return {"key": public, "encryptedKey": sealed}


def _claims(given: dict[str, Any]) -> dict[str, Any]:
    durations = {member: days_as_hours(given[option]) for option, member in _DURATIONS if given[option]}
    return durations | {member: True for option, member in _SWITCHES if given[option]}


def _only(given: dict[str, Any], kind: str, *options: str) -> None:
    for option in options:
        if given[option]:
            raise WrongUsage(f"--{option.replace('_', '-')} goes with --type {kind}.")


@command(
    "remove",
    examples=["sealwright provisioner remove Google", "sealwright provisioner remove Google --yes"],
    asks_first=True,
)
@click.argument("name")
@pass_context
def remove(context: CommandContext, name: str) -> None:
    """Remove a provisioner. Certificates that it vouched for are no longer renewed."""
    ask_about_provisioner(context, name)
    context.connection().call("DELETE", "provisioners", name)
    context.output.confirm(f"Removed the provisioner {name}")
    context.output.json({"name": name, "removed": True})


for each in (list_, get, add, remove):
    provisioner.add_command(each)
