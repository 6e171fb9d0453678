"""Each invariant is seen to be broken by what breaks it, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from cri_switch.model.window import Window
from cri_switch.rehearsal.build import ACCOUNT, ClusterSpec, build
from cri_switch.rehearsal.changes import changes
from cri_switch.rehearsal.clock import VirtualClock
from cri_switch.rehearsal.invariants import Invariants, Promise
from cri_switch.rehearsal.world import World

Deed = Callable[[World, Invariants], None]
US = f"api:{ACCOUNT}"


def change(name: str, key: str, value: object, world: World, _invariants: Invariants) -> None:
    """A field of a node's spec."""
    with world.store.acting(US):
        world.store.change("Node", name, "", lambda node: node["spec"].update({key: value}))


def cordon(name: str, on: bool, world: World, invariants: Invariants) -> None:
    change(name, "unschedulable", on, world, invariants)


def label(name: str, world: World, _invariants: Invariants, actor: str = US) -> None:
    with world.store.acting(actor):
        world.store.change("Node", name, "", lambda node: node["metadata"]["labels"].update(new="yes"))


def stop(name: str, _world: World, invariants: Invariants) -> None:
    invariants.program(name, ("systemctl", "stop", "kubelet.service"))


def program(name: str, line: str, _world: World, invariants: Invariants) -> None:
    invariants.program(name, tuple(line.split()))


def take(app: str, world: World, _invariants: Invariants) -> None:
    """All pods of an app are deleted, without asking their budget."""
    with world.store.acting(US):
        for pod in world.store.list("Pod", "shop"):
            if pod["metadata"]["labels"]["app"] == app:
                world.store.delete("Pod", pod["metadata"]["name"], "shop")


def take_from(name: str, world: World, _invariants: Invariants) -> None:
    """Some pod of a node is deleted."""
    pod = next(pod for pod in world.store.list("Pod", "shop") if pod["spec"].get("nodeName") == name)
    with world.store.acting(US):
        world.store.delete("Pod", pod["metadata"]["name"], "shop")


def job(name: str, world: World, _invariants: Invariants) -> None:
    """A transient unit is at work on a node."""
    world.machines[name].systemd.run_transient("first.service", ("true",), {}, 100.0)


def later(world: World, _invariants: Invariants) -> None:
    world.clock.sleep(200.0)
    world.tick()


def all_cordoned(world: World, invariants: Invariants) -> None:
    for name in world.machines:
        cordon(name, True, world, invariants)


LINES: dict[str, tuple[list[Deed], str]] = {
    "one worker": ([partial(stop, "w1")], ""),
    "one after the other": (
        [partial(cordon, "w1", True), partial(stop, "w1"), partial(cordon, "w1", False), partial(stop, "w2")],
        "",
    ),
    "two workers": ([partial(stop, "w1"), partial(stop, "w2")], "2 workers are out"),
    "control planes": ([partial(stop, "cp1"), partial(stop, "cp2")], "two control-plane nodes"),
    "too early": ([partial(stop, "cp1")], "taken out before w1, w2"),
    "drained uncordoned": ([partial(take, "ledger")], "which is not cordoned"),
    "against a budget": ([all_cordoned, partial(take, "web")], "against PodDisruptionBudget web"),
    "unproven": ([partial(program, "w1", "apt-get -y remove docker.io")], "which is not proven"),
    "a simulated removal": ([partial(program, "w1", "apt-get -s -y remove docker.io")], ""),
    "purged": ([partial(program, "w3", "apt-get -y purge docker.io")], "are purged on w3"),
    "beside another job": (
        [partial(job, "w1"), partial(program, "w1", "systemd-run --unit=second apt-get install x")],
        "is started beside first.service",
    ),
    "one job after the other": (
        [partial(job, "w1"), later, partial(program, "w1", "systemd-run --unit=second apt-get install x")],
        "",
    ),
    "left alone": ([partial(program, "w3", "systemctl restart containerd.service")], "w3 is to be left alone"),
    "left alone, and its pods removed": ([partial(program, "w3", "crictl rmp -a -f")], "w3 is to be left alone"),
    "left alone, and a directory made": ([partial(program, "w3", "mkdir /etc/containerd/x")], "w3 is to be left alone"),
    "only looked at": ([partial(program, "w3", "systemctl show docker.service")], ""),
    "left alone, and cordoned": ([partial(cordon, "w3", True)], "w3 is to be left alone"),
    "left alone, and tainted": ([partial(change, "w3", "taints", [{"key": "x"}])], "w3 is to be left alone"),
    "left alone, and labelled": ([partial(label, "w3")], "w3 is to be left alone"),
    "left alone, and drained": ([partial(take_from, "w3")], "is taken off w3, which is to be left alone"),
    "an administrator labels it": ([partial(label, "w3", actor="administrator")], ""),
    "an administrator's cordon": ([partial(cordon, "w4", False)], "cordoned by an administrator"),
}  # fmt: skip


@pytest.mark.parametrize("case", LINES)
def test_what_breaks_a_promise(case: str) -> None:
    deeds, expected = LINES[case]
    world = build(
        ClusterSpec(nodes=7, control_planes=3, migrated=("w3",), cordoned=("w4",), replicas=2), VirtualClock()
    )
    invariants = Invariants(world, Promise(1, frozenset({"w3"})))
    for deed in deeds:
        deed(world, invariants)
    said = "\n".join(invariants.broken)
    if expected:
        assert expected in said
    else:
        assert said == ""


def test_nothing_starts_outside_the_window() -> None:
    world = build(ClusterSpec(nodes=2, control_planes=1, replicas=1), VirtualClock())
    window = Window(start="22:00", end="04:00")
    invariants = Invariants(world, Promise(1, window=window), now=lambda: datetime(2026, 11, 23, 12, tzinfo=UTC))
    stop("w1", world, invariants)
    assert "outside the window" in invariants.broken[0]


def test_a_way_back_may_last_longer_than_the_window() -> None:
    """That of a node that stays cordoned, whose return shows only by its kubelet; the next run may not begin it."""
    world = build(ClusterSpec(nodes=3, control_planes=1, cordoned=("w1",), replicas=1), VirtualClock())
    hour = [23]
    invariants = Invariants(
        world,
        Promise(window=Window(start="22:00", end="04:00")),
        now=lambda: datetime(2026, 11, 23, hour[0], tzinfo=UTC),
    )
    with world.store.acting(US):
        world.store.create("Lease", lease("first"))
    stop("w1", world, invariants)
    with world.store.acting("kubelet:w1"):
        world.store.change("Node", "w1", "", lambda node: node["status"].update(note="it is back"))
    assert invariants.out == {}
    hour[0] = 5
    stop("w1", world, invariants)
    assert invariants.broken == []
    with world.store.acting("kubelet:w1"):
        world.store.change("Node", "w1", "", lambda node: node["status"].update(note="again"))
    with world.store.acting(US):
        world.store.change("Lease", "cri-switch", "kube-system", lambda old: old.update(spec=lease("second")["spec"]))
    stop("w1", world, invariants)
    assert "w1 is taken out outside the window" in invariants.broken[0]


def lease(holder: str) -> dict[str, Any]:
    return {"metadata": {"name": "cri-switch", "namespace": "kube-system"}, "spec": {"holderIdentity": holder}}


def not_ready(world: World, _invariants: Invariants) -> None:
    with world.store.acting("kubelet:w1"):
        world.store.change("Node", "w1", "", lambda node: node["status"].update(conditions=[]))


def reports_containerd(world: World, _invariants: Invariants) -> None:
    """w1 says so, and Docker runs its pods."""
    with world.store.acting("kubelet:w1"):
        world.store.change(
            "Node", "w1", "", lambda node: node["status"]["nodeInfo"].update(containerRuntimeVersion="containerd://1.4")
        )


@pytest.mark.parametrize(
    ("deed", "expected"),
    [
        (later, ""),
        (not_ready, "w1 is not Ready (reports docker://"),
        (reports_containerd, "w1 reports containerd://1.4, and its other runtime still runs"),
        (partial(cordon, "w1", True), "w1 is cordoned, unlike before"),
        (partial(cordon, "w2", False), "w2 is not cordoned, unlike before"),
    ],
)
def test_how_a_node_may_not_end(deed: Deed, expected: str) -> None:
    world = build(ClusterSpec(nodes=3, control_planes=1, cordoned=("w2",), replicas=1), VirtualClock())
    invariants = Invariants(world, Promise())
    deed(world, invariants)
    said = invariants.finished()
    assert (said[0] if said else "").startswith(expected)
    assert len(said) == bool(expected)


LOOKS = """
apt-get -s -y remove docker.io
apt-mark showhold
cat /etc/os-release
crictl --runtime-endpoint unix:///run/containerd/containerd.sock ps -a -o json
crictl exec 0123 etcdctl --endpoints=x endpoint health
ctr -n k8s.io tasks ls
ctr plugins ls
dd of=/var/lib/cri-switch/x/journal.jsonl
docker exec -e ETCDCTL_API=3 0123 etcdctl snapshot status /x
docker ps -a
find /etc -xtype l
install -m 0600 /dev/null /var/lib/cri-switch/x/before.json
cp -aT --remove-destination -- /etc/crictl.yaml /var/lib/cri-switch/x/originals/crictl.yaml
mv -fT -- /var/lib/cri-switch/x/.before.json /var/lib/cri-switch/x/before.json
systemctl is-active docker.service
tar -C /etc -c -- kubernetes
"""
CHANGES = """
/opt/cni/bin/bridge
apt-mark hold containerd
cp -aT --remove-destination -- /var/lib/cri-switch/x/originals/crictl.yaml /etc/crictl.yaml
crictl --runtime-endpoint unix:///run/containerd/containerd.sock rmp -a -f
crictl stop 0123
ctr -n k8s.io containers rm 0123
ctr -n k8s.io images import /x
ctr -n k8s.io tasks kill -s SIGTERM 0123
dd of=/etc/containerd/config.toml
deb-systemd-helper unmask docker.service
docker exec -e ETCDCTL_API=3 0123 etcdctl snapshot save /x
docker save -o /var/lib/cri-switch/x/images/archive.tar x
docker stop x
find /var/lib/docker -depth -type d -empty -delete
ip link delete docker0
iptables -w 10 -D FORWARD -j X
kill -KILL 77
mkdir -p -- /etc/containerd
modprobe -a overlay
mv -fT -- /var/lib/cri-switch/x/a /etc/a
rm -f -- /var/lib/cri-switch-not/a
sysctl -p /etc/sysctl.d/99-cri-switch.conf
systemctl mask docker.service
systemd-run --unit=x -- true
umount /run/netns/x
what-nobody-knows /var/lib/cri-switch/x
"""


@pytest.mark.parametrize(
    ("line", "expected"),
    [*((line, False) for line in LOOKS.split("\n") if line), *((line, True) for line in CHANGES.split("\n") if line)],
)
def test_what_changes_a_node(line: str, expected: bool) -> None:
    assert changes(tuple(line.split())) is expected
