import pytest

from sealwright.client_metadata import ClientKind, ClientMetadata, ServerDefaults, VerbEffect, effective, rows

VERBS = [(row, verb) for row in rows().values() for verb in row.declared.verbs]


@pytest.mark.parametrize("row", rows().values(), ids=lambda row: row.name)
def test_every_row_says_what_it_is_in_one_line(row):
    assert row.declared.doc.endswith(".")
    assert "\n" not in row.declared.doc
    assert row.declared.label
    assert (row.declared.usual is None) == (row.declared.usual_doc == "")
    assert row.required or row.default is not None or row.declared.usual is not None, "None means nothing without `usual`"


@pytest.mark.parametrize(("row", "verb"), VERBS, ids=lambda each: each.name)
def test_every_verb_sets_a_value_that_its_row_takes(row, verb):
    assert row.changeable
    assert verb.example.split()[0] == verb.name
    assert "{client}" in verb.said
    assert (verb.effect is VerbEffect.SET) or row.is_list
    if not verb.argument:
        assert verb.value in row.choices if row.choices else isinstance(verb.value, row.type)


def test_verbs_have_different_names():
    names = [name for _, verb in VERBS for name in (verb.name, *verb.aliases)]
    assert len(names) == len(set(names))


def test_defaults_hold_for_what_is_not_set():
    client = ClientMetadata(name="a", display_name="A", kind=ClientKind.CONFIDENTIAL, landing_url="https://a.example.org")
    held = effective(client, ServerDefaults(refresh_seconds=7, offline_seconds=9))
    assert (held["refresh_seconds"], held["refresh_grace_seconds"], held["require_pkce"]) == (7, 10, True)
    assert list(held) == list(rows())
