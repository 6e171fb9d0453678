"""Outside the window no step begins a node: no taint, stage, cordon, removal of Docker. One in progress is finished."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import flows.batch
import flows.migrate_cluster
from cri_switch.model.errors import WindowClosed
from cri_switch.model.report import Report
from tasks.step import stands
from tests.rehearsal.engineless import go_on
from tests.rehearsal.killing import Cluster
from tests.rehearsal.test_three_control_planes import killed_in

OPEN = {"start": "00:00", "end": "24:00"}
MINUTES = 60


class Night:
    """A cluster whose window closes in the middle of something."""

    def __init__(self, tmp_path: Path) -> None:
        self.cluster = Cluster(tmp_path)
        self.passed = False

    def passes(self) -> None:
        """The window closes, once."""
        for _ in range(0 if self.passed else MINUTES * 60 + 60):
            self.cluster.world.clock.sleep(1.0)
        self.passed = True

    def run(self, at: tuple[str, str] = ("", "nowhere"), **spec: Any) -> WindowClosed:
        """One that meets the end of its window when that node stands there."""

        def outside(_what: str, act: Callable[[], Any]) -> Any:
            if stands().get(at[0], "") == at[1]:
                self.passes()
            return act()

        now = datetime.fromtimestamp(self.cluster.world.clock.now(), UTC)
        window = {"start": f"{now:%H:%M}", "end": f"{now + timedelta(minutes=MINUTES):%H:%M}"}
        with pytest.raises(WindowClosed, match="the maintenance window is closed") as caught:
            self.cluster.run(outside, 1, window=window, node_estimate=1, stage_parallelism=1, **spec)
        assert self.passed
        return caught.value

    def begun(self, step: str) -> list[str]:
        """The nodes on which the step was begun."""
        return [name for name in self.cluster.world.machines if step in self.steps(name)]

    def steps(self, name: str) -> set[str]:
        return {entry["step"] for entry in self.cluster.journal(name)}

    def docker(self) -> list[str]:
        """The nodes that have its packages."""
        machines = self.cluster.world.machines.items()
        return [name for name, machine in machines if machine.packages.installed(machine.docker_package)]

    def is_free(self) -> bool:
        """Whether no node is cordoned, or has a taint of a run."""
        specs = [node["spec"] for node in self.cluster.world.store.list("Node")]
        taints = [taint["key"] for spec in specs for taint in spec.get("taints") or []]
        return not any(spec.get("unschedulable") for spec in specs) and not any("cri-switch" in key for key in taints)

    def goes_on(self) -> Report:
        """In the next window."""
        report = self.cluster.run(go_on, 2, window=OPEN)
        assert self.cluster.left() == []
        return report


@pytest.fixture
def night(tmp_path: Path) -> Night:
    return Night(tmp_path)


def test_it_closes_during_the_backup(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    def backup(*_: object) -> str:
        night.passes()
        return ""

    monkeypatch.setattr(flows.migrate_cluster, "backup", backup)
    tainted = list[object]()
    monkeypatch.setattr("tasks.taints.add_waiting_taint", lambda *words: tainted.append(words))
    assert night.run().state == "left for the next window: w1, w2, cp1"
    assert tainted == []
    assert night.begun("stage") == []


def test_it_closes_while_a_node_is_staged(night: Night) -> None:
    assert night.run(("w1", "stage (not finished)")).state == "left for the next window: w1, w2, cp1"
    assert night.begun("stage") == ["w1"]
    assert night.begun("cordon") == []
    assert night.is_free()
    night.goes_on()


def test_it_closes_while_the_control_plane_is_asked(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flows.batch, "may_go_out", lambda *_: night.passes())
    night.run()
    assert sorted(night.begun("cordon")) == ["w1", "w2"]
    assert night.is_free()


@pytest.mark.parametrize(("at", "left"), [(("cp1", "uncordon (done)"), 3), (("w1", "remove_docker (not finished)"), 2)])
def test_it_closes_before_docker_is_removed_everywhere(night: Night, at: tuple[str, str], left: int) -> None:
    assert night.run(at).state == "every node is done; Docker's packages are left"
    assert len(night.docker()) == left
    assert len(night.begun("remove_docker")) == 3 - left
    rest = night.docker()
    rows = {node.name: node for node in night.goes_on().nodes}
    assert {name: list(row.steps) for name, row in rows.items()} == {
        name: ["remove_docker"] if name in rest else [] for name in rows
    }
    assert {row.outcome for row in rows.values()} == {"skipped"}


def test_a_node_in_progress_is_finished_with_its_docker(night: Night) -> None:
    night.run(("w1", "uncordon (done)"), remove_docker="after_node")
    assert night.begun("cordon") == night.begun("remove_docker") == ["w1"]
    assert "w1" not in night.docker()
    night.goes_on()


def test_a_node_that_was_half_done_before_is_told(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no time to go on with it: that it is out of service is said, and how it comes back before."""
    killed_in(night.cluster, "w1", "install_runtime", 2)

    def backup(*_: object) -> str:
        night.passes()
        return ""

    monkeypatch.setattr(flows.migrate_cluster, "backup", backup)
    caught = night.run()
    assert caught.state == "w1 is left half done by an earlier run; left for the next window: w1, w2, cp1"
    assert "or at once back to Docker: cri-switch rollback w1 -f FILE --yes" in caught.next_step
    night.goes_on()
