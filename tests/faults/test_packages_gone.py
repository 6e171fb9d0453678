"""Once Docker's packages are gone there is no way back: the command refuses, says why, and touches nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.look import cluster
from tests.e2e.site import Site
from tests.e2e.wait import until_none
from tests.faults.cell import note
from tests.faults.look import as_it_stands, differs, whole
from tests.faults.run import Runs

_NOT_PROVEN = 6


@pytest.mark.slow
def test_a_rollback_is_refused_with_the_reason(site: Site, runs: Runs, output: Path) -> None:
    """The last of the suite: w1 stays without Docker."""
    until_none("the workload to be whole", lambda: whole(site), 300, every=1)
    ended = runs.migrate(["w1"], remove_docker="after_migration")
    assert ended.exit_code == 0, ended.log[-3000:]
    assert site.code("w1", "test", "-e", "/usr/sbin/dockerd") == 1, "its packages are removed"
    assert cluster.runtimes(site)["w1"].startswith("containerd://")
    before = as_it_stands(site, "w1")
    refused = runs.rollback("w1")
    row: dict[str, Any] = {
        "node": "w1",
        "step": "remove_docker",
        "fault": "`cri-switch rollback` after it",
        "end": "not as expected",
    }
    row["seconds"] = round(refused.seconds, 1)
    try:
        assert refused.exit_code == _NOT_PROVEN, refused.log[-3000:]
        assert "there is no way back to Docker any more: its packages are gone" in refused.log
        assert "nothing was touched; the node stays on the new runtime" in refused.log
        assert differs(before, as_it_stands(site, "w1")) == {}
        row["end"] = "refused with the reason, untouched"
    finally:
        note(output, row)
