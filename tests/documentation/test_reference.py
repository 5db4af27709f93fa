"""The reference pages are what the code says, and everything in the code is described."""

import re
import shlex

import click
import pytest

from sealwright.audit import Event, Outcome
from sealwright.cli.commands import global_options
from sealwright.cli.program import tree
from sealwright.db.full_schema import metadata
from sealwright.runtime.supervisor import _FIXED_AT_THE_START
from sealwright.settings import ENVIRONMENT, SECTIONS, declared
from tests.reference_script import ROOT, reference

PAGES = (
    "settings.md",
    "commands.md",
    "endpoints.md",
    "errors.md",
    "audit-events.md",
    "tables.md",
    "limits.md",
    "clients.md",
    "grants.md",
    "requirements.md",
)
COMMANDS = {name: command for name, command, _ in reference().commands(tree(), ("sealwright",))}


def test_every_page_is_written():
    assert set(reference().pages()) == set(PAGES)
    assert {path.name for path in (ROOT / "docs" / "reference").iterdir()} == set(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_page_is_what_the_code_says(name):
    committed = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    assert committed == reference().pages()[name], f"docs/reference/{name} is out of date. Run: make docs"


def test_every_setting_is_described():
    assert [each.key for each in declared() if not each.description.endswith(".") or not each.form.__doc__] == []
    assert [section for section, shape in SECTIONS.items() if not shape.__doc__] == []
    assert [name for name, text in ENVIRONMENT.items() if not text] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_command_is_described(name):
    command = COMMANDS[name]
    assert (command.help or "").partition("\n")[0].endswith("."), name
    assert command.examples, name
    silent = [each.name for each in command.params if isinstance(each, click.Option) and not each.help]
    assert silent == []


def test_settings_that_need_a_new_start_are_named():
    text = reference().SETTINGS
    names = re.findall(r"[a-z_.]+", " ".join(name for _, name in _FIXED_AT_THE_START).replace(" or ", " "))
    assert [name for name in names if name not in text] == []


def test_global_options_are_described():
    assert [each.name for each in global_options(hidden=False) if not each.help] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_are_calls_of_their_command(name):
    """Each example is read by the command's own parser, which refuses options that it does not have."""
    command = COMMANDS[name]
    for example in "\n".join(command.examples).replace("\\\n", " ").splitlines():
        words = shlex.split(example)
        own = words[len(name.split()) :]
        assert words[: len(words) - len(own)] == name.split(), example
        given, rest, _ = command.make_parser(click.Context(command, info_name=name)).parse_args(own)
        missing = [each.name for each in command.params if each.required and not given.get(each.name)]
        assert (missing, rest) == ([], []), example


def test_every_event_is_described_and_recorded():
    assert [str(each) for each in (*Event, *Outcome) if not each.description.endswith(".")] == []
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    assert [each.name for each in Event if f"Event.{each.name}" not in source] == []


def test_every_table_is_described():
    assert [each.name for each in metadata.sorted_tables if not each.info.get("about", "").endswith(".")] == []
