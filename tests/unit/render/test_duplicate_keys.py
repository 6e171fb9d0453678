from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cri_switch.render.duplicate_keys import DuplicateKey, in_json, in_yaml

VALUES = st.recursive(
    st.none() | st.booleans() | st.text(),
    lambda below: st.lists(below) | st.dictionaries(st.text(), below),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1,\n"b": 2,\n"a": 3}', [DuplicateKey("a", 1, 3)]),
        ('{"a": {"b": 1,\n"b": 2}, "c": {"b": 1}}', [DuplicateKey("b", 1, 2)]),
        ('{"a": [{"x": 1,\n\t"x": 2}, {"x": 3}]}', [DuplicateKey("x", 1, 2)]),
        ('{"a": 1,\n"\\u0061": 2}', [DuplicateKey("a", 1, 2)]),
        ('{"a": 1, "a": 2,\n"a": 3}', [DuplicateKey("a", 1, 1), DuplicateKey("a", 1, 2)]),
        ('{"a": "b", "b": "a", "c": ["a", "a"]}', []),
        ('{"a": "{\\"a\\": 1", "b": "}"}', []),
        ('{"a": 1}}]] {"a": ', []),
        ("", []),
    ],
)
def test_json(text: str, found: list[DuplicateKey]) -> None:
    assert in_json(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: 1\nb: 2\na: 3\n", [DuplicateKey("a", 1, 3)]),
        ("a:\n  b: 1\n  b: 2\nc: {b: 1}\n", [DuplicateKey("b", 2, 3)]),
        ("a:\n- x: 1\n  'x': 2\n- x: 3\n", [DuplicateKey("x", 2, 3)]),
        ("a: &b {x: 1}\nc: *b\nd: {<<: *b, y: 1}\n", []),
        ("a: &b [*b]\n", []),
        ("a: a\nb: a\n", []),
        ("a: [\n", []),
        ("[" * 5000, []),
        ("a: \x07", []),
        ("", []),
    ],
)
def test_yaml(text: str, found: list[DuplicateKey]) -> None:
    assert in_yaml(text) == found


@given(VALUES, st.sampled_from([None, 2]))
def test_what_python_writes_has_none(value: object, indent: int | None) -> None:
    assert in_json(json.dumps(value, indent=indent)) == []
