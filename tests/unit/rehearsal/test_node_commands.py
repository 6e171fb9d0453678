"""What else the pipeline does on a node: backup, following journals, jobs that fail; every program of sudoers."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import cast

import pytest

from cri_switch.model.errors import RemoteCommandFailed
from cri_switch.node.backup import backup
from cri_switch.node.command import plain, sudo
from cri_switch.node.etcd_member import ask_control_plane
from cri_switch.node.facts.docker_info import DOCKER_INFO
from cri_switch.node.facts.host_docker import HOST_DOCKER
from cri_switch.node.facts.machine import CLOCK
from cri_switch.node.follow import Follower
from cri_switch.node.transfer import Transfer
from cri_switch.rehearsal.machine_files import SUDOERS
from cri_switch.rehearsal.programs import PROGRAMS
from tests.unit.rehearsal.switching import Switching


def test_every_program_of_sudoers_is_known() -> None:
    listed = {path.rpartition("/")[2] for path in re.findall(r"NOPASSWD:(?: SETENV:)? (\S+)", SUDOERS.read_text())}
    assert listed - {"*"} - set(PROGRAMS) == set()


def test_a_backup_of_a_control_plane_node_is_whole(tmp_path: Path) -> None:
    cluster = Switching("cp1")
    nodes = {"cp1": cast(Transfer, cluster.connection)}
    report = backup("x", nodes, ["cp1"], tmp_path, flags_file="/var/lib/kubelet/kubeadm-flags.env")
    assert report.etcd_keys > 0
    saved = {file.path for file in report.files}
    assert {"/etc/kubernetes/manifests/etcd.yaml", "/etc/docker/daemon.json", "/etc/kubernetes/pki"} <= saved
    assert not [path for path, _entry in cluster.machine.fs.walk("/var/lib/etcd") if path.endswith(".db")]
    assert cluster.world.complaints == []


def test_etcds_members_are_those_of_the_control_plane() -> None:
    found = ask_control_plane(Switching("cp1").connection)
    assert found.problems == ()
    assert found.leads
    assert found.voters == {found.member}


def test_dockerd_has_its_data_where_it_was_told_when_it_started() -> None:
    cluster = Switching()
    fs = cluster.machine.fs
    fs.put("/etc/docker/daemon.json", '{"data-root": "/mnt/docker"}')
    assert DOCKER_INFO.read(cluster.connection).root == "/var/lib/docker"
    cluster.sudo("systemctl", "restart", "docker.service")
    assert DOCKER_INFO.read(cluster.connection).root == "/mnt/docker"
    for _ in range(20):
        cluster.world.clock.sleep(1.0)
        cluster.world.tick()
    logs = {box.log.rpartition("/containers/")[0] for box in cluster.machine.docker.boxes.values() if box.running}
    assert "/mnt/docker" in logs


def test_a_package_that_does_not_install_says_so() -> None:
    cluster = Switching(self_contained_docker=("w1",))
    cluster.machine.packages.broken = {"containerd"}
    with pytest.raises(RemoteCommandFailed, match="dpkg returned an error code"):
        cluster.act("install_runtime")
    assert not cluster.machine.packages.installed("containerd")
    cluster.machine.packages.broken = set()
    assert cluster.act("install_runtime").changed > 0


def test_the_journal_is_followed_by_its_cursor() -> None:
    cluster = Switching()
    lines: list[str] = []
    follower = Follower(cluster.connection, lines.append, every=0.01)
    with follower:
        for number in range(200):
            cluster.machine.journal.add("kubelet.service", f"line {number}")
            if any(line.endswith("line 3") for line in lines):
                break
            time.sleep(0.01)
    told = [line for line in lines if "line" in line]
    assert told
    assert told == list(dict.fromkeys(told))


def test_thousands_of_commands_a_second() -> None:
    cluster = Switching()
    show = plain("systemctl", "show", "-p", "Id,ActiveState", "--", "docker.service", "kubelet.service")
    started = time.process_time()
    for _ in range(250):
        cluster.connection.run(show)
        cluster.connection.run(sudo("cat", "--", "/etc/os-release"))
    assert 500 / (time.process_time() - started) > 1000


def test_a_nodes_clock_is_ours_but_for_its_skew() -> None:
    cluster = Switching()
    cluster.machine.clock_skew = 100.0
    assert 99 < CLOCK.read(cluster.connection) - cluster.world.clock.wall() < 101


def test_units_that_are_links_are_found() -> None:
    cluster = Switching()
    fs = cluster.machine.fs
    assert HOST_DOCKER.read(cluster.connection) == ()
    fs.put("/opt/app/app.service", "ExecStart=/usr/bin/docker run app\n")
    fs.symlink("/opt/app/app.service", "/etc/systemd/system/app.service")
    fs.symlink("/dev/null", "/etc/systemd/system/masked.service")
    fs.symlink("/gone", "/etc/cron.d/dangling")
    fs.put("/run/systemd/system/now.service", "ExecStart=/usr/bin/docker run now\n")
    found = HOST_DOCKER.read(cluster.connection)
    assert [each.path for each in found] == ["/etc/systemd/system/app.service", "/run/systemd/system/now.service"]
