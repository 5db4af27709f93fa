"""`sealwright approval`: what waits for the consent of others, and deciding about it."""

from __future__ import annotations

import time
from typing import Any

import click

from sealwright.cli.certificate_content import CONTENT_FIELDS, content_in_words
from sealwright.cli.commands import CommandGroup, command
from sealwright.cli.context import CommandContext, pass_context
from sealwright.cli.durations import typed_duration, typed_seconds
from sealwright.cli.errors import ExitCode
from sealwright.cli.formatting import parsed, stamp
from sealwright.cli.held_changes import tell_change

approval = CommandGroup("approval", help="What needs the approval of others, and deciding about it.")

_COLUMNS = (("ID", "id"), ("STATE", "state"), ("WHAT", "title"), ("ASKED BY", "requester"), ("UNTIL", "until"))
_FIELDS = (
    ("what", "title"),
    ("state", "state"),
    ("asked by", "requester"),
    ("at", "at"),
    ("until", "until"),
    *CONTENT_FIELDS,
    ("serial", "serial"),
    ("bytes", "bytes"),
    ("before", "previous"),
    ("different", "different"),
    ("change", "change"),
    ("because", "reasons"),
    ("votes", "votes_text"),
    ("waits for", "waiting"),
    ("result", "result"),
)
_SECONDS_BETWEEN = 2.0
_comment = click.option("--comment", metavar="TEXT", default="", help="What you have to say about it; kept on record.")


@command("list", examples=["sealwright approval list", "sealwright approval list --mine", "sealwright approval list --all"])
@click.option("--mine", "which", flag_value="mine", help="What you asked for.")
@click.option("--all", "which", flag_value="all", help="Everything, also what is decided.")
@click.option("--waiting", "which", flag_value="waiting", default=True, help="What waits for your decision. The default.")
@pass_context
def list_(context: CommandContext, which: str) -> None:
    """List requests, newest first: those that wait for your decision, unless you ask for others."""
    values = context.connection().pages("approvals", query={"show": which})
    empty = {"waiting": "Nothing waits for your decision.", "mine": "You asked for nothing that needs approval."}
    shown = values if context.output.as_json else map(_shown, values)
    context.output.table(shown, _COLUMNS, empty=empty.get(which, "Nothing has needed approval yet."))


@command("show", examples=["sealwright approval show 019ab3c0…"])
@click.argument("request_id", metavar="ID")
@pass_context
def show(context: CommandContext, request_id: str) -> None:
    """Show a request: exactly what is asked for, why, what is different from before, and who decided what."""
    value = context.connection().call("GET", "approvals", request_id)
    context.output.record(value if context.output.as_json else _in_words(value), _FIELDS)


@command("approve", examples=["sealwright approval approve 019ab3c0… --comment 'new web server, ticket 4711'"])
@click.argument("request_id", metavar="ID")
@_comment
@pass_context
def approve(context: CommandContext, request_id: str, comment: str) -> None:
    """Approve a request. Each person counts once, and no one approves what they ask for themselves."""
    value = _post(context, request_id, "approve", {"comment": comment})
    context.output.confirm(f"Approved: {value['title']}. It is {value['state']} now")


@command("reject", examples=["sealwright approval reject 019ab3c0… --comment 'this name belongs to another team'"])
@click.argument("request_id", metavar="ID")
@_comment
@pass_context
def reject(context: CommandContext, request_id: str, comment: str) -> None:
    """Reject a request, which ends it. Who asked is told your name and the comment."""
    context.output.confirm(f"Rejected: {_post(context, request_id, 'reject', {'comment': comment})['title']}")


@command("withdraw", examples=["sealwright approval withdraw 019ab3c0…"])
@click.argument("request_id", metavar="ID")
@pass_context
def withdraw(context: CommandContext, request_id: str) -> None:
    """Take a request of your own back."""
    context.output.confirm(f"Withdrawn: {_post(context, request_id, 'withdraw')['title']}")


def _post(context: CommandContext, request_id: str, verb: str, body: dict[str, str] | None = None) -> dict[str, Any]:
    """What became of the request."""
    value: dict[str, Any] = context.connection().call("POST", "approvals", request_id, verb, body=body)
    context.output.json(value)
    return value


@command("wait", examples=["sealwright approval wait 019ab3c0… --timeout 1h"])
@click.argument("request_id", metavar="ID")
@click.option("--timeout", metavar="DURATION", default="7d", show_default=True, help="How long at most.")
@pass_context
def wait(context: CommandContext, request_id: str, timeout: str) -> int:
    """Wait until a request is decided. Exit code 0 when it was approved, 1 when it was not.

    Of a certificate: then run the command that asked for it once more.
    """
    ends = time.monotonic() + typed_duration("--timeout", timeout).total_seconds()
    connection = context.connection()
    value = connection.call("GET", "approvals", request_id)
    while value["state"] == "pending" and time.monotonic() + _SECONDS_BETWEEN <= ends:
        time.sleep(_SECONDS_BETWEEN)
        value = connection.call("GET", "approvals", request_id)
    context.output.say(f"{value['state']}: {value['title']}")
    context.output.json(value)
    return ExitCode.DONE if value["state"] in ("approved", "done") else ExitCode.FAILED


@command("rules", examples=["sealwright approval rules"])
@pass_context
def rules(context: CommandContext) -> None:
    """List which profiles, issuers and roles ask for approval, and of whom."""
    fields = (("OBJECT", "object"), ("RULE", "words"))
    context.output.table(context.connection().pages("approval-rules"), fields, empty="Nothing asks for approval.")


@command(
    "set-rule",
    examples=[
        "sealwright approval set-rule profile:step_leaf --group ca-approvers --votes 2",
        "sealwright approval set-rule role:r-admin --role r-admin",
    ],
)
@click.argument("guarded", metavar="OBJECT")
@click.option("--group", metavar="NAME", help="Its members may approve, also members of groups in it.")
@click.option("--role", metavar="ROLE", help="Or those who hold this role.")
@click.option("--votes", type=click.IntRange(1), default=1, show_default=True, help="How many people must approve.")
@click.option("--expires", metavar="DURATION", default="7d", show_default=True, help="How long a request is open.")
@click.option("--renewals", is_flag=True, help="Ask again when an approved certificate is renewed.")
@pass_context
def set_rule(
    context: CommandContext, guarded: str, group: str | None, role: str | None, votes: int, expires: str, renewals: bool
) -> None:
    """Let profile:NAME, issuer:NAME or role:ID ask for approval. The change of a rule that stands needs that approval."""
    lasts = typed_seconds("--expires", expires)
    body = {"group": group, "role": role, "votes": votes, "expires_after": lasts, "renewals": renewals}
    value = context.connection().call("PUT", "approval-rules", guarded, body=body)
    tell_change(context, value, f"From now on {value.get('words', '')}")


@command("remove-rule", examples=["sealwright approval remove-rule profile:step_leaf"])
@click.argument("guarded", metavar="OBJECT")
@pass_context
def remove_rule(context: CommandContext, guarded: str) -> None:
    """Let something ask for approval no more. Those whom it asks must approve that, too."""
    value = context.connection().call("DELETE", "approval-rules", guarded)
    tell_change(context, value, f"{guarded} asks for no approval any more")


def _shown(value: dict[str, Any]) -> dict[str, Any]:
    return {**value, "until": stamp(parsed(value["expires_at"])), "at": stamp(parsed(value["created_at"]))}


def _in_words(value: dict[str, Any]) -> dict[str, Any]:
    content = value["content"]
    said = _shown(value)
    said["votes_text"] = [
        f"{each['person']}: {each['decision']}{': ' + each['comment'] if each['comment'] else ''}" for each in value["votes"]
    ]
    if value["kind"] != "certificate":
        return {**dict.fromkeys((member for _, member in _FIELDS), ""), **said, "change": _change(content)}
    return {**content, **said, **content_in_words(content), "change": ""}


def _change(content: dict[str, Any]) -> list[str]:
    """What is different between `before` and `after`, or everything that is new."""
    before, after = content.get("before") or {}, content.get("after")
    if after is None:
        return [f"{name}: {value}, now nothing" for name, value in before.items() if value not in (None, "")]
    return [f"{name}: {before.get(name, 'nothing')}, now {value}" for name, value in after.items() if before.get(name) != value]


for each in (list_, show, approve, reject, withdraw, wait, rules, set_rule, remove_rule):
    approval.add_command(each)
