"""What the command says of itself."""

import ast
import contextlib
import io
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import click
import pytest

import sealwright
from sealwright import __version__
from sealwright.cli import run
from sealwright.cli.commands import Command
from sealwright.cli.dependencies import CommandDependencies
from sealwright.cli.program import COMMANDS, tree
from sealwright.settings import SettingsRefused, declared, load
from tests.unit.cli.terminal import Result


def plain(*arguments):
    """Run a command that needs no server; exit code, output and errors."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(arguments, server_side=lambda: None, dependencies=CommandDependencies(environ={}))  # type: ignore[arg-type,return-value]
    return Result(code, out.getvalue(), err.getvalue())


def every_command(group=None, path=()):
    group = group or tree()
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        if isinstance(found, click.Group):
            yield from every_command(found, (*path, name))
        else:
            yield (*path, name), found


ALL = dict(every_command())


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_help_of_every_command_says_what_it_does_and_shows_an_example(path):
    done = plain(*path, "--help")
    assert done.code == 0
    command = ALL[path]
    assert isinstance(command, Command)
    assert command.get_short_help_str(200) in " ".join(done.out.split())
    assert command.examples
    for example in command.examples:
        assert example in done.out
        assert example.startswith(("sealwright " + " ".join(path), "    "))


def test_every_option_and_every_command_is_explained():
    options = [
        (path, each.opts)
        for path, command in ALL.items()
        for each in command.params
        if isinstance(each, click.Option) and not each.help
    ]
    commands = [path for path, command in ALL.items() if not (command.help or "").split("\n")[0].endswith(".")]
    assert (options, commands) == ([], [])


def test_lines_of_the_overview_are_those_of_the_commands():
    group = tree()
    context = click.Context(group)
    for name, (_, line) in COMMANDS.items():
        found = group.get_command(context, name)
        assert found is not None
        assert line.endswith(".")
        if isinstance(found, click.Group):
            assert found.help == line


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_output_may_be_json_before_and_after_the_command(path):
    command = ALL[path]
    options = {name for parameter in command.params for name in parameter.opts}
    assert {"--output", "--debug"} <= options
    group = tree()
    assert {"--url", "--ca", "--name", "-D", "--output", "--debug"} <= {n for p in group.params for n in p.opts}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("persn",), "no such command 'persn'; perhaps 'person' was meant."),
        (("self", "whoami"), "no such command 'self'; perhaps 'whoami' was meant."),
        (("person", "session", "status"), "no such command 'session'; perhaps 'session list NAME' was meant."),
        (("person", "creat"), "no such command 'creat'; perhaps 'create' was meant."),
        (("person", "create"), "missing argument 'NAME'."),
        (("person", "list", "--frob"), "no such option '--frob'."),
        (("person", "list", "--deug"), "no such option '--deug'. Did you mean '--debug'?"),
        (("person", "get", "a", "b"), "got unexpected extra argument (b)."),
        (("whoami", "--output", "xml"), "'xml' is not one of 'text', 'json'."),
    ],
)
def test_wrong_usage_is_told_in_three_parts(arguments, words):
    done = plain(*arguments)
    assert (done.code, done.out) == (2, "")
    first, *rest = done.err.splitlines()
    assert first.startswith("Wrong usage: ")
    assert words in first
    assert not first.endswith(("?.", "?)."))
    assert rest[-1].startswith("  See: sealwright ")
    assert rest[-1].endswith(" --help")


@pytest.mark.parametrize("path", [(), ("person",), ("system", "oauth2")], ids=" ".join)
def test_group_without_a_command_shows_its_help(path):
    done = plain(*path)
    assert (done.code, done.out) == (2, "")
    assert done.err == plain(*path, "--help").out


def test_version():
    assert plain("version").out == f"Sealwright {__version__}\n"
    assert plain("version", "--output", "json").json == {"version": __version__}


def test_starting_costs_little():
    """Help must not wait for what it does not need."""
    code = "import sys, sealwright.__main__ as m\nsys.argv = ['sealwright', '--help']\ntry: m.main()\nexcept SystemExit: pass\n"
    code += (
        "print([n for n in ('http', 'ssl', 'cryptography', 'msgspec', 'sqlalchemy', 'tomlkit', 'asyncio') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_interrupted_command_says_so(shell):
    shell.failing = KeyboardInterrupt()
    done = shell.run("login", "-D", "x", "--password-file", "-", stdin="x")
    assert (done.code, done.err) == (130, "\nStopped.\n")


@pytest.mark.parametrize(
    ("typed", "meant"), [("user", "person"), ("client", "system oauth2"), ("cert", "certificate"), ("persn", "person")]
)
def test_mistyped_command_leads_to_what_was_meant(shell, typed, meant):
    done = shell.run(typed)
    assert (done.code, f"perhaps '{meant}' was meant" in done.err) == (2, True)


def test_version_is_printed_by_the_option_too(shell):
    assert shell.ok("--version").out == shell.ok("version").out


@pytest.mark.parametrize("arguments", [("--version", "-o", "json"), ("-o", "json", "--version"), ("version", "-o", "json")])
def test_version_is_one_object_where_json_is_asked_for(shell, arguments):
    assert shell.ok(*arguments).json == {"version": __version__}


def test_help_on_a_command_is_that_of_its_option(shell):
    assert shell.ok("help", "certificate", "issue").out == shell.ok("certificate", "issue", "--help").out
    assert "no command 'certificate isue'" in shell.run("help", "certificate", "isue").err


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_completion_is_printed_for_each_shell(shell, name):
    assert "_SEALWRIGHT_COMPLETE" in shell.ok("completion", name).out


def test_refused_setting_leads_to_help_that_is_installed(tmp_path):
    (tmp_path / "settings.toml").write_text("workers = -1\n")
    told = plain("help", "settings").out
    assert told.startswith("# Settings of this server.")
    assert [each.key for each in declared() if f"# {each.name} = " not in told or each.description not in told] == []
    with pytest.raises(SettingsRefused) as caught:
        load(tmp_path)
    assert caught.value.hint.endswith(": sealwright help settings")


@cache
def texts():
    """Every text in the source, with its file."""
    source = Path(sealwright.__file__).parent
    return [
        (str(file.relative_to(source)), node.value)
        for file in source.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def test_no_message_cites_a_page_that_is_not_installed():
    cited = {f"{file}: {text}" for file, text in texts() if "docs/" in text}
    docstring = {each for each in cited if each.startswith("audit/events.py: Every event there is.")}
    assert cited - docstring == set()


def test_messages_name_commands_that_there_are():
    """A hint that leads to no command is worse than none."""
    found = (re.findall(r": sealwright ((?:[a-z][a-z0-9-]*(?: |\b))+)", text) for _, text in texts())
    named = {words for each in found for words in each}
    assert len(named) > 10
    assert [words for words in sorted(named) if not is_command(words.split())] == []


def is_command(words):
    found: click.Command | None = tree()
    for word in words:
        if isinstance(found, click.Group):
            found = found.get_command(click.Context(found), word)
    return found is not None
