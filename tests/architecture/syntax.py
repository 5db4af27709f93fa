"""Reads Python source as fast as it can be read: some files are read by several tests, and there are many."""

import ast


def statements(tree):
    """Every statement below a node, however deep. Expressions, which are most of a tree, are passed by."""
    found = [tree]
    for node in found:
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            found += getattr(node, name, ())
    return found[1:]


def dotted(expression):
    """A name as it is written, such as ``pytest.raises``; of what has no name, only the attributes of it."""
    if isinstance(expression, ast.Name):
        return expression.id
    if isinstance(expression, ast.Attribute):
        return f"{dotted(expression.value)}.{expression.attr}"
    return ""
