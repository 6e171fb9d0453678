"""The pipeline's own actions against a rehearsal node: each does its work once, and nothing the second time."""

from __future__ import annotations

import tomllib

import pytest

from cri_switch.model.errors import NotProven
from cri_switch.node.actions.note_before import note_before
from cri_switch.node.actions.release_addresses import release_addresses
from cri_switch.node.actions.undo import undo
from cri_switch.node.facts.control_plane import prove_control_plane
from cri_switch.node.facts.network import IPTABLES
from cri_switch.node.proof import prove_runtime
from cri_switch.rehearsal.machine_files import REGISTRY
from cri_switch.render.cni_iptables import stale_rules
from tests.unit.rehearsal.switching import MINE, STEPS, Switching


def _whole(cluster: Switching) -> dict[str, tuple[int, int]]:
    changed = {}
    for name in STEPS:
        first, second = cluster.act(name).changed, cluster.act(name).changed
        changed[name] = (first, second)
        if name == "start_kubelet":
            cluster.pass_time(15)
    return changed


@pytest.mark.parametrize("driver", ["cgroupfs", "systemd"])
def test_the_whole_article_runs_and_each_step_twice_equals_once(driver: str) -> None:
    cluster = Switching(cgroup_driver=driver)
    changed = _whole(cluster)
    assert {name for name, (first, _second) in changed.items() if not first} == {"stage_packages", "import_images"}
    assert {name for name, (_first, second) in changed.items() if second} == set()
    assert cluster.ready() == ("True", "kubelet is posting ready status", "containerd://1.4.13")
    assert prove_runtime(cluster.connection, seconds=0).startswith("4 pods") or prove_runtime(
        cluster.connection, seconds=0
    ).startswith("5 pods")
    assert "none leaked" in cluster.perform(release_addresses(cluster.migration)).summary
    assert cluster.world.complaints == []


def test_a_node_whose_dockerd_was_restarted_before_is_proven_too() -> None:
    """The sandboxes that died with it have left rules: the kubelet's DEL of them had no network namespace."""
    cluster = Switching()
    before = {one.id for one in cluster.machine.docker.boxes.values() if one.sandbox}
    cluster.sudo("systemctl", "restart", "docker.service")
    cluster.pass_time(30)
    live = {one.id for one in cluster.machine.docker.boxes.values() if one.sandbox and one.running}
    assert not before & live
    left = stale_rules(IPTABLES.read(cluster.connection), live)
    assert {sandbox for _chain, sandbox in left.found} <= before
    assert {chain for chain, _sandbox in left.found if not chain.startswith("CNI-")} == {"POSTROUTING"}
    _whole(cluster)
    prove_runtime(cluster.connection, seconds=1e-9)
    assert cluster.world.complaints == []


def test_a_docker_with_its_own_containerd_gets_the_package() -> None:
    cluster = Switching(self_contained_docker=("w1",))
    assert not cluster.machine.packages.installed("containerd")
    changed = _whole(cluster)
    assert cluster.machine.packages.known["containerd"].manual
    assert changed["stage_packages"][0] > 0
    assert cluster.ready()[2] == "containerd://1.4.13"
    assert cluster.world.complaints == []


def test_what_dockers_configuration_says_is_carried_over() -> None:
    cluster = Switching()
    cluster.upto("configure_kubelet")
    config = tomllib.loads(cluster.machine.fs.text("/etc/containerd/config.toml") or "")
    registry = config["plugins"]["io.containerd.grpc.v1.cri"]["registry"]
    assert registry["mirrors"]["docker.io"]["endpoint"][0] == f"http://{REGISTRY}"
    assert REGISTRY in registry["mirrors"]


def test_a_control_plane_node_serves_again() -> None:
    cluster = Switching("cp1")
    cluster.upto("stop_docker")
    assert not cluster.world.serves()
    for name in STEPS[4:10]:
        cluster.act(name)
    cluster.pass_time(15)
    assert cluster.world.serves()
    assert "etcd's member is healthy" in prove_control_plane(cluster.connection, seconds=0)


@pytest.mark.parametrize("last", STEPS[2:-1])
def test_the_way_back_is_right_from_every_step(last: str) -> None:
    cluster = Switching()
    ledger = {name: cluster.machine.fs.text(name) for name in ("/etc/containerd/config.toml", "/etc/crictl.yaml")}
    cluster.perform(note_before(MINE, "containerd", {}))
    cluster.upto(last)
    cluster.pass_time(15)
    cluster.perform(undo(cluster.migration, cluster.attempt))
    assert cluster.perform(undo(cluster.migration, cluster.attempt)).changed == 0
    cluster.pass_time(15)
    assert cluster.ready() == ("True", "kubelet is posting ready status", "docker://20.10.5")
    assert {name: cluster.machine.fs.text(name) for name in ledger} == ledger
    assert not cluster.machine.containerd.boxes
    assert cluster.waiting() == set()
    assert cluster.world.complaints == []


def test_on_a_full_disk_the_kubelet_stays_off_and_with_room_the_same_command_works() -> None:
    """It would evict, and delete the images of the containers that it is to make."""
    cluster = Switching()
    cluster.perform(note_before(MINE, "containerd", {}))
    cluster.upto("start_kubelet")
    cluster.machine.disk_free, free = 32 << 20, cluster.machine.disk_free
    with pytest.raises(NotProven, match=r"/ is full, 32 MB are free") as caught:
        cluster.perform(undo(cluster.migration, cluster.attempt))
    assert caught.value.next_step.startswith("make room on the node: df -h")
    assert not cluster.machine.systemd.active("kubelet.service")
    assert cluster.machine.systemd.active("docker.service")
    cluster.machine.disk_free = free
    cluster.perform(undo(cluster.migration, cluster.attempt))
    cluster.pass_time(15)
    assert cluster.ready() == ("True", "kubelet is posting ready status", "docker://20.10.5")


def test_without_the_proof_each_pod_would_run_twice() -> None:
    """The simulator lets it happen, as the real node did: nothing but the action's own proof stands in the way."""
    cluster = Switching()
    cluster.upto("start_kubelet")
    cluster.pass_time(15)
    for words in (("stop", "kubelet"), ("start", "docker.service")):
        cluster.sudo("systemctl", *words)
    cluster.put("/var/lib/kubelet/kubeadm-flags.env", 'KUBELET_KUBEADM_ARGS="--network-plugin=cni"\n')
    cluster.sudo("systemctl", "start", "kubelet")
    cluster.pass_time(15)
    assert cluster.ready()[::2] == ("True", "docker://20.10.5")
    twice = [
        {box.pod.key for box in engine.boxes.values() if box.pod and box.running}
        for engine in (cluster.machine.docker, cluster.machine.containerd)
    ]
    assert twice[0] == twice[1] != set()


def test_a_node_that_was_switched_before_needs_nothing() -> None:
    cluster = Switching("w2", migrated=("w2",))
    assert cluster.ready() == ("True", "kubelet is posting ready status", "containerd://1.4.13")
    assert prove_runtime(cluster.connection, seconds=0)
    assert cluster.act("remove_docker").changed == 0
