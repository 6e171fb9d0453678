"""The real SSH server: the pipeline's own connection runs the switch over it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cri_switch.model.errors import LoginRefused, RemoteTimeout, Unreachable
from cri_switch.model.migration import Ssh
from cri_switch.node.command import plain, sudo
from cri_switch.node.ssh import SshConnection
from cri_switch.rehearsal.clock import Clock
from cri_switch.rehearsal.node_fault import NodeFault, on_command
from cri_switch.rehearsal.ssh_login import USER
from cri_switch.rehearsal.sshd import Sshd
from tests.unit.rehearsal.switching import Switching


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Switching]:
    cluster = Switching(clock=Clock(50))
    ssh = Ssh(
        config_file=str(tmp_path / "ssh_config"),
        known_hosts=str(tmp_path / "known_hosts"),
        identity_file=str(tmp_path / "id_ed25519"),
        connect_timeout=10,
    )
    with closing(Sshd(cluster.world, tmp_path)):
        cluster.world.start()
        cluster.connection = SshConnection.open(cluster.node, ssh)
        yield cluster
        cluster.connection.close()
        cluster.world.close()


def test_steps_over_ssh(served: Switching) -> None:
    for name in ("stage_images", "stop_kubelet", "stop_docker", "configure_runtime", "start_runtime"):
        assert served.act(name).changed > 0
        assert served.act(name).changed == 0
    assert served.world.complaints == []


def test_output_of_a_megabyte_and_commands_side_by_side(served: Switching) -> None:
    served.machine.fs.put("/root/big", b"\xff" * (1 << 20))
    answers: list[int] = []

    def ask() -> None:
        answers.append(len(served.connection.run(sudo("cat", "--", "/root/big")).stdout))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [1 << 20] * 4


def test_a_lost_connection_a_deadline_and_a_machine_that_is_down(served: Switching) -> None:
    served.machine.fault_hook = on_command("^true", NodeFault(drop=True))
    with pytest.raises(Unreachable, match="lost"):
        served.connection.run(plain("true"))
    assert served.connection.run(plain("true")).rc == 0
    served.machine.fault_hook = on_command("^true", NodeFault(hang=500))
    with pytest.raises(RemoteTimeout):
        served.connection.run(plain("true", timeout=0.2))
    served.machine.reboot()
    with pytest.raises(Unreachable):
        served.connection.run(plain("true"))


def test_another_key_is_refused(served: Switching, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes((tmp_path / "host_ed25519").read_bytes())
    ssh = Ssh(
        config_file=str(tmp_path / "ssh_config"),
        known_hosts=str(tmp_path / "known_hosts"),
        identity_file=str(other),
        user=USER,
    )
    with pytest.raises(LoginRefused):
        SshConnection.open(served.node, ssh)
