"""The e2e tests' eye for the StatefulSet's files."""

from __future__ import annotations

import pytest

from tests.e2e.look.ledger import interleaved, lost


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (["a 1", "a 2", "b 3"], []),
        (["a 1"], ["w1"]),
        (["a 1", "b 2", "b 3"], ["w1"]),
        ([], ["w1"]),
    ],
)
def test_a_file_that_does_not_begin_as_before_is_lost(after: list[str], expected: list[str]) -> None:
    assert lost({"w1": ["a 1", "a 2"]}, {"w1": after}) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [(["a 1", "a 2", "b 3"], []), (["a 1", "b 2", "a 3"], ["a"]), (["a 1", "b 1", "a 2", "b 2"], ["a", "b"])],
)
def test_two_pods_that_write_at_once_are_seen(lines: list[str], expected: list[str]) -> None:
    assert interleaved(lines) == expected
