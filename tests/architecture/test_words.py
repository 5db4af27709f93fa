"""What a text says of a thing that is something else: that it is not one. "No" before a noun is read as a number."""

import ast
import re

from tests.architecture.test_budgets import FILES, name_of, source_of

IS_NO = re.compile(
    r"(?<![Tt]here )\b(?:is|are) no (?!longer\b|more\b|one\b|other\b|better\b|such\b|room\b|need\b|way\b|use\b|place\b)[a-z]"
)


def texts_in(path):
    """Every text of a file that is not its documentation: what is shown, logged and recorded."""
    tree = ast.parse(source_of(path))
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.lineno, node.value


def test_text_says_of_a_thing_that_it_is_not_one():
    found = [f"{name_of(path)}:{line}: {text[:80]!r}" for path in FILES for line, text in texts_in(path) if IS_NO.search(text)]
    assert found == []
