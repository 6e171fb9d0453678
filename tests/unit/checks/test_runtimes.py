from __future__ import annotations

import pytest

from cri_switch.checks.runtimes import check_runtimes
from cri_switch.model.node_ref import NodeRef


@pytest.mark.parametrize(
    ("runtime", "word"),
    [
        ("docker://20.10.5", ""),
        ("containerd://1.4.13", ""),
        ("cri-o://1.20.0", "runs cri-o://1.20.0"),
        ("containerd-like://1", "runs containerd-like://1"),
        ("", "runs an unknown runtime"),
    ],
)
def test_a_chosen_node_that_would_not_arrive(runtime: str, word: str) -> None:
    found = check_runtimes([NodeRef(name="w1", uid="u", runtime=runtime)], "containerd")
    assert [(each.level, each.name, each.node) for each in found] == [("error", "RuntimeNotDocker", "w1")] * bool(word)
    assert all(word in each.summary for each in found)
