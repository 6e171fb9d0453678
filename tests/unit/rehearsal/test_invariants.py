"""Each invariant is seen to be broken by what breaks it, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from cri_switch.cluster.mark import MIGRATED, MIGRATING
from cri_switch.model.migration import Spec
from cri_switch.model.node_settings import Drain
from cri_switch.model.window import Window
from cri_switch.rehearsal.beginnings import MARK
from cri_switch.rehearsal.build import ACCOUNT, ClusterSpec, build
from cri_switch.rehearsal.changes import changes
from cri_switch.rehearsal.clock import VirtualClock
from cri_switch.rehearsal.invariants import Invariants
from cri_switch.rehearsal.pods_of import own
from cri_switch.rehearsal.promise import Promise
from cri_switch.rehearsal.world import World

Obj = dict[str, Any]
Deed = Callable[[World, Invariants], None]
US = f"api:{ACCOUNT}"
SAVED = "/var/lib/etcd/cri-switch-20261127T215802Z.db"
RM = "rm -rf --one-file-system -- /var/lib/docker"


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


def stopped(name: str, world: World, invariants: Invariants) -> None:
    stop(name, world, invariants)
    world.machines[name].systemd.stop("kubelet.service")


def started(name: str, world: World, invariants: Invariants) -> None:
    world.machines[name].systemd.start("kubelet.service")
    reports(name, world, invariants)


def administrator_cordons(name: str, world: World, _invariants: Invariants) -> None:
    with world.store.acting("administrator"):
        world.store.change("Node", name, "", lambda node: node["spec"].update(unschedulable=True))


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


def restart(name: str, world: World, _invariants: Invariants) -> None:
    """The agent's controller takes its pod off a node."""
    pods = [pod for pod in world.store.list("Pod", "shop") if pod["metadata"]["labels"]["app"] == "agent"]
    pod = next(pod for pod in pods if pod["spec"].get("nodeName") == name)
    with world.store.acting("controller"):
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


def annotate(name: str, key: str, value: str | None, world: World, _invariants: Invariants) -> None:
    def change(node: Obj) -> None:
        found = {**node["metadata"].get("annotations", {}), key: value}
        node["metadata"]["annotations"] = {key: value for key, value in found.items() if value is not None}

    with world.store.acting(US):
        world.store.change("Node", name, "", change)


def taint(name: str, on: bool, world: World, invariants: Invariants) -> None:
    change(name, "taints", [{"key": "cri-switch.io/waiting"}] if on else [], world, invariants)


def probe(name: str, world: World, _invariants: Invariants) -> None:
    """A pod of ours, put on a node."""
    with world.store.acting(US):
        world.store.create("Pod", {"metadata": {"name": "p", "namespace": "cri-switch"}, "spec": {"nodeName": name}})


def deleted(name: str, world: World, _invariants: Invariants) -> None:
    with world.store.acting(US):
        world.store.delete("Node", name)


def another_run(world: World, _invariants: Invariants) -> None:
    with world.store.acting(US):
        if world.store.get("Lease", "cri-switch", "kube-system") is None:
            world.store.create("Lease", lease("first"))
        else:
            world.store.change(
                "Lease", "cri-switch", "kube-system", lambda old: old.update(spec=lease("second")["spec"])
            )


def asked(name: str, world: World, invariants: Invariants) -> None:
    """A person types `rollback`, and that run begins."""
    invariants.asked_back(name)
    another_run(world, invariants)


def back(name: str, world: World, invariants: Invariants) -> None:
    """A kubelet that was started anew reports; of a node that stays cordoned nothing else shows that it is back."""
    world.machines[name].systemd.states["kubelet.service"].started += 1.0
    reports(name, world, invariants)


def reports(name: str, world: World, _invariants: Invariants) -> None:
    with world.store.acting(f"kubelet:{name}"):
        world.store.change("Node", name, "", lambda node: node["status"].update(note=str(world.store.version)))


def excluded(name: str, _world: World, invariants: Invariants) -> None:
    """A node on Docker that the settings do not choose."""
    left_alone = invariants.promise.left_alone | {name}
    invariants.promise = replace(invariants.promise, left_alone=left_alone)


def to_clean(_world: World, invariants: Invariants) -> None:
    invariants.asked_to_clean()


LINES: dict[str, tuple[list[Deed], str]] = {
    "one worker": ([partial(stop, "w1")], ""),
    "one after the other": (
        [partial(cordon, "w1", True), partial(stop, "w1"), partial(cordon, "w1", False), partial(stop, "w2")],
        "",
    ),
    "two workers": ([partial(stop, "w1"), partial(stop, "w2")], "2 workers are out"),
    "two are cordoned": ([partial(cordon, "w1", True), partial(cordon, "w2", True)], "2 workers are out (w1, w2)"),
    "an administrator cordons": ([partial(administrator_cordons, "w1"), partial(stop, "w2")], ""),
    "uncordoned, and its kubelet is stopped": (
        [partial(cordon, "w1", True), partial(stopped, "w1"), partial(cordon, "w1", False), partial(stop, "w2")],
        "2 workers are out (w1, w2)",
    ),
    "uncordoned, and Ready later": (
        [
            partial(cordon, "w1", True), partial(stopped, "w1"), partial(cordon, "w1", False), partial(started, "w1"),
            partial(stop, "w2"),
        ],
        "",
    ),
    "control planes": ([partial(stop, "cp1"), partial(stop, "cp2")], "two control-plane nodes"),
    "too early": ([partial(stop, "cp1")], "taken out before w1, w2"),
    "asked back early": ([partial(asked, "cp1"), partial(stop, "cp1")], ""),
    "asked back beside another": (
        [partial(stop, "cp2"), partial(asked, "cp1"), partial(stop, "cp1")], "two control-plane nodes"
    ),
    "drained uncordoned": ([partial(take, "ledger")], "which is not cordoned"),
    "bare": ([partial(cordon, "w1", True), partial(take, "alone")], "alone-w1 is taken off w1, and nothing would"),
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
    "cleaned, and nobody asked": ([partial(program, "w3", RM)], "and no person has asked for that"),
    "cleaned": ([to_clean, partial(program, "w3", RM), partial(program, "w3", "dd of=/var/lib/cri-switch/x/y")], ""),
    "cleaned before it is switched": ([to_clean, partial(program, "w1", RM)], "from w1, which is not proven"),
    "cleaned, and one on Docker written to": (
        [to_clean, partial(excluded, "w2"), partial(program, "w2", "dd of=/var/lib/cri-switch/x/y")],
        "w2 is to be left alone",
    ),
    "cleaned, and more": (
        [to_clean, partial(program, "w3", "systemctl restart containerd.service")], "w3 is to be left alone"
    ),
    "left alone": ([partial(program, "w3", "systemctl restart containerd.service")], "w3 is to be left alone"),
    "left alone, and its pods removed": ([partial(program, "w3", "crictl rmp -a -f")], "w3 is to be left alone"),
    "left alone, and a directory made": ([partial(program, "w3", "mkdir /etc/containerd/x")], "w3 is to be left alone"),
    "only looked at": ([partial(program, "w3", "systemctl show docker.service")], ""),
    "left alone, and cordoned": ([partial(cordon, "w3", True)], "w3 is to be left alone"),
    "left alone, and tainted": ([partial(change, "w3", "taints", [{"key": "x"}])], "w3 is to be left alone"),
    "left alone, and labelled": ([partial(label, "w3")], "w3 is to be left alone"),
    "left alone, and written to": ([partial(program, "w3", "dd of=/var/lib/cri-switch/x/y")], "w3 is to be left alone"),
    "left alone, and etcd's snapshot taken there": ([partial(program, "w3", f"rm -f -- {SAVED} {SAVED}.part")], ""),
    "left alone, and probed": ([partial(probe, "w3")], "is put on w3"),
    "another is probed": ([partial(probe, "w1")], ""),
    "a node is deleted": ([partial(deleted, "w1")], "node w1 is deleted by the migration"),
    "left alone, and drained": ([partial(take_from, "w3")], "is taken off w3, which is to be left alone"),
    "a DaemonSet restarts its pods": ([partial(restart, "w1")], "is taken off w1 by its DaemonSet"),
    "a DaemonSet is held": ([partial(annotate, "w1", MIGRATING, "m"), partial(restart, "w1")], ""),
    "an administrator labels it": ([partial(label, "w3", actor="administrator")], ""),
    "one that stays cordoned is back": ([partial(stop, "w4"), partial(back, "w4"), partial(stop, "w1")], ""),
    "its kubelet reports while it is stopped": (
        [partial(stop, "w4"), partial(reports, "w4"), partial(stop, "w1")], "2 workers are out (w4, w1)"
    ),
    "and is back later": (
        [
            partial(stop, "w4"), partial(reports, "w4"), partial(program, "w4", "docker stop x"),
            partial(back, "w4"), partial(stop, "w1"),
        ],
        "",
    ),
    "an administrator's cordon": ([partial(cordon, "w4", False)], "cordoned by an administrator"),
}  # fmt: skip


@pytest.mark.parametrize("case", LINES)
def test_what_breaks_a_promise(case: str) -> None:
    deeds, expected = LINES[case]
    world = build(
        ClusterSpec(nodes=7, control_planes=3, migrated=("w3",), cordoned=("w4",), bare=("w1",), replicas=2),
        VirtualClock(),
    )
    invariants = Invariants(world, Promise(1, frozenset({"w3"})))
    for deed in deeds:
        deed(world, invariants)
    said = "\n".join(invariants.broken)
    if expected:
        assert expected in said
    else:
        assert said == ""


TRIED: list[Deed] = [partial(cordon, "w1", True), partial(stop, "w1"), partial(cordon, "w1", False)]


@pytest.mark.parametrize(
    ("deeds", "expected"),
    [
        (TRIED, ""),
        ([], "control-plane node cp1 is taken out before w1"),
        ([*TRIED, another_run], "is taken out before w1"),
        ([*TRIED, another_run, *TRIED], ""),
    ],
)
def test_the_control_plane_may_begin_with_a_worker_that_failed(deeds: list[Deed], expected: str) -> None:
    """Not with one that this run has not tried."""
    world = build(ClusterSpec(nodes=3, control_planes=1, migrated=("w2",), replicas=1), VirtualClock())
    invariants = Invariants(world, Promise(failures_allowed=1))
    done: list[Deed] = [another_run, *deeds, partial(stop, "cp1")]
    for deed in done:
        deed(world, invariants)
    assert expected in "\n".join(invariants.broken)
    assert bool(invariants.broken) == bool(expected)


def test_docker_goes_where_the_nodes_own_pods_are_ready() -> None:
    world = build(ClusterSpec(nodes=3, control_planes=1, migrated=("w1", "w2"), replicas=1), VirtualClock())
    invariants = Invariants(world, Promise())
    program("w1", REMOVES, world, invariants)
    assert invariants.broken == []
    for pod in own(world.store.list("Pod"), "w2"):
        with world.store.acting("kubelet:w2"):
            world.store.change(
                "Pod", pod["metadata"]["name"], pod["metadata"]["namespace"], lambda found: found.update(status={})
            )
    program("w2", REMOVES, world, invariants)
    assert invariants.broken == ["Docker's packages are removed from w2, which is not proven"]
    assert [line for line in invariants.finished() if "are not Ready" in line]


DOWNLOADS = "systemd-run --unit=x -- apt-get -y install --download-only containerd"
STAGES = partial(program, "w1", DOWNLOADS)
REMOVES = "apt-get -y remove docker.io"
SAVES = partial(program, "cp1", f"docker exec 0 etcdctl snapshot save {SAVED}")
LEFT = partial(program, "cp1", f"rm -f -- {SAVED} {SAVED}.part")
BEGUN: list[Deed] = [partial(annotate, "w1", MIGRATING, "m"), partial(cordon, "w1", True), partial(stop, "w1")]
ENDS: list[Deed] = [
    partial(cordon, "w1", False),
    partial(annotate, "w1", MIGRATED, "m"),
    partial(annotate, "w1", MIGRATING, None),
]
OUTSIDE: dict[str, tuple[list[Deed], list[Deed], str]] = {
    "taken out": ([], [partial(stop, "w1")], "its kubelet is stopped"),
    "drained": ([], [partial(take_from, "w1")], "is taken off it"),
    "marked": ([], [partial(annotate, "w1", MIGRATING, "m")], "its annotations are changed"),
    "cordoned": ([], [partial(cordon, "w1", True)], "it is cordoned"),
    "tainted": ([], [partial(taint, "w1", True)], "it is tainted"),
    "labelled": ([], [partial(label, "w1")], "its labels are changed"),
    "staged": ([], [STAGES], "--download-only"),
    "an image saved": ([], [partial(program, "w1", "docker save -o /var/lib/cri-switch/x/y.tar z")], "docker save"),
    "a snapshot": ([], [SAVES], "snapshot save"),
    "what a snapshot leaves is put away": ([SAVES], [LEFT], ""),
    "another's is not": ([], [LEFT], "rm -f"),
    "putting it away is no beginning": ([SAVES], [LEFT, partial(program, "cp1", "rm -f /etc/a")], "rm -f /etc/a"),
    "Docker removed": ([], [partial(program, "w3", REMOVES)], "remove docker.io"),
    "only looked at": ([], [partial(program, "w1", "docker ps -a")], ""),
    "staging is no node's beginning": ([STAGES], BEGUN, "its annotations are changed"),
    "a taint is no staging": ([partial(taint, "w1", True)], [STAGES], DOWNLOADS),
    "staging may end": ([STAGES], [partial(program, "w1", "docker save -o /x y")], ""),
    "another's staging may not": ([STAGES], [partial(program, "w2", DOWNLOADS)], DOWNLOADS),
    "a node may end": (BEGUN[:2], [*BEGUN[2:], partial(program, "w1", "systemctl mask docker.service"), *ENDS], ""),
    "and Docker's packages stay": ([*BEGUN, *ENDS], [partial(program, "w1", REMOVES)], REMOVES),
    "given back": (
        [partial(taint, "w2", True), *BEGUN[:2]],
        [partial(taint, "w2", False), partial(cordon, "w1", False), partial(annotate, "w1", MIGRATING, None)],
        "",
    ),
    "it is begun by another run": ([another_run, *BEGUN[:2], another_run], [partial(stop, "w1")], "is stopped"),
    "half done by another run": (
        [*BEGUN[:2], another_run], [partial(program, "w1", "systemctl mask docker.service")], "systemctl mask"
    ),
    "asked back": ([], [partial(asked, "w1"), *BEGUN, partial(program, "w1", "dd of=/etc/a"), *ENDS], ""),
    "another than was asked back": ([], [partial(asked, "w1"), partial(stop, "w2")], "w2 is begun outside"),
    "asked back of the run before": ([], [partial(asked, "w1"), another_run, partial(stop, "w1")], "is stopped"),
    "a way back may last": ([another_run, partial(stop, "w4"), partial(back, "w4")], [partial(stop, "w4")], ""),
    "but not the next run's": (
        [another_run, partial(stop, "w4"), partial(back, "w4"), another_run], [partial(stop, "w4")], "is stopped"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", OUTSIDE)
def test_nothing_begins_outside_the_window(case: str) -> None:
    inside, outside, expected = OUTSIDE[case]
    world = build(
        ClusterSpec(nodes=5, control_planes=1, migrated=("w3",), cordoned=("w4",), replicas=2), VirtualClock()
    )
    hour = [23]
    window = Window(start="22:00", end="04:00")
    invariants = Invariants(world, Promise(1, window=window), now=lambda: datetime(2026, 11, 23, hour[0], tzinfo=UTC))
    for deed in inside:
        deed(world, invariants)
    assert invariants.broken == []
    hour[0] = 5
    for deed in outside:
        deed(world, invariants)
    said = [line for line in invariants.broken if "outside the window" in line]
    assert bool(said) == bool(expected)
    assert expected in "\n".join(said)


def test_what_follows_a_node_may_end_with_it() -> None:
    """With remove_docker: after_node."""
    world = build(ClusterSpec(nodes=2, control_planes=1, replicas=1), VirtualClock())
    hour = [23]
    promise = Promise(window=Window(start="22:00", end="04:00"), removes_after_node=True)
    invariants = Invariants(world, promise, now=lambda: datetime(2026, 11, 23, hour[0], tzinfo=UTC))
    for deed in [*BEGUN, *ENDS]:
        deed(world, invariants)
    hour[0] = 5
    program("w1", "systemctl unmask docker.service", world, invariants)
    assert invariants.broken == []
    program("cp1", "systemctl unmask docker.service", world, invariants)
    assert "cp1 is begun outside the window" in invariants.broken[0]


def test_the_mark_is_the_pipelines() -> None:
    assert MARK == MIGRATING


NODES: dict[str, tuple[Obj, set[str]]] = {
    "all": ({}, set()),
    "excluded": ({"exclude": ["w1", "w?2"]}, {"w1", "w12"}),
    "named": ({"limit": ["cp1", "w1*"]}, {"cp2", "cp3", *(f"w{number}" for number in range(2, 10))}),
    "by role": ({"role": "worker"}, {"cp1", "cp2", "cp3"}),
    "by labels": ({"selector": "pool=a"}, {f"cp{n}" for n in (1, 2, 3)} | {f"w{n}" for n in range(3, 13)}),
    "by all of it": (
        {"selector": "pool=a", "exclude": ["w1"]},
        {f"cp{n}" for n in (1, 2, 3)} | {f"w{n}" for n in (1, *range(3, 13))},
    ),
}


@pytest.fixture(scope="module")
def many() -> World:
    labels = {"w1": {"pool": "a"}, "w2": {"pool": "a"}, "w3": {"pool": "b"}}
    return build(ClusterSpec(nodes=15, control_planes=3, replicas=2, labels=labels), VirtualClock())


@pytest.mark.parametrize("case", NODES)
def test_promises_are_those_of_the_settings(many: World, case: str) -> None:
    nodes, alone = NODES[case]
    window = {"start": "22:00", "end": "04:00"}
    given = {"max_unavailable": "50%", "max_failures": 2, "window": window, "nodes": nodes}
    spec = Spec.model_validate({"cluster": {"kubeconfig": "x"}, "backup": {"directory": "/x"}, **given})
    assert Promise.of(spec, many, ("w3",)) == Promise(6, frozenset({*alone, "w3"}), 2, Window(**window))
    assert Promise.of(spec.model_copy(update={"remove_docker": "after_node"}), many).removes_after_node
    assert Promise.of(spec.model_copy(update={"drain": Drain(force=True)}), many).takes_bare


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
