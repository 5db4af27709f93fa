"""Plain words: those of the RFCs and of Python's documentation, and sentences that are read once."""

import ast
import re

from tests.architecture.test_budgets import FILES, ROOT, name_of, source_of

FOREIGN = re.compile(r"\b(?:octets?|some ?body|anybody|everybody|whoever)\b", re.IGNORECASE)
"""Words that no newcomer expects: byte, someone, anyone, everyone and anyone who are the plain ones."""
IS_NO = re.compile(
    r"(?<![Tt]here )\b(?:is|are) no (?!longer\b|more\b|one\b|other\b|better\b|such\b|room\b|need\b|way\b|use\b|place\b)[a-z]"
)


def texts_in(path):
    """Every text of a file that is not its documentation: what is shown, logged and recorded."""
    nodes = list(ast.walk(ast.parse(source_of(path))))
    documentation = {
        id(node.body[0].value)
        for node in nodes
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.lineno, node.value


def test_text_says_of_a_thing_that_it_is_not_one():
    """ "No" before a noun is read as a number."""
    found = [f"{name_of(path)}:{line}: {text[:80]!r}" for path in FILES for line, text in texts_in(path) if IS_NO.search(text)]
    assert found == []


def test_source_and_pages_use_plain_words():
    pages = [path for ending in ("*.md", "*.html") for place in ("docs", "src") for path in (ROOT / place).rglob(ending)]
    found = [
        f"{name_of(path)}:{number}: {match[0]}"
        for path in (*FILES, *ROOT.glob("*.md"), *pages)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        for match in FOREIGN.finditer(line)
        if match[0] != "OCTET"  # the ASN.1 type OCTET STRING
    ]
    assert found == []
