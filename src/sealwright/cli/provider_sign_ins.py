"""`sealwright oidc-provider sign-ins` and `explain`: why sign-ins with identity providers came out as they did."""

from __future__ import annotations

from typing import Any

import click

from sealwright.cli.commands import command
from sealwright.cli.context import CommandContext, pass_context

_PATH = ("auth", "oidc", "sign-ins")


@command("sign-ins", examples=["sealwright oidc-provider sign-ins", "sealwright oidc-provider sign-ins --provider ID"])
@click.option("--provider", "provider_id", metavar="ID", help="Only those with this identity provider.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="At most this many, the newest first.")
@pass_context
def sign_ins(context: CommandContext, provider_id: str | None, limit: int) -> None:
    """List sign-ins with identity providers of the last 30 days, the newest first."""
    query = {"provider_id": provider_id} if provider_id else {}
    found = []
    for each in context.connection().pages(*_PATH, query=query):
        found.append({**each, "why": each["reason"] or "signed in"})
        if len(found) == limit:
            break
    fields = (("AT", "at"), ("PROVIDER", "provider_name"), ("OUTCOME", "why"), ("SUBJECT", "subject"), ("ID", "id"))
    context.output.table(found, fields, empty="No one signed in with an identity provider in the last 30 days.")


@command("explain", examples=["sealwright oidc-provider explain 5b0c8f0e-8d6f-4c02-9d55-6f0a3c1f8e77"])
@click.argument("sign_in_id", metavar="SIGN_IN_ID")
@pass_context
def explain(context: CommandContext, sign_in_id: str) -> None:
    """Explain a sign-in: claim, groups, mappings, roles and permissions, or the check that failed."""
    found = context.connection().call("GET", *_PATH, sign_in_id)
    for line in explanation(found):
        context.output.say(line)
    context.output.json(found)


def explanation(found: dict[str, Any]) -> list[str]:
    """An explanation as lines of text."""
    lines = [f"{found['provider_name']}, {found['at']}: " + ("signed in" if found["outcome"] == "done" else "refused")]
    if found["reason"]:
        lines += [
            f"  failed check: {found['reason']}",
            f"  {found['detail']}",
            *([f"  {found['hint']}"] if found["hint"] else []),
        ]
    if found["subject"]:
        lines.append(f"  subject: {found['subject']}" + (f", which is {found['account']} here" if found["account"] else ""))
    if found["claim_source"]:
        total = f" of {found['groups_in_all']}" if found["groups_in_all"] > len(found["groups"]) else ""
        lines.append(f"  claim {found['claim']} ({found['claim_source']}): {', '.join(found['groups']) or 'empty'}{total}")
        lines += [f"  group {each['group']} gave {each['role_id']}: {_permissions(each)}" for each in found["mappings"]]
        lines += [f"  group {each} gave nothing" for each in found["unmapped_groups"]]
        lines += [f"  group {each['group']} is mapped as {each['mapped_as']}: every character counts" for each in found["near"]]
    else:
        lines.append(f"  claim {found['claim']}: not read")
    then = [(each["group"], each["role_id"]) for each in found["mappings"]]
    now = [(each["group"], each["role_id"]) for each in found["mappings_now"]]
    if then != now:
        lines.append("  by the mappings of now: " + (", ".join(f"{group} gives {role}" for group, role in now) or "no role"))
    return lines


def _permissions(mapping: dict[str, Any]) -> str:
    return ", ".join(mapping["permissions"]) or "the role is gone"
