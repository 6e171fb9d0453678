"""ctr on a simulated node answers as the real one was seen to: containerd 1.4.13, containers of CRI's."""

from __future__ import annotations

import pytest

from cri_switch.node.facts.cri import ENDPOINT, CriContainer, cri_containers
from tests.unit.rehearsal.switching import STEPS, Switching

CTR = ("ctr", "-n", "k8s.io")


@pytest.fixture
def cluster() -> Switching:
    """A node on containerd whose kubelet is stopped."""
    made = Switching()
    made.upto(STEPS[-1])
    made.pass_time(30)
    made.sudo("systemctl", "stop", "kubelet")
    return made


def _agent(cluster: Switching) -> CriContainer:
    return next(one for one in cri_containers(ENDPOINT).read(cluster.connection) if one.name == "agent")


def test_a_container_that_runs_is_not_removed(cluster: Switching) -> None:
    box = _agent(cluster)
    refused = cluster.sudo(*CTR, "containers", "rm", box.id)
    assert refused.rc == 1
    assert "cannot delete a non stopped container" in refused.stderr
    assert box.id in cluster.sudo(*CTR, "containers", "ls", "-q").stdout


def test_the_task_of_a_container_that_has_ended_is_gone(cluster: Switching) -> None:
    box = _agent(cluster)
    assert cluster.sudo(*CTR, "tasks", "kill", "-s", "SIGTERM", box.id).rc == 0
    for words in (("kill", "-s", "SIGKILL"), ("rm", "-f")):
        again = cluster.sudo(*CTR, "tasks", *words, box.id)
        assert again.rc == 1
        assert f"task {box.id} not found" in again.stderr
    assert cluster.sudo(*CTR, "containers", "rm", box.id).rc == 0
    gone = cluster.sudo(*CTR, "containers", "rm", box.id)
    assert (gone.rc, gone.stderr) == (1, f'ctr: container "{box.id}" in namespace "k8s.io": not found\n')


def test_a_task_that_runs_is_removed_by_force(cluster: Switching) -> None:
    box = _agent(cluster)
    removed = cluster.sudo(*CTR, "tasks", "rm", "-f", box.id)
    assert removed.rc == 0
    assert "exit with non-zero exit code 137" in removed.stderr
    assert box.id not in cluster.sudo(*CTR, "tasks", "ls", "-q").stdout
