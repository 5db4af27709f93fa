"""What a project that others join has beside its source, and that it keeps step."""

import hashlib
import importlib.metadata
import re
import tomllib

import pytest

import sealwright
from tests.architecture.test_budgets import ROOT, SOURCE

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
GUIDES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
APACHE_2 = "c71d239df91726fc519c6eb72d318ec65820627232b2f796219e87dcf35d0ab4"
"""SHA-256 of the licence as apache.org has it, without the empty line before it."""


def test_licence_is_the_text_that_the_project_names():
    assert PROJECT["project"]["license"] == "Apache-2.0"
    assert hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest() == APACHE_2


def test_version_has_one_source():
    assert "version" not in PROJECT["project"]
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert (ROOT / PROJECT["tool"]["hatch"]["version"]["path"]) == SOURCE / "__init__.py"
    assert importlib.metadata.version("sealwright") == sealwright.__version__


def test_newest_entry_of_the_changes_is_about_this_version():
    versions = re.findall(r"^## (\d+\.\d+\.\d+)\b", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == sealwright.__version__
    assert len(versions) == len(set(versions))


def test_package_says_that_it_is_typed():
    assert (SOURCE / "py.typed").read_text() == ""


@pytest.mark.parametrize("name", GUIDES)
def test_make_targets_that_are_named_exist(name):
    text = (ROOT / name).read_text()
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", text, re.MULTILINE))
    assert named <= TARGETS


def test_every_make_target_says_what_it_does():
    silent = re.findall(r"^([a-z]+):(?!.*## \S).*$", MAKEFILE, re.MULTILINE)
    assert silent == []


def test_what_make_quick_leaves_out_is_there_to_leave_out():
    left_out = re.search(r"^SLOW := (.+)$", MAKEFILE, re.MULTILINE)
    assert left_out is not None
    assert [name for name in left_out[1].split() if not (ROOT / name).exists()] == []


def test_hooks_before_a_commit_call_our_own_tools_and_fetch_nothing():
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    assert re.findall(r"repo: (\S+)", hooks) == ["local"]
    assert set(re.findall(r"language: (\S+)", hooks)) == {"system"}
    entries = re.findall(r"entry: (\S+)", hooks)
    assert len(entries) == hooks.count("- id: ")
    assert all(entry.startswith(".venv/dev/bin/") for entry in entries)


@pytest.mark.parametrize("path", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda path: path.name)
def test_workflows_may_nothing_by_default_and_run_only_what_is_named_by_its_digest(path):
    text = path.read_text()
    assert re.search(r"^permissions: \{\}$", text, re.MULTILINE)
    assert ": write" not in text
    assert "pull_request_target" not in text
    assert text.count("persist-credentials: false") == text.count("actions/checkout@")
    unpinned = [each for each in re.findall(r"uses: (\S+)", text) if not re.search(r"@[0-9a-f]{40}$", each)]
    unpinned += [each for each in re.findall(r"image: (\S+)", text) if not re.search(r"@sha256:[0-9a-f]{64}$", each)]
    assert unpinned == []


def test_workflows_call_make_targets_and_name_locks_that_exist():
    text = "".join(path.read_text() for path in (ROOT / ".github" / "workflows").glob("*.yml"))
    targets, locks = set(re.findall(r"run: make ([a-z-]+)", text)), set(re.findall(r"requirements[a-z-]*\.lock", text))
    assert targets
    assert targets <= TARGETS
    assert locks == {path.name for path in ROOT.glob("requirements*.lock")}


def test_owners_are_asked_for_places_that_exist_and_no_handle_is_made_up():
    lines = (ROOT / ".github" / "CODEOWNERS").read_text().splitlines()
    places = [line.removeprefix("# ") for line in lines if line.startswith("# /")]
    assert len(places) > 5
    assert [place for place in places if not list(ROOT.glob(place.strip("/")))] == []
    assert [line for line in lines if "@" in line] == []


def test_editors_break_lines_where_the_linter_does():
    told = re.search(r"max_line_length = (\d+)", (ROOT / ".editorconfig").read_text())
    assert told is not None
    assert int(told[1]) == PROJECT["tool"]["ruff"]["line-length"]


def test_security_page_names_no_mailbox():
    text = (ROOT / "SECURITY.md").read_text()
    assert "Report a vulnerability" in text
    assert not re.search(r"\S@\S", text)


def test_every_package_has_a_coverage_floor():
    floors = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["sealwright"]["coverage-floors"]
    packages = {each.name for each in (ROOT / "src" / "sealwright").iterdir() if (each / "__init__.py").exists()}
    assert set(floors) == packages | {"modules"}
