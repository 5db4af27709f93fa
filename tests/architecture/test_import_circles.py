"""No module needs itself by way of others, not even for a type: each can be read, and moved, from the bottom up."""

import ast
from graphlib import CycleError, TopologicalSorter

from tests.architecture.syntax import statements
from tests.architecture.test_budgets import FILES, SOURCE


def module_name(path):
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in FILES}


def imported_by(path):
    """The modules of ours that a file names in an import, for types and within functions too."""
    for node in statements(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def graph(modules=MODULES):
    return {name: {other for other in imported_by(path) if other in modules and other != name} for name, path in modules.items()}


def circle_in(found):
    try:
        TopologicalSorter(found).prepare()
    except CycleError as cycle:
        return cycle.args[1]
    return []


def test_no_import_leads_back_to_where_it_began():
    assert circle_in(graph()) == []


def test_import_for_a_type_is_seen(tmp_path):
    circle = {"a": tmp_path / "a.py", "b": tmp_path / "b.py"}
    circle["a"].write_text("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import b\n")
    circle["b"].write_text("def later():\n    from a import x\n")
    assert sorted(set(circle_in(graph(circle)))) == ["a", "b"]
