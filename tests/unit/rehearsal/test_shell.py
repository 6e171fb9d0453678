"""The shell of a rehearsal node knows what the pipeline sends, and says loudly what it does not know."""

from __future__ import annotations

import pytest

from cri_switch.model.errors import RemoteCommandFailed, RemoteTimeout, SudoRefused, Unreachable
from cri_switch.node.command import plain, sudo
from cri_switch.rehearsal.node_fault import NodeFault, on_command
from tests.unit.rehearsal.switching import Switching


@pytest.mark.parametrize(
    "argv",
    [
        ("vim", "/etc/passwd"),
        ("systemctl", "isolate", "rescue.target"),
        ("docker", "run", "busybox"),
        ("find", "/", "-exec", "rm"),
        ("stat", "-c", "%Z", "/"),
    ],
)
def test_what_is_not_known_is_complained_of(argv: tuple[str, ...]) -> None:
    cluster = Switching()
    assert cluster.plain(*argv).rc != 0
    assert len(cluster.world.complaints) == 1
    assert argv[0] in cluster.world.complaints[0]


def test_sudo_allows_only_what_its_file_lists() -> None:
    cluster = Switching()
    cluster.machine.fs.remove("/etc/sudoers.d/cri-switch")
    with pytest.raises(SudoRefused):
        cluster.connection.run(sudo("cat", "/etc/os-release"))


def test_a_program_that_is_not_there_is_127_with_and_without_sudo() -> None:
    cluster = Switching()
    cluster.machine.crictl = False
    assert cluster.plain("crictl", "--version").rc == 127
    assert cluster.sudo("crictl", "info").rc == 127


def test_faults_fail_cut_hang_and_reboot() -> None:
    cluster = Switching()
    machine, connection = cluster.machine, cluster.connection

    def with_(fault: NodeFault) -> None:
        machine.fault_hook = on_command("^true", fault)

    with_(NodeFault(rc=3, stderr="broken"))
    with pytest.raises(RemoteCommandFailed, match="broken"):
        connection.run(plain("true"))
    assert connection.run(plain("true")).rc == 0
    with_(NodeFault(drop=True))
    with pytest.raises(Unreachable):
        connection.run(plain("true"))
    with_(NodeFault(hang=60))
    with pytest.raises(RemoteTimeout):
        connection.run(plain("true", timeout=30))
    with_(NodeFault(reboot=True))
    with pytest.raises(Unreachable):
        connection.run(plain("true"))
    with pytest.raises(Unreachable, match="down"):
        connection.run(plain("true"))
    cluster.pass_time(60)
    assert connection.run(plain("true")).rc == 0


JOB = "cri-switch-x.service"


def job_with(fault: NodeFault) -> Switching:
    """A job that installs containerd is to end and meets the fault."""
    cluster = Switching(self_contained_docker=("w1",))
    cluster.machine.fault_hook = on_command("^apt-get", fault)
    assert cluster.sudo("systemd-run", f"--unit={JOB}", "--", "apt-get", "-y", "install", "containerd").rc == 0
    cluster.pass_time(5)
    cluster.machine.systemd.settle()
    return cluster


def there(cluster: Switching) -> bool:
    return cluster.machine.packages.installed("containerd")


def test_a_job_that_hangs_is_at_work_until_it_fails() -> None:
    for after in (False, True):
        cluster = job_with(NodeFault(rc=100, stderr="broken", hang=60, after=after))
        assert cluster.machine.systemd.state(JOB).sub == "running"
        assert there(cluster) is after
        cluster.pass_time(60)
        cluster.machine.systemd.settle()
        state = cluster.machine.systemd.state(JOB)
        assert (state.active, state.status, there(cluster)) == ("failed", 100, after)
        assert cluster.sudo("journalctl", "-u", JOB, "-n", "1", "-o", "cat").stdout == "broken\n"


def test_a_job_is_gone_with_the_machine_that_it_takes_down() -> None:
    for after in (False, True):
        cluster = job_with(NodeFault(reboot=True, after=after))
        with pytest.raises(Unreachable):
            cluster.plain("true")
        cluster.pass_time(60)
        assert cluster.plain("true").rc == 0
        assert not cluster.machine.systemd.exists(JOB)
        assert there(cluster) is after


def test_a_job_that_takes_the_machine_down_ends_the_command_that_looks() -> None:
    cluster = Switching()
    cluster.machine.fault_hook = on_command("^sleep", NodeFault(reboot=True))
    cluster.sudo("systemd-run", f"--unit={JOB}", "--", "sleep", "1")
    cluster.world.clock.leap(2)
    with pytest.raises(Unreachable):
        cluster.plain("true")


def test_a_job_does_its_work_when_the_connection_is_cut() -> None:
    cluster = job_with(NodeFault(drop=True))
    assert cluster.machine.systemd.state(JOB).sub == "exited"
    assert there(cluster)


def test_a_job_may_fail_with_its_work_done() -> None:
    cluster = job_with(NodeFault(rc=100, after=True))
    assert cluster.machine.systemd.state(JOB).active == "failed"
    assert there(cluster)


def test_a_full_disk_refuses_what_is_written() -> None:
    cluster = Switching()
    cluster.machine.fs.room = 0
    answer = cluster.sudo("install", "-m", "0600", "/dev/null", "/etc/new")
    assert answer.rc == 1
    assert "No space left on device" in answer.stderr


def test_what_is_deleted_on_a_full_disk_is_room_again() -> None:
    cluster = Switching()
    zeros = ("dd", "if=/dev/zero", "of=/etc/big", "bs=1M", "count=1", "conv=fsync", "status=none")
    assert cluster.sudo(*zeros).rc == 0
    cluster.machine.fs.room = 0
    assert cluster.sudo("cp", "-aT", "--", "/etc/os-release", "/etc/copy").rc == 1
    cluster.sudo("rm", "-f", "--", "/etc/big")
    assert cluster.machine.room == 1 << 20
    assert cluster.sudo("cp", "-aT", "--", "/etc/os-release", "/etc/copy").rc == 0
    assert 0 < cluster.machine.room < 1 << 20


def test_apt_mark_and_policy_speak_as_debians() -> None:
    cluster = Switching()
    text = cluster.plain("apt-cache", "policy", "docker.io").stdout
    assert "  Installed: 20.10.5+dfsg1-1+deb11u4\n" in text
    assert " *** 20.10.5+dfsg1-1+deb11u4 500\n" in text
    assert cluster.plain("dpkg-query", "-W", "-f", "${Package}\\t${Version}\\n", "nothing").rc == 1
    simulated = cluster.plain("apt-get", "-s", "-y", "remove", "containerd").stdout
    assert simulated.startswith("Remv containerd [")
    assert "Remv docker.io [" in simulated
