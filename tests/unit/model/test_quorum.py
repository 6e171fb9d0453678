"""Which control-plane node may go out."""

from __future__ import annotations

import pytest

from cri_switch.model.quorum import leader_last, quorum_problem


@pytest.mark.parametrize(
    ("member", "voters", "healthy", "expected"),
    [
        (1, {1}, {1}, ""),
        (0, {1, 2}, {1, 2}, ""),  # etcd is elsewhere
        (1, {1, 2}, {1, 2}, "1 of 2"),
        (1, {1, 2, 3}, {1, 2, 3}, ""),
        (1, {1, 2, 3}, {1, 2}, "1 of 3"),
        (1, {1, 2, 3}, {2, 3}, ""),  # it is the ill one itself
        (1, {1, 2, 3, 4}, {1, 2, 3, 4}, ""),
        (1, {1, 2, 3, 4}, {1, 2, 3}, "2 of 4"),
        (1, {1, 2, 3, 4, 5}, {1, 2, 3, 4}, ""),
        (1, {1, 2, 3}, {1, 8, 9}, "0 of 3"),  # members that are not of this etcd do not count
    ],
)
def test_quorum(member: int, voters: set[int], healthy: set[int], expected: str) -> None:
    found = quorum_problem(member, voters, healthy)
    assert expected in found
    assert bool(found) == bool(expected)


def test_the_leader_goes_last_and_the_order_stays() -> None:
    assert leader_last(["a", "b", "c"], {"a": True, "b": False}) == ["b", "c", "a"]
    assert leader_last(["a", "b"], {}) == ["a", "b"]
