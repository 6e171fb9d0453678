"""File system, firewall and units of a rehearsal node."""

from __future__ import annotations

import pytest

from cri_switch.rehearsal.filesystem import FileSystem, FsError
from cri_switch.rehearsal.firewall import NO_CHAIN, NO_RULE, Firewall
from cri_switch.rehearsal.kubelet_flags import unknown_flag
from tests.unit.rehearsal.switching import Switching


def test_links_are_followed_renamed_and_dangle() -> None:
    fs = FileSystem(lambda: 1.0)
    fs.put("/a/b/c", "text", 0o600)
    fs.symlink("../a/b", "/d/link")
    assert fs.text("/d/link/c") == "text"
    assert fs.real("/d/link/c") == "/a/b/c"
    fs.rename("/a/b/c", "/a/b/x")
    assert fs.text("/d/link/x") == "text"
    fs.symlink("/nowhere", "/d/dangling")
    assert not fs.exists("/d/dangling")
    with pytest.raises(FsError, match="No such file"):
        fs.write("/no/such/folder/file", "x")
    with pytest.raises(FsError, match="Not a directory"):
        fs.read("/a/b/x/y")


@pytest.mark.parametrize("words", [("mv", "-fT", "--"), ("cp", "-aT", "--remove-destination", "--")])
def test_what_is_replaced_on_a_full_disk_is_room_again(words: tuple[str, ...]) -> None:
    cluster = Switching()
    fs = cluster.machine.fs
    fs.put("/root/new", "new")
    fs.put("/root/old", "older")
    fs.room = 0
    assert cluster.sudo(*words, "/root/new", "/root/old").rc == 0
    assert fs.text("/root/old") == "new"
    assert fs.room == (5 if words[0] == "mv" else 2)


def test_a_chain_goes_only_when_nothing_jumps_to_it() -> None:
    firewall = Firewall()
    firewall.add("nat", "DOCKER -i docker0 -j RETURN")
    firewall.add("nat", "PREROUTING -m addrtype --dst-type LOCAL -j DOCKER")
    delete = ["-t", "nat", "-D", "PREROUTING", "-m", "addrtype", "--dst-type", "LOCAL", "-j", "DOCKER"]
    assert firewall.change(["-t", "nat", "-X", "DOCKER"]) != ""
    assert firewall.change(delete) == ""
    assert firewall.change(delete) == NO_RULE
    assert firewall.change(["-t", "nat", "-F", "DOCKER"]) == ""
    assert firewall.change(["-t", "nat", "-X", "DOCKER"]) == ""
    assert firewall.change(["-t", "nat", "-F", "DOCKER"]) == NO_CHAIN
    assert "DOCKER" not in firewall.save()


def test_masked_units_do_not_start_and_a_stopped_socket_takes_its_service_along() -> None:
    cluster = Switching()
    assert cluster.sudo("systemctl", "stop", "docker.socket").rc == 0
    assert not cluster.machine.docker.up
    cluster.sudo("systemctl", "mask", "docker.socket", "docker.service")
    answer = cluster.sudo("systemctl", "start", "docker.service")
    assert answer.rc == 1
    assert answer.stderr == "Failed to start docker.service: Unit docker.service is masked.\n"
    cluster.sudo("systemctl", "unmask", "docker.socket", "docker.service")
    assert cluster.sudo("systemctl", "start", "docker.service").rc == 0
    assert cluster.machine.systemd.active("docker.socket")


def test_docker_sets_drop_only_when_it_turns_forwarding_on() -> None:
    cluster = Switching()
    assert cluster.machine.firewall.policies["filter", "FORWARD"] == "DROP"
    cluster.sudo("iptables", "-w", "10", "-P", "FORWARD", "ACCEPT")
    cluster.sudo("systemctl", "restart", "docker.service")
    assert cluster.machine.firewall.policies["filter", "FORWARD"] == "ACCEPT"


@pytest.mark.parametrize(
    ("flag", "minor", "unknown"),
    [
        ("network-plugin", 23, False),
        ("network-plugin", 24, True),
        ("container-runtime", 26, False),
        ("container-runtime", 27, True),
        ("pod-infra-container-image", 34, False),
        ("pod-infra-container-image", 35, True),
    ],
)
def test_a_kubelet_knows_the_flags_of_its_version(flag: str, minor: int, unknown: bool) -> None:
    assert (unknown_flag({flag: "x"}, minor) == flag) is unknown
