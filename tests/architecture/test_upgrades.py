"""A migration leaves in place what a program of the release before still uses, so that nodes are upgraded one by one."""

import ast
import re

import pytest

from tests.architecture.test_budgets import SOURCE

VERSIONS = SOURCE / "db" / "migrations" / "versions"
BEFORE_THE_RULE = "0050"
"""Databases of these revisions were never shared with a newer program."""
UNUSED: dict[str, str] = {}
"""Migration → since which release no program uses what it takes away."""
_TAKES_AWAY = {"drop_table", "drop_column", "drop_constraint", "rename_table", "alter_column"}
_NARROWS = {"create_unique_constraint", "create_check_constraint", "create_foreign_key"}
_STATEMENT = re.compile(r"\b(DROP\s+(TABLE|COLUMN)|RENAME|SET\s+NOT\s+NULL|ALTER\s+COLUMN)\b", re.IGNORECASE)


def faults(text):
    """What a migration does that an older program on the same database would not survive."""
    found, tree = [], ast.parse(text)
    made = {call.args[0].value for call in calls(tree, "create_table") if isinstance(call.args[0], ast.Constant)}
    for name in _TAKES_AWAY | _NARROWS:
        its = [call for call in calls(tree, name) if not (call.args and getattr(call.args[0], "value", None) in made)]
        found += [name for call in its if not only_widens(call)]
    for call in calls(tree, "add_column"):
        column = call.args[1]
        given = {each.arg: each.value for each in column.keywords}
        may_be_null = getattr(given.get("nullable"), "value", True)
        if not may_be_null and "server_default" not in given:
            found.append(f"add_column {column.args[0].value} NOT NULL without a default")
    for call in calls(tree, "create_index"):
        if any(each.arg == "unique" for each in call.keywords) and call.args[1].value not in made:
            found.append("create_index unique")
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    docstrings = {
        ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, ast.Module | ast.FunctionDef)
    }
    return found + [text for text in texts if text not in docstrings and _STATEMENT.search(text)]


def only_widens(call):
    """Whether a column may be empty from now on, and nothing else is changed."""
    given = {each.arg: each.value for each in call.keywords if each.arg != "existing_type"}
    return call.func.attr == "alter_column" and set(given) == {"nullable"} and getattr(given["nullable"], "value", False) is True


def calls(tree, name):
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name
    ]


def migrations():
    return [file for file in sorted(VERSIONS.glob("[0-9]*.py")) if file.name[:4] > BEFORE_THE_RULE]


def test_migration_only_adds_what_an_older_program_need_not_know():
    told = {file.name: found for file in migrations() if (found := faults(file.read_text()))}
    assert {name: found for name, found in told.items() if name not in UNUSED} == {}
    assert set(UNUSED) <= set(told)
    assert migrations()


@pytest.mark.parametrize(
    "line",
    [
        "op.drop_table('accounts')",
        "op.drop_column('accounts', 'name')",
        "op.rename_table('accounts', 'people')",
        "op.alter_column('accounts', 'name', nullable=False)",
        "op.add_column('accounts', sa.Column('age', sa.Integer(), nullable=False))",
        "op.create_index('ix', 'accounts', ['name'], unique=True)",
        "op.create_unique_constraint('uq', 'accounts', ['name'])",
        "op.execute('ALTER TABLE accounts RENAME COLUMN name TO called')",
        "op.execute('drop table accounts')",
    ],
)
def test_what_an_older_program_would_not_survive_is_seen(line):
    assert faults(f"def upgrade():\n    {line}\n")


@pytest.mark.parametrize(
    "line",
    [
        "op.create_table('people', sa.Column('name', sa.Text(), nullable=False))",
        "op.add_column('accounts', sa.Column('age', sa.Integer(), nullable=True))",
        "op.add_column('accounts', sa.Column('age', sa.Integer(), nullable=False, server_default='0'))",
        "op.create_index('ix', 'accounts', ['name'])",
        "op.execute('UPDATE accounts SET age = 1')",
        "op.alter_column('accounts', 'age', existing_type=sa.Integer(), nullable=True)",
    ],
)
def test_what_only_adds_is_allowed(line):
    assert faults(f"def upgrade():\n    {line}\n") == []
