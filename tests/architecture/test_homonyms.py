"""A public class name exists once in the whole source, so that a reader who meets it knows which one is meant."""

import ast
from collections import defaultdict

from tests.architecture.test_budgets import FILES, SOURCE, definitions_in


def public_classes():
    """Name → the files that define a class so called."""
    found = defaultdict(list)
    for path in FILES:
        for node in definitions_in(path):
            if isinstance(node, ast.ClassDef) and node.col_offset == 0 and not node.name.startswith("_"):
                found[node.name].append(str(path.relative_to(SOURCE)))
    return found


def test_class_name_has_one_meaning_in_the_whole_source():
    twice = {name: files for name, files in public_classes().items() if len(files) > 1}
    assert twice == {}
