"""What the pages say of files, commands, settings and each other is there."""

import re
import shlex
from pathlib import Path

import click
import pytest

from sealwright.cli.program import tree
from sealwright.settings import parse
from tests.documentation.pages import blocks
from tests.reference_script import ROOT

PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")])
OPERATORS = frozenset("();<>|&")
FOREIGN = re.compile(
    r"/work\b|/tmp\b|/root\b(?!/\{)|\bTODO\b|\bFIXME\b|(?<![a-z], )\bissue \d+\b|\bitem \d+\b|\bhelper\b|\bfor now\b",
    re.IGNORECASE,
)


def label(page):
    return str(page.relative_to(ROOT))


def prose(page):
    """The page without its blocks of code."""
    return re.sub(r"^ {0,3}```.*?^ {0,3}```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(page):
    """What can stand behind a number sign in a link to this page."""
    headings = re.findall(r"^#+ +(.*?) *$", prose(page), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)).lower().replace(" ", "-") for heading in headings
    }


@pytest.mark.parametrize("page", PAGES, ids=label)
def test_links_lead_somewhere(page):
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        other = (page.parent / path).resolve() if path else page
        if not other.exists() or (anchor and anchor not in anchors(other)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=label)
def test_page_says_nothing_of_our_machines_and_plans(page):
    assert FOREIGN.findall(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", PAGES, ids=label)
def test_files_that_are_named_exist(page):
    named = re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.py|(?:[a-z_]+/)+)`", prose(page))
    home = {"provisioners/", "certs/", "run/", "secrets/"}
    places = [ROOT, ROOT / "src" / "sealwright"]
    missing = {name for name in named if not any((place / name).exists() for place in places)} - home
    assert {name for name in missing if "/" in name or not any((ROOT / "src").rglob(name))} == set()


def calls(page):
    """Every call of our command in the blocks of a page, as words."""
    for block in blocks(page):
        if block.language in ("sh", "console"):
            for line in block.text.replace("\\\n", " ").splitlines():
                if not line.removeprefix("$ ").lstrip().startswith("sealwright "):
                    continue  # quotes of other commands may end on a later line
                words = list(shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars=True))
                words = words[: next((at for at, word in enumerate(words) if set(word) <= OPERATORS), len(words))]
                if words[:1] == ["sealwright"]:
                    yield words


@pytest.mark.parametrize("page", [page for page in PAGES if page.parent.name != "reference"], ids=label)
def test_commands_are_commands_that_there_are(page):
    for words in calls(page):
        command: click.Command | None = tree()
        rest = words[1:]
        while isinstance(command, click.Group) and rest:
            command, rest = command.get_command(click.Context(command), rest[0]), rest[1:]
        assert command is not None, words
        command.make_parser(click.Context(command)).parse_args(rest)


@pytest.mark.parametrize("page", PAGES, ids=label)
def test_settings_are_settings_that_there_are(page):
    for block in blocks(page):
        if block.language == "toml":
            assert parse(block.text, Path("settings.toml")).name


def test_every_page_is_linked_to():
    """A page that nothing links to is not found."""
    linked = {
        (page.parent / target.partition("#")[0]).resolve()
        for page in PAGES
        for target in re.findall(r"\]\(([^)\s]+)\)", prose(page))
    }
    assert [label(page) for page in PAGES if page not in linked and page.name != "README.md"] == []
