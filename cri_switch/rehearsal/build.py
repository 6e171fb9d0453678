"""A cluster as it is wished for, made and brought to rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from cri_switch.rehearsal.api_rights import RBAC
from cri_switch.rehearsal.clock import Clock
from cri_switch.rehearsal.control_plane import static_pods
from cri_switch.rehearsal.kubelet_flags import PAUSE
from cri_switch.rehearsal.machine import Machine
from cri_switch.rehearsal.pod_status import PROBED_READY_AFTER
from cri_switch.rehearsal.pods_of import ended, ready
from cri_switch.rehearsal.release import DEBIAN_11, DEBIAN_12
from cri_switch.rehearsal.workload import APP_IMAGE, Budget, workload
from cri_switch.rehearsal.world import World

Obj = dict[str, Any]
ACCOUNT = "system:serviceaccount:cri-switch:cri-switch"
TOKEN, ADMIN_TOKEN = "rehearsal-token", "rehearsal-admin-token"
_REST_SECONDS = 600


class NotAtRest(Exception):
    """The cluster did not come up: what is missing."""


@dataclass(frozen=True)
class ClusterSpec:
    """What cluster to make: `nodes` counts all; names are cp1, cp2, ... and w1, w2, ..."""

    nodes: int = 11
    control_planes: int = 3
    release: str = "v1.20.2"
    cgroup_driver: str = "cgroupfs"
    migrated: tuple[str, ...] = ()
    """Nodes that are on containerd already."""
    cordoned: tuple[str, ...] = ()
    """Nodes that an administrator has cordoned."""
    self_contained_docker: tuple[str, ...] = ()
    """Nodes whose Docker is not Debian's, so that containerd is not there yet."""
    debian_12: tuple[str, ...] = ()
    """Nodes with Debian 12 (containerd 1.6); the others have Debian 11 (1.4)."""
    replicas: int = 4
    """Of the Deployment that a PodDisruptionBudget guards."""
    spare: int = 1
    """How many of these the budget lets go."""
    budget: Budget = "minAvailable"
    """How the budget says so."""
    ordered: bool = False
    """Whether the StatefulSet waits for each pod before it makes the next."""
    stubborn: bool = False
    """Whether the Deployment's pods ignore SIGTERM."""
    bare: tuple[str, ...] = ()
    """Nodes with a pod that has no controller."""
    labels: dict[str, dict[str, str]] = field(default_factory=dict)
    """Per node what an administrator has put on it."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every node's, the control plane first."""
        planes = [f"cp{number}" for number in range(1, self.control_planes + 1)]
        return (*planes, *(f"w{number}" for number in range(1, self.nodes - self.control_planes + 1)))


def build(spec: ClusterSpec, clock: Clock) -> World:
    """The cluster, every node Ready and every pod running. Raises NotAtRest, ValueError."""
    if not 1 <= spec.control_planes <= spec.nodes:
        raise ValueError(
            f"{spec.control_planes} control planes of {spec.nodes} nodes: at least one, and no more than all"
        )
    unknown = {*spec.migrated, *spec.cordoned, *spec.debian_12, *spec.bare} - set(spec.names)
    if unknown:
        raise ValueError(f"no node is called {', '.join(sorted(unknown))}")
    world = World(clock, spec.release)
    world.rights.tokens = {TOKEN: ACCOUNT, ADMIN_TOKEN: "kubernetes-admin"}
    world.rights.admins = {"kubernetes-admin"}
    world.rights.load(RBAC.read_text(encoding="utf-8"))
    for name in ("default", "kube-system", "cri-switch", "shop"):
        world.store.create("Namespace", {"metadata": {"name": name}})
    for number, name in enumerate(spec.names):
        world.machines[name] = _machine(spec, world, name, number)
    workers = [name for name in spec.names if name.startswith("w")]
    for kind, obj in workload(
        spec.release,
        workers,
        spec.replicas,
        spec.spare,
        budget=spec.budget,
        ordered=spec.ordered,
        stubborn=spec.stubborn,
        bare=spec.bare,
    ):
        world.store.create(kind, obj)
    rest(world)
    with world.store.acting("administrator"):
        for name in spec.cordoned:
            world.store.change("Node", name, "", lambda node: node["spec"].update(unschedulable=True))
        for name, labels in spec.labels.items():
            world.store.change("Node", name, "", partial(_label, labels))
    return world


def _label(labels: dict[str, str], node: Obj) -> None:
    node["metadata"]["labels"].update(labels)


def rest(world: World, seconds: float = _REST_SECONDS) -> None:
    """Let simulated time leap until nothing is missing. Raises NotAtRest."""
    for _ in range(int(seconds)):
        world.tick()
        missing = unrest(world)
        if not missing:
            return
        slow = [pod for pod in world.store.list("Pod") if _phase(pod) == "Running" and not ready(pod)]
        world.clock.leap(PROBED_READY_AFTER if len(slow) == len(missing) else 1.0)
    raise NotAtRest("; ".join(missing))


def unrest(world: World) -> list[str]:
    """What is not as it should be: nodes that are not Ready, pods that do not run, controllers that are not whole."""
    store = world.store
    lines = [
        f"node {name} is not Ready" for name in world.machines if not ready(store.get("Node", name) or {"status": {}})
    ]
    for pod in store.list("Pod"):
        if not (ended(pod) or ready(pod)):
            lines.append(f"pod {pod['metadata']['name']} is {_phase(pod)}")
    for kind in ("Deployment", "StatefulSet"):
        for obj in store.list(kind):
            if (obj.get("status") or {}).get("readyReplicas", 0) < obj["spec"]["replicas"]:
                lines.append(f"{kind} {obj['metadata']['name']} is not whole")
    for obj in store.list("DaemonSet"):
        status = obj.get("status") or {}
        if not status or status.get("numberReady", 0) < status.get("desiredNumberScheduled", 1):
            lines.append(f"DaemonSet {obj['metadata']['name']} is not whole")
    for budget in store.list("PodDisruptionBudget"):
        if (budget.get("status") or {}).get("disruptionsAllowed", 0) < 1:
            lines.append(f"PodDisruptionBudget {budget['metadata']['name']} allows no disruption")
    return lines


def _phase(pod: Obj) -> str:
    return str((pod.get("status") or {}).get("phase"))


def _machine(spec: ClusterSpec, world: World, name: str, number: int) -> Machine:
    control = name.startswith("cp")
    address = f"10.77.{number // 200}.{11 + number % 200}"
    cidr = f"10.{244 + number // 256}.{number % 256}.0/24"
    plane = [f"kube-{part}:{spec.release}" for part in ("apiserver", "controller-manager", "scheduler")]
    images = [PAUSE, f"k8s.gcr.io/kube-proxy:{spec.release}", APP_IMAGE]
    images += [f"k8s.gcr.io/{image}" for image in (*plane, "etcd:3.4.13-0")] if control else []
    own = name in spec.self_contained_docker
    return Machine(
        name,
        address,
        world,
        release=DEBIAN_12 if name in spec.debian_12 else DEBIAN_11,
        role="control-plane" if control else "worker",
        pod_cidr=cidr,
        kubelet_version=spec.release,
        cgroup_driver=spec.cgroup_driver,
        runtime="containerd" if name in spec.migrated else "docker",
        docker_package="docker-engine" if own else "docker.io",
        containerd_installed=not own,
        images=images,
        static_pods=static_pods(spec.release, name, address) if control else (),
    )
