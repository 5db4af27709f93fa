"""Manifests are read with the line of each value, and written so that they are read as the same."""

import pytest

from sealwright.manifest import YamlRefused, read_yaml, write_entry, write_heading, write_kind
from sealwright.manifest.yaml_reader import DEEPEST, MOST_VALUES


def test_line_of_each_value_is_known():
    document = read_yaml("version: 1\npeople:\n  a/b:\n    mails:\n      - x\n      - y\n")
    assert document.value == {"version": 1, "people": {"a/b": {"mails": ["x", "y"]}}}
    assert document.line_of("/people/a~1b/mails/1") == 6
    assert document.line_of("/people/a~1b/mails/1/address") == 6
    assert document.line_of("/people/nobody") == 2
    assert document.line_of("") == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [("yes", "yes"), ("on", "on"), ("2026-12-24", "2026-12-24"), ("12:30", "12:30"), ("0123", "0123"), ("1_000", "1_000"),
     ("true", True), ("null", None), ("~", None), ("-7", -7), ("'7'", "7"), ("1e3", "1e3"), ("NO", "NO")],
)  # fmt: skip
def test_scalars_are_what_they_look_like(text, value):
    assert read_yaml(f"a: {text}").value == {"a": value}


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("a: &x [1]\nb: *x", 1, "anchor"),
        ("a: 1\nb: *x", 2, "alias"),
        ("a: 1\na: 2", 2, "twice"),
        ("a:\n  <<: {b: 1}", 2, "merge key"),
        ("a: !!python/object/apply:os.system ['true']", 1, "tag"),
        ("a: 1\n---\nb: 2", 2, "more than one document"),
        ("a: 1\nb: c: d", 2, "not YAML"),
        ("a: {b: [}", 1, "not YAML"),
        ("a: 1\n? [1]\n: 2", 2, "key that is not a text"),
        ("a: 1\nb: \x07", 2, "character"),
        ("a: 99999999999999999999", 1, "in quotes"),
        ("[" * (DEEPEST + 1), 1, "nested"),
        pytest.param(
            "\n".join(["a:", *("- x" for _ in range(MOST_VALUES))]), MOST_VALUES, "values", marks=pytest.mark.unmeasured
        ),
    ],
)
def test_what_is_not_plain_is_refused_with_its_line(text, line, why):
    with pytest.raises(YamlRefused, match=why) as refusal:
        read_yaml(text)
    assert refusal.value.line == line


def test_what_is_written_is_read_as_the_same():
    entry = {
        "yes": "no", "texts": ["null", "1", " led", "two\nlines", "ünï \u202e", "-----", "*", "&x", "!x", "#", "a: b", ""],
        "none": None, "true": True, "number": -3, "inner": {"~": "x", "empty": {}, "list": []},
    }  # fmt: skip
    text = write_heading() + write_kind("people") + write_entry("1", entry) + write_entry("null", {})
    assert read_yaml(text).value == {"version": 1, "people": {"1": entry, "null": {}}}


def test_long_lists_repeat_nothing_by_alias():
    shared = ["openid"]
    assert "*" not in write_entry("wiki", {"a": shared, "b": shared})
