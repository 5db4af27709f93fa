"""`sealwright system oauth2 trusted-issuer`: whose tokens clients may present, and for what they are accepted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from sealwright.cli.commands import CommandGroup, command
from sealwright.cli.confirmation import ask_first
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.durations import typed_seconds
from sealwright.cli.errors import ExitCode
from sealwright.cli.files import read_bytes

trusted_issuer = CommandGroup(
    "trusted-issuer", help="Issuers, such as a Kubernetes cluster or a CI system, whose tokens are taken for access tokens."
)
_PLACE = ("oauth2", "trusted-issuers")
_FIELDS = (
    ("name", "name"),
    ("issuer", "issuer_url"),
    ("audience", "audience"),
    ("keys", "keys"),
    ("each token", "used"),
    ("rules", "rules"),
)


def shown_rule(rule: Mapping[str, Any]) -> str:
    """A rule in one line."""
    conditions = ", ".join(f"{claim}={pattern}" for claim, pattern in rule["conditions"].items())
    speaks_of = rule["service_account"] or rule["client"]
    scopes = " ".join(rule["scopes"]) or "all scopes"
    return f"{rule['id']} {conditions}: {rule['client']} as {speaks_of}, {scopes}, {rule['lifetime_seconds']} s"


@command(
    "create",
    examples=[
        "sealwright system oauth2 trusted-issuer create github https://token.actions.githubusercontent.com",
        "sealwright system oauth2 trusted-issuer create cluster https://kubernetes.default.svc --jwks-file jwks.json --reusable",
    ],
)
@click.argument("name")
@click.argument("issuer_url", metavar="URL")
@click.option("--audience", metavar="TEXT", help="What aud of its tokens has to hold; the address of this server otherwise.")
@click.option("--jwks-uri", metavar="URL", help="Where its keys are, if not found by discovery.")
@click.option(
    "--jwks-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Its public keys, if they cannot be fetched.",
)
@click.option("--reusable", is_flag=True, help="Take a token more than once, as long as it is valid.")
@pass_context
def create(
    context: CommandContext,
    name: str,
    issuer_url: str,
    audience: str | None,
    jwks_uri: str | None,
    jwks_file: Path | None,
    reusable: bool,
) -> None:
    """Trust an issuer. Its tokens are accepted for nothing until a rule says so."""
    body = {
        "name": name,
        "issuer_url": issuer_url,
        "audience": audience,
        "jwks_uri": jwks_uri,
        "jwks": None if jwks_file is None else _key_set(jwks_file),
        "reusable": reusable,
    }
    made = context.connection().call("POST", *_PLACE, body=body)
    context.output.confirm(f"Tokens of {issuer_url} for {made['audience']} are trusted as {name}")
    if context.output.tells_next_steps:
        context.output.note("Next, say what they are accepted for:")
        context.output.note(f"  sealwright system oauth2 trusted-issuer add-rule {name} --client CLIENT --when CLAIM=VALUE")
    context.output.json(made)


@command("list", examples=["sealwright system oauth2 trusted-issuer list"])
@pass_context
def list_(context: CommandContext) -> None:
    """List the issuers whose tokens are taken for access tokens."""
    context.output.table(
        list(context.connection().pages(*_PLACE)),
        (("NAME", "name"), ("ISSUER", "issuer_url"), ("AUDIENCE", "audience")),
        empty="No issuer is trusted. List one with: sealwright system oauth2 trusted-issuer create NAME URL",
    )


@command("get", examples=["sealwright system oauth2 trusted-issuer get github"])
@click.argument("name")
@pass_context
def get(context: CommandContext, name: str) -> None:
    """Show a trusted issuer with its rules."""
    _show(context, context.connection().call("GET", *_PLACE, name))


def _show(context: CommandContext, value: Mapping[str, Any]) -> None:
    keys = f"{len(value['jwks']['keys'])} listed" if value["jwks"] else value["jwks_uri"] or "by discovery"
    used = "until it ends" if value["reusable"] else "once"
    rules = value["rules"] if context.output.as_json else [shown_rule(each) for each in value["rules"]]
    context.output.record({**value, "keys": keys, "used": used, "rules": rules}, _FIELDS)


@command(
    "update",
    examples=[
        "sealwright system oauth2 trusted-issuer update cluster --jwks-file new-keys.json",
        "sealwright system oauth2 trusted-issuer update github --audience https://id.example.org --once",
    ],
)
@click.argument("name")
@click.option("--audience", metavar="TEXT", help="What aud of its tokens has to hold; empty for the address of this server.")
@click.option("--jwks-uri", metavar="URL", help="Where its keys are, in place of what was given before.")
@click.option(
    "--jwks-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Its public keys, in place of what was given before.",
)
@click.option("--discover-keys", is_flag=True, help="Find its keys by discovery, in place of what was given before.")
@click.option("--reusable/--once", default=None, help="Whether a token is taken more than once, as long as it is valid.")
@pass_context
def update(
    context: CommandContext,
    name: str,
    audience: str | None,
    jwks_uri: str | None,
    jwks_file: Path | None,
    discover_keys: bool,
    reusable: bool | None,
) -> None:
    """Change how tokens of an issuer are verified. What its rules gave ends at once, unless all that was verified still is."""
    sources = (jwks_uri is not None) + (jwks_file is not None) + discover_keys
    if sources > 1:
        raise click.UsageError("Give one of --jwks-uri, --jwks-file and --discover-keys.")
    body: dict[str, Any] = {}
    if audience is not None:
        body["audience"] = audience or None
    if sources:
        body |= {"jwks_uri": jwks_uri, "jwks": None if jwks_file is None else _key_set(jwks_file)}
    if reusable is not None:
        body["reusable"] = reusable
    if not body:
        raise click.UsageError("Nothing is to be changed. Give an option such as --audience or --jwks-file.")
    _show(context, context.connection().call("PATCH", *_PLACE, name, body=body))


@command(
    "delete",
    examples=[
        "sealwright system oauth2 trusted-issuer delete github",
        "sealwright system oauth2 trusted-issuer delete github --yes",
    ],
    asks_first=True,
)
@click.argument("name")
@pass_context
def delete(context: CommandContext, name: str) -> None:
    """Trust an issuer no more. What its tokens were given for ends at once."""
    ask_first(context, f"Trust {name} no more?", lambda: ["Its rules are gone, and every access token that they gave ends."])
    context.connection().call("DELETE", *_PLACE, name)
    context.output.confirm(f"Trusts {name} no more")
    context.output.json({"name": name, "deleted": True})


@command(
    "add-rule",
    examples=[
        "sealwright system oauth2 trusted-issuer add-rule github --client deploy --when repository=example/shop --scope deploy",
        "sealwright system oauth2 trusted-issuer add-rule cluster --client deploy --service-account robot --when 'sub=system:*'",
    ],
)
@click.argument("name")
@click.option("--client", required=True, metavar="CLIENT", help="Who presents them, and for whom access tokens are made.")
@click.option(
    "--when",
    "conditions",
    metavar="CLAIM=VALUE",
    multiple=True,
    required=True,
    help="What a claim has to be; may be repeated. * stands for any characters but / and :, ** for any.",
)
@click.option("--service-account", metavar="NAME", help="Of whom the access tokens speak; of the client itself otherwise.")
@click.option("--scope", "scopes", metavar="SCOPE", multiple=True, help="The most that they may have; may be repeated.")
@click.option("--lifetime", metavar="DURATION", help="How long they are valid: 1m to 1h; as usual for a client otherwise.")
@pass_context
def add_rule(
    context: CommandContext,
    name: str,
    client: str,
    conditions: tuple[str, ...],
    service_account: str | None,
    scopes: tuple[str, ...],
    lifetime: str | None,
) -> None:
    """Say which tokens of a trusted issuer are accepted for which access tokens. All conditions have to be fulfilled."""
    body = {
        "client": client,
        "conditions": _conditions(conditions),
        "service_account": service_account,
        "scopes": list(scopes),
        "lifetime_seconds": None if lifetime is None else typed_seconds("--lifetime", lifetime),
    }
    made = context.connection().call("POST", *_PLACE, name, "rules", body=body)
    context.output.confirm(f"Added the rule {shown_rule(made)}")
    context.output.json(made)


@command(
    "update-rule",
    examples=[
        "sealwright system oauth2 trusted-issuer update-rule github 0b9c8a52-3a55-4a36-9d35-6f0a2f0d1c11 --when ref=main",
        "sealwright system oauth2 trusted-issuer update-rule github 0b9c8a52-3a55-4a36-9d35-6f0a2f0d1c11 --lifetime 15m",
    ],
)
@click.argument("name")
@click.argument("rule_id")
@click.option(
    "--when",
    "conditions",
    metavar="CLAIM=VALUE",
    multiple=True,
    help="What a claim has to be, in place of all conditions that it has; may be repeated.",
)
@click.option("--scope", "scopes", metavar="SCOPE", multiple=True, help="The most that they may have; may be repeated.")
@click.option("--all-scopes", is_flag=True, help="They may have all that the scope maps of the client give.")
@click.option("--lifetime", metavar="DURATION", help="How long they are valid: 1m to 1h; empty for as long as usual.")
@pass_context
def update_rule(
    context: CommandContext,
    name: str,
    rule_id: str,
    conditions: tuple[str, ...],
    scopes: tuple[str, ...],
    all_scopes: bool,
    lifetime: str | None,
) -> None:
    """Change a rule in its place. What it gave ends at once, where its conditions or scopes are others."""
    if scopes and all_scopes:
        raise click.UsageError("Give one of --scope and --all-scopes.")
    body: dict[str, Any] = {}
    if conditions:
        body["conditions"] = _conditions(conditions)
    if scopes or all_scopes:
        body["scopes"] = list(scopes)
    if lifetime is not None:
        body["lifetime_seconds"] = typed_seconds("--lifetime", lifetime) if lifetime else None
    if not body:
        raise click.UsageError("Nothing is to be changed. Give an option such as --when or --scope.")
    changed = context.connection().call("PATCH", *_PLACE, name, "rules", rule_id, body=body)
    context.output.confirm(f"Changed the rule to {shown_rule(changed)}")
    context.output.json(changed)


@command(
    "delete-rule",
    examples=["sealwright system oauth2 trusted-issuer delete-rule github 0b9c8a52-3a55-4a36-9d35-6f0a2f0d1c11"],
)
@click.argument("name")
@click.argument("rule_id")
@pass_context
def delete_rule(context: CommandContext, name: str, rule_id: str) -> None:
    """Remove a rule of a trusted issuer. What was made by it ends at once."""
    context.connection().call("DELETE", *_PLACE, name, "rules", rule_id)
    context.output.confirm(f"Deleted the rule {rule_id} of {name}")
    context.output.json({"name": name, "id": rule_id, "deleted": True})


def _key_set(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as cause:
        raise click.BadParameter(f"{path} is not a JSON Web Key Set: {cause}", param_hint="--jwks-file") from cause


def _conditions(given: Sequence[str]) -> dict[str, str]:
    wrong = next((each for each in given if "=" not in each[1:]), None)
    if wrong is not None:
        raise click.BadParameter(f"{wrong!r} is not a condition such as sub=VALUE.", param_hint="--when")
    claims = [each.partition("=")[0] for each in given]
    twice = next((claim for claim in claims if claims.count(claim) > 1), None)
    if twice is not None:
        raise click.BadParameter(f"The claim {twice} has two conditions. Give one, with a pattern.", param_hint="--when")
    return {claim: pattern for claim, _, pattern in (each.partition("=") for each in given)}


_EXPLAINED = (
    ("token", "verdict"),
    ("that is", "detail"),
    ("issuer", "issuer"),
    ("subject", "subject"),
    ("until", "expires_at"),
    ("rules", "rules"),
)


@command(
    "explain",
    examples=["sealwright system oauth2 trusted-issuer explain job.token", "sealwright system oauth2 trusted-issuer explain -"],
)
@click.argument("file", metavar="FILE")
@pass_context
def explain(context: CommandContext, file: str) -> int:
    """Tell why a token of another issuer would be taken or refused. It is not used up, and nothing of it is kept.

    FILE holds the token; - reads standard input. Exit code 0 if it would be taken, else 1.
    """
    text = context.dependencies.stdin.read() if file == "-" else read_bytes(Path(file)).decode("utf-8", "replace")
    value = context.connection().call("POST", "oauth2", "assertions", "explain", body={"assertion": text.strip()})
    verdict = "taken" if value["taken"] else f"refused by the check of: {value['failed']}"
    rules = value["rules"] if context.output.as_json else [_judged(each) for each in value["rules"]]
    context.output.record({**value, "verdict": verdict, "rules": rules}, _EXPLAINED)
    return ExitCode.DONE if value["taken"] else ExitCode.FAILED


def _judged(rule: Mapping[str, Any]) -> str:
    """A rule in one line, with what is wrong for it."""
    who = f"{rule['id']} {rule['client']} as {rule['service_account'] or rule['client']}"
    if rule["lacking"]:
        return f"{who}: no, {'; '.join(rule['lacking'])}"
    return f"{who}: {'this one counts' if rule['counts'] else 'fits, but an earlier one counts'}"


for each in (create, list_, get, update, delete, add_rule, update_rule, delete_rule, explain):
    trusted_issuer.add_command(each)
