"""A person who said no after the canary is asked before the next run goes any further."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import flows.turn
from cri_switch.model.errors import NotApproved
from cri_switch.model.migration import Migration
from cri_switch.model.report import Approval
from tests.rehearsal.engineless import go_on
from tests.rehearsal.killing import Cluster


@pytest.mark.parametrize("remove_docker", ["after_migration", "after_node", "never"])
def test_a_no_is_not_walked_past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, remove_docker: str) -> None:
    cluster, asked = Cluster(tmp_path), list[list[str]]()

    def switched() -> list[str]:
        nodes = cluster.world.store.list("Node")
        versions = {node["metadata"]["name"]: node["status"]["nodeInfo"]["containerRuntimeVersion"] for node in nodes}
        return [name for name, version in versions.items() if version.startswith("containerd://")]

    def approve(point: str, _text: str, _migration: Migration) -> Approval:
        asked.append(switched())
        if len(asked) < 3:
            raise NotApproved(f"{point}: nobody said yes")
        return Approval(point=point, by="me", at="now")

    monkeypatch.setattr(flows.turn, "approve", approve)
    monkeypatch.setattr(flows.turn, "check_askable", lambda _migration: None)
    for number in range(2):
        with pytest.raises(NotApproved, match=re.escape("after_canary: nobody said yes")):
            cluster.run(go_on, number, approval="after_canary", remove_docker=remove_docker)
    cluster.run(go_on, 2, approval="after_canary", remove_docker=remove_docker)
    assert asked == [["w1"]] * 3
    assert sorted(switched()) == ["cp1", "w1", "w2"]
