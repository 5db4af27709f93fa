"""Each ``*.txt`` here is what a person sees: commands after ``$``, and below them what comes back.

In an expected line ``…`` stands for anything. ``[n]`` after the output is the exit code when it is not 0. Lines that begin with
``#`` are comments; ``# script`` at the top means that no one sits at the terminal. The commands are `sealwright`, `cat FILE`,
`echo TEXT > FILE`, and `echo TEXT | sealwright` for what is typed at a question; the people in them are made by the test.
"""

import re
import shlex
from pathlib import Path

import pytest

from tests.unit.cli.conftest import in_berlin  # noqa: F401 - used by every test here
from tests.unit.cli.terminal import terminal
from tests.unit.identity.world import PASSWORD

FILES = sorted(Path(__file__).parent.glob("*.txt"))


def steps_of(text):
    """Command and expected lines, in order."""
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found and not line.startswith("#"):
            found[-1][1].append(line)
    return [(command, "\n".join(lines).rstrip("\n")) for command, lines in found]


def run_step(shell, command, *, script):
    words = shlex.split(command)
    if words[0] == "cat":
        return (shell.place / words[1]).read_text().rstrip("\n")
    answer = ""
    if words[0] == "echo" and "|" in words:
        bar = words.index("|")
        answer, words = f"{' '.join(words[1:bar])}\n", words[bar + 1 :]
    if words[0] == "echo":
        shell.file(words[-1], f"{' '.join(words[1:-2])}\n")
        return ""
    assert words[0] == "sealwright", command
    done = shell.run(*words[1:], stdin=answer, tty=not script, environ={"NO_COLOR": "1"})
    text = f"{done.err}{done.out}".replace(str(shell.place), "~").rstrip("\n")
    return text if done.code == 0 else f"{text}\n[{int(done.code)}]"


def matches(expected, seen):
    return re.fullmatch(re.escape(expected).replace("…", ".*"), seen) is not None


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_transcript_is_what_is_seen(file, tmp_path):
    text = file.read_text()
    script = text.startswith("# script")
    with terminal(tmp_path) as shell:
        shell.person("root", "system_admins")
        shell.person("mallory")
        shell.file("root.pw", f"{PASSWORD}\n")
        shell.set_up_step_ca()
        for number, (command, expected) in enumerate(steps_of(text), 1):
            seen = run_step(shell, command, script=script)
            lines, seen_lines = expected.split("\n"), seen.split("\n")
            same = len(lines) == len(seen_lines) and all(map(matches, lines, seen_lines))
            assert same, f"step {number}: $ {command}\n--- expected\n{expected}\n--- seen\n{seen}"


def test_there_are_transcripts():
    assert len(FILES) >= 5
