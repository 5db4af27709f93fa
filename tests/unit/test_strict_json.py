"""One strict reading of JSON, by the fast way and by the slow one."""

import json

import pytest

from sealwright.strict_json import JsonRefused, loads, require_unique_members


@pytest.mark.parametrize("text", [b'{"a":1,"b":{"a":2}}', b'{ "a": 1, "b": {"a": 2} }', b'[{"a":1},{"a":1}]', b'{"\\u0061":1}'])
def test_objects_that_name_each_member_once_are_accepted(text):
    require_unique_members(text)
    assert loads(text) == json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":1}',
        b'{"a":1,"a":2}',
        b'{"a":{"b":1,"b":1}}',
        b'[{"a":1,"a":1}]',
        b'{"a":1,"\\u0061":1}',
        b'{ "a": 1, "a": 1 }',
    ],
)
def test_member_that_is_given_twice_is_refused_however_it_is_written(text):
    with pytest.raises(JsonRefused, match="twice"):
        require_unique_members(text)


@pytest.mark.parametrize("text", [b"{", b'{"a":NaN}', b"\xff", b"[" * 100_000 + b"]" * 100_000])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(JsonRefused):
        require_unique_members(text)


@pytest.mark.parametrize(
    "text",
    [
        r'"\ud800"',
        r'{"\udfff":1}',
        r'[{"a":"b\ud83d"}]',
        "18446744073709551616",
        "[-9223372036854775809]",
        "1e400",
        '{"a":-1e400}',
    ],
)
def test_what_cannot_be_written_again_is_refused(text):
    with pytest.raises(JsonRefused):
        loads(text)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_depth_that_one_place_reads_and_another_does_not_is_refused(opening):
    closing = "]" if opening == "[" else "}"
    loads(opening * 90 + "1" + closing * 90)
    with pytest.raises(JsonRefused, match="nested too deeply"):
        loads(opening * 110 + "1" + closing * 110)
