"""What a fault by name does to a node."""

from __future__ import annotations

import pytest

from cri_switch.rehearsal.faults import FAULTS
from tests.unit.rehearsal.switching import Switching

FLAGS = "/var/lib/kubelet/kubeadm-flags.env"


def test_a_kubelet_that_runs_and_never_turns_ready_until_it_is_back_on_docker() -> None:
    cluster = Switching()
    flags = cluster.machine.fs.text(FLAGS) or ""
    cluster.machine.fault_hook = FAULTS["never-ready"].begin(cluster.world, "w1")
    cluster.upto("start_kubelet")
    cluster.pass_time(300)
    assert cluster.machine.systemd.active("kubelet.service")
    assert cluster.machine.systemd.state("kubelet.service").restarts == 0
    ready, message, runtime = cluster.ready()
    assert (ready, runtime) == ("False", "containerd://1.4.13")
    assert "PLEG is not healthy" in message
    cluster.sudo("systemctl", "stop", "kubelet")
    cluster.put(FLAGS, flags)
    cluster.sudo("systemctl", "start", "docker.socket", "docker.service")
    cluster.sudo("systemctl", "start", "kubelet")
    cluster.pass_time(30)
    assert cluster.ready()[0] == "True"


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_has_a_sentence_and_begins(name: str) -> None:
    cluster = Switching()
    assert " " in FAULTS[name].text
    FAULTS[name].begin(cluster.world, "w1")(("true",))
