"""A public class name exists once in the whole source, so that a reader who meets it knows which one is meant."""

import ast
from collections import defaultdict

from tests.architecture.test_budgets import FILES, SOURCE

PROTOCOL = "to be renamed: the command line's view of the class of the same name in app/"
TO_BE_RENAMED = {
    "BackupReport": PROTOCOL,
    "Finding": "to be renamed: a broken rule in ca/, a result of doctor in app/ and cli/",
    "Group": "to be renamed: a group of commands in cli/, of people in identity/",
    "InitReport": PROTOCOL,
    "IssuerReport": PROTOCOL,
    "ServeReport": PROTOCOL,
}
"""The names that still mean two things. This list only becomes shorter."""


def public_classes():
    """Name → the files that define a class so called."""
    found = defaultdict(list)
    for path in FILES:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(str(path.relative_to(SOURCE)))
    return found


def test_class_name_has_one_meaning_in_the_whole_source():
    twice = {name: files for name, files in public_classes().items() if len(files) > 1 and name not in TO_BE_RENAMED}
    assert twice == {}


def test_name_that_has_one_meaning_leaves_the_list():
    found = public_classes()
    assert [name for name in TO_BE_RENAMED if len(found.get(name, ())) < 2] == []
