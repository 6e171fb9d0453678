from __future__ import annotations

import pytest

from cri_switch.checks.ignored import ignore
from cri_switch.model.finding import Finding

FOUND = [Finding("error", "BarePod", "a"), Finding("error", "VersionSkew", "b"), Finding("warning", "ClockSkew", "c")]


@pytest.mark.parametrize(
    ("names", "errors"),
    [
        ([], ["BarePod", "VersionSkew"]),
        (["barepod"], ["VersionSkew"]),
        ([" BAREPOD", "VersionSkew"], []),
        (["all"], []),
        (["ALL"], []),
        (["Bare", "ClockSkew"], ["BarePod", "VersionSkew"]),
    ],
)
def test_ignored_errors_are_warnings(names: list[str], errors: list[str]) -> None:
    found = ignore(FOUND, names)
    assert [one.name for one in found if one.level == "error"] == errors
    assert [one.name for one in found] == [one.name for one in FOUND]


@pytest.mark.parametrize("names", [["all"], ["OrchestratorOnNode", "orchestratorincluster"]])
def test_what_would_drain_the_machine_below_the_run_stays_an_error(names: list[str]) -> None:
    found = [Finding("error", "OrchestratorOnNode", "a"), Finding("error", "OrchestratorInCluster", "b")]
    assert ignore(found, names) == found
