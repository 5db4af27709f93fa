"""Ask before something ends that does not come back, where there is a person at the terminal to be asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from sealwright.cli.context import CommandContext
from sealwright.cli.errors import CommandFailed, RefusedByServer
from sealwright.cli.formatting import counted, listed, parsed, until

Tell = Callable[[], Sequence[str]]


def ask_first(context: CommandContext, question: str, tell: Tell) -> None:
    """Say what will end, and ask; raises CommandFailed unless the answer is yes.

    A script is not asked: without a terminal, and with --yes, this returns at once and `tell` is not called.
    """
    if context.choices.yes or not context.output.asks():
        return
    for line in tell():
        context.output.note(line)
    if not context.output.confirmed(question):
        raise CommandFailed("Nothing was changed.", hint="To go on without being asked, add --yes.")


def ask_about_person(context: CommandContext, name: str, question: str, *, certificates: str, but: bool = False) -> None:
    """Ask before a person's sessions end. `certificates`: what becomes of theirs; `but`: consents and tokens stay."""

    def tell() -> list[str]:
        impact = context.connection().call("GET", "persons", name, "impact")
        ends = [_counted(impact, "session")]
        if not but:
            ends += [_counted(impact, "consent"), _counted(impact, "authorization")]
        return _lines(impact["name"], ends, f"{counted(impact['certificates'], 'certificate')} {certificates}.", impact)

    ask_first(context, question, tell)


def ask_about_group(context: CommandContext, name: str, *, even_if_used: bool) -> None:
    """Ask before a group is deleted; not where the server refuses it anyway, because it is used."""
    if context.choices.yes or not context.output.asks():
        return
    impact = context.connection().call("GET", "groups", name, "impact")
    if impact["used_by"] and not even_if_used:
        return
    lines = [f"{counted(impact['members'], 'member')} of {name} will not be in it any more; they stay themselves."]
    lines += [f"It is used by {each}, which loses it." for each in impact["used_by"]]
    ask_first(context, f"Delete the group {name}?", lambda: lines)


def ask_about_client(context: CommandContext, name: str, *, even_if_used: bool) -> None:
    """Ask before a client is deleted; not where the server refuses it anyway, because it is used."""
    if context.choices.yes or not context.output.asks():
        return
    impact = context.connection().call("GET", "oauth2", "clients", name, "impact")
    if impact["used_by"] and not even_if_used:
        return
    nouns = ("scope_map", "redirect_url", "consent", "authorization")
    lines = _lines(f"The client {name}", [_counted(impact, noun) for noun in nouns], "", impact)
    lines += [f"It is used by {each}, by which no one gets a certificate then." for each in impact["used_by"]]
    ask_first(context, f"Delete the client {name}?", lambda: lines)


def ask_about_provisioner(context: CommandContext, name: str) -> None:
    """Ask before a provisioner is removed."""

    def tell() -> list[str]:
        number = context.connection().call("GET", "provisioners", name, "impact")["certificates"]
        return [f"{counted(number, 'certificate')} that {name} vouched for: valid until expiry, and not renewed any more."]

    ask_first(context, f"Remove the provisioner {name}?", tell)


def ask_about_certificate(context: CommandContext, serial: str) -> None:
    """Ask before a certificate is revoked. Anyone who may revoke it and not see it is asked without seeing more."""

    def tell() -> list[str]:
        lines: list[str] = []
        with suppress(RefusedByServer):
            value = context.connection().call("GET", "certificates", serial)
            names = listed([each["value"] for each in value["names"]]) or value["subject_name"]
            moment = until(parsed(value["not_after"]), context.dependencies.now())
            lines.append(f"{value['serial']} ({names}), {moment}")
            if value["followed_by"]:
                lines.append(f"{counted(len(value['followed_by']), 'certificate')} renewed from it: not revoked with it.")
        return lines

    ask_first(context, "Revoke it? It cannot be undone.", tell)


def _counted(impact: Mapping[str, Any], noun: str) -> str:
    number = impact[f"{noun}s"]
    return counted(number, noun.replace("_", " ").replace("url", "URL")) if number else ""


def _lines(whose: str, ends: Sequence[str], more: str, impact: Mapping[str, Any]) -> list[str]:
    there = list(filter(None, ends))
    lines = [f"{whose} has {listed(there)}, which end." if there else f"{whose} has nothing open that would end."]
    return [*lines, more] if more and impact.get("certificates") else lines
