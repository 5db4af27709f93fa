"""`sealwright apply` and `sealwright export`: people, groups, clients and provisioners as one YAML file."""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from sealwright.cli.commands import command
from sealwright.cli.context import CommandContext, pass_context, password_in_file
from sealwright.cli.errors import CommandFailed, ValueRefused, WrongUsage
from sealwright.cli.formatting import counted, listed

_MARKS = {"create": "+", "change": "~", "delete": "-"}
_DONE = {"create": "created", "change": "changed", "delete": "deleted"}
_MOST_FAULTS = 20


@command(
    "apply",
    examples=["sealwright apply -f example.yaml --dry-run", "sealwright apply -f example.yaml"],
)
@click.option(
    "-f",
    "--file",
    "file",
    metavar="FILE",
    required=True,
    type=click.Path(path_type=Path, allow_dash=True),
    help="The manifest; - for standard input.",
)
@click.option("--dry-run", is_flag=True, help="Change nothing; show what would change.")
@pass_context
def apply(context: CommandContext, file: Path, dry_run: bool) -> None:
    """Make people, groups, roles, clients and more what a manifest says: all of it or, where anything is refused, nothing.

    What the manifest does not name stays as it is, unless it says prune for that kind. A secret is read from the file or the
    environment variable that the manifest names, and never shown.
    """
    document, where = _read(context, file), "standard input" if str(file) == "-" else str(file)
    manifest = _with_images(_with_secrets(context, document.value, file), file)
    try:
        answer = context.connection().call("POST", "manifest", body=manifest, query={"dry_run": "true"} if dry_run else None)
    except CommandFailed as refusal:
        if not refusal.pointer:
            raise
        raise type(refusal)(
            f"{where}, line {document.line_of(refusal.pointer)}: {refusal.detail}",
            reasons=(*refusal.reasons, "nothing was applied"),
            hint=refusal.hint,
            kind=refusal.kind,
        ) from refusal
    for line in _lines_of(answer["changes"]):
        context.output.say(line)
    context.output.say(_summary(answer["changes"], dry_run=dry_run))
    context.output.json(answer)


def _read(context: CommandContext, file: Path) -> Any:
    """The document, whose names and types are right; raises ValueRefused with every fault and its line."""
    from sealwright.manifest import LARGEST_FILE, YamlRefused, faults_of, read_yaml

    where = "standard input" if str(file) == "-" else str(file)
    try:
        document = read_yaml(_text(context, file, LARGEST_FILE))
    except YamlRefused as cause:
        raise ValueRefused(f"{where}, line {cause.line}: the manifest {cause}.", reasons=("nothing was applied",)) from cause
    faults = faults_of(document.value, with_secrets=False)
    if faults:
        lines = [f"{where}, line {document.line_of(each.pointer)}: {each.detail} {each.hint}".rstrip() for each in faults]
        more = [f"and {counted(len(lines) - _MOST_FAULTS, 'fault')} more"] if len(lines) > _MOST_FAULTS else []
        raise ValueRefused(lines[0], reasons=(*lines[1:_MOST_FAULTS], *more, "nothing was applied"))
    return document


def _text(context: CommandContext, file: Path, at_most: int) -> str:
    from sealwright.cli.files import read_bytes

    if str(file) == "-":
        text = context.dependencies.stdin.read(at_most + 1)
        if len(text.encode("utf-8", "surrogateescape")) > at_most:
            raise ValueRefused(f"the manifest is longer than {at_most} bytes.", hint="Apply it in several files.")
        return text
    try:
        return read_bytes(file, at_most=at_most).decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        raise ValueRefused(f"{file} is not text in UTF-8.", hint="Save it as UTF-8.") from cause


def _with_secrets(context: CommandContext, manifest: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """The manifest with each reference to a secret replaced by the secret."""
    from sealwright.manifest import SECRETS, reference_of

    whole = dict(manifest)
    for kind, secrets in SECRETS.items():
        for name, entry in manifest.get(kind, {}).items():
            for member in secrets:
                reference = reference_of(entry.get(member))
                if reference is not None:
                    secret = _secret(context, reference, f"{member} of {name}", file)
                    whole[kind] = {**whole[kind], name: {**whole[kind][name], member: secret}}
    return whole


def _secret(context: CommandContext, reference: Any, what: str, manifest: Path) -> str:
    from sealwright.cli.files import read_bytes

    if reference.place == "env":
        found = context.dependencies.environ.get(reference.name)
        if not found:
            raise WrongUsage(
                f"the environment variable {reference.name} is not set; the manifest says that it holds the {what}.",
                hint=f"Set it for this command: {reference.name}=… sealwright apply …",
            )
        return str(found)
    path = _beside(reference.name, manifest)
    try:
        secret = password_in_file(read_bytes(path).decode())
    except UnicodeDecodeError as cause:
        raise ValueRefused(f"{path} is not text in UTF-8; the manifest says that it holds the {what}.") from cause
    if not secret:
        raise ValueRefused(f"{path} is empty; the manifest says that it holds the {what}.")
    return secret


def _with_images(manifest: dict[str, Any], file: Path) -> dict[str, Any]:
    """The manifest with each image that is named as a file in it."""
    from sealwright.cli.files import read_bytes
    from sealwright.client_metadata import LARGEST_IMAGE
    from sealwright.manifest import IMAGES, image_place_of

    whole = dict(manifest)
    for kind, images in IMAGES.items():
        for name, entry in manifest.get(kind, {}).items():
            for member in images:
                place = image_place_of(entry.get(member))
                if place is not None and place.place == "file":
                    content = read_bytes(_beside(place.text, file), at_most=LARGEST_IMAGE)
                    data = {"data": base64.b64encode(content).decode()}
                    whole[kind] = {**whole[kind], name: {**whole[kind][name], member: data}}
    return whole


def _beside(name: str, manifest: Path) -> Path:
    """A file that a manifest names: from the directory of the manifest on."""
    from sealwright.cli.files import typed_path

    path = typed_path(name)
    return path if path.is_absolute() or str(manifest) == "-" else manifest.parent / path


def _lines_of(changes: list[dict[str, Any]]) -> Iterator[str]:
    """The changes as lines to be printed."""
    for change in changes:
        yield f"{_MARKS[change['action']]} {change['kind']} {change['name']}"
        for member in change["members"]:
            yield from _lines_of_member(member["name"], member["before"], member["after"])


def _lines_of_member(name: str, before: Any, after: Any) -> Iterator[str]:
    if isinstance(before, list) or isinstance(after, list):
        old, new = before or [], after or []
        gone, come = [each for each in old if each not in new], [each for each in new if each not in old]
        if gone or come:
            yield f"    {name}:"
            yield from (f"      - {_value(each)}" for each in gone)
            yield from (f"      + {_value(each)}" for each in come)
        else:
            yield f"    {name}: another order: {', '.join(map(_value, new))}"
    elif isinstance(before, dict) or isinstance(after, dict):
        old, new = before or {}, after or {}
        for key in {**old, **new}:
            if old.get(key) != new.get(key):
                yield from _lines_of_member(f"{name}.{key}", old.get(key), new.get(key))
    elif before is None:
        yield f"    {name}: {_value(after)}"
    else:
        yield f"    {name}: {_value(before)} → {_value(after)}"


def _value(value: Any) -> str:
    if value is None:
        return "(none)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_value(each)}" for name, each in value.items())
    return str(value) or "(empty)"


def _summary(changes: list[dict[str, Any]], *, dry_run: bool) -> str:
    if not changes:
        return "Nothing to change: the server is as the manifest says."
    actions = [change["action"] for change in changes]
    counts = [f"{actions.count(action)} {word}" for action, word in _DONE.items() if action in actions]
    return f"{'Would be' if dry_run else 'Applied:'} {listed(counts)}."


_ENDINGS = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpg", b"GIF8": "gif", b"RIFF": "webp"}
"""What an image begins with → the ending of its file."""


@command(
    "export",
    examples=["sealwright export", "sealwright export --kind clients --kind groups", "sealwright export --images images"],
)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice(
        ["groups", "people", "service_accounts", "roles", "issuers", "clients", "trusted_issuers", "profiles", "provisioners"]
    ),
    help="Only this kind; repeatable. Default: all.",
)
@click.option(
    "--images",
    metavar="DIRECTORY",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write images of clients into files there, instead of into the manifest.",
)
@pass_context
def export(context: CommandContext, kinds: tuple[str, ...], images: Path | None) -> None:
    """Write what the server has as a manifest, which `apply` reads.

    No secret, password or key is in it: of a secret it names an environment variable. Provisioners that stand in files of the
    server are left out.
    """
    from sealwright.manifest import KINDS, VERSION, write_entry, write_heading, write_kind

    connection = context.connection()
    if context.output.as_json:
        found = {
            kind: {each["name"]: _apart(each["name"], each["entry"], images) for each in connection.pages("manifest", kind)}
            for kind in KINDS
            if not kinds or kind in kinds
        }
        context.output.json({"version": VERSION, **{kind: entries for kind, entries in found.items() if entries}})
        return
    sys.stdout.write(write_heading())
    for kind in KINDS:
        begun = False
        for each in connection.pages("manifest", kind) if not kinds or kind in kinds else ():
            entry = _apart(each["name"], each["entry"], images)
            sys.stdout.write(f"{'' if begun else write_kind(kind)}{write_entry(each['name'], entry)}")
            begun = True
    sys.stdout.flush()


def _apart(name: str, entry: dict[str, Any], directory: Path | None) -> dict[str, Any]:
    """An entry whose image, if it has one, was written into a file of a directory."""
    from sealwright.cli.files import NewFile
    from sealwright.client_metadata import is_client_name
    from sealwright.manifest import image_place_of

    place = image_place_of(entry.get("image"))
    if directory is None or place is None:
        return entry
    content = base64.b64decode(place.text)
    ending = next((ending for begins, ending in _ENDINGS.items() if content.startswith(begins)), None)
    if ending is None or not is_client_name(name):
        raise CommandFailed(f"The image of {name!r} is of no kind that is known here.", hint="Export without --images.")
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as cause:
        raise CommandFailed(f"{directory} cannot be made: {cause.strerror}.", hint="Name another directory.") from cause
    file = directory / f"{name}.{ending}"
    NewFile(file, content, mode=0o644).place(replace=True)
    return {**entry, "image": {"file": str(file)}}
