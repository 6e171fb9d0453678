"""What containerd's pods leave on a node: shims, logs, mounts, containers with their labels."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cri_switch.model.errors import NotProven
from cri_switch.node.command import Result, plain, sudo
from cri_switch.node.fact import Fact

POD_LOGS, CONTAINER_LOGS = "/var/log/pods", "/var/log/containers"
_GRACE = "io.kubernetes.pod.terminationGracePeriod"
_SHIM = re.compile(r"-namespace k8s\.io\b")


@dataclass(frozen=True)
class Work:
    """A running container of a pod: `pod` is namespace/name, `grace` the pod's seconds after SIGTERM."""

    id: str
    name: str
    pod: str = ""
    grace: int = 30
    sandbox: bool = False

    @property
    def turn(self) -> int:
        """-1: the API server stops first (it hangs without etcd), 1: etcd stops last, 0: the others."""
        if not self.pod.startswith("kube-system/"):
            return 0
        return {"kube-apiserver": -1, "etcd": 1}.get(self.name, 0)


def stop_order(work: Sequence[Work]) -> list[list[Work]]:
    """Groups to be stopped one after the other, each of one grace, without the pause containers."""
    keys = sorted({(one.turn, one.grace) for one in work if not one.sandbox})
    return [[one for one in work if (one.turn, one.grace) == key and not one.sandbox] for key in keys]


def _grace(annotations: dict[str, str]) -> int:
    given = annotations.get(_GRACE, "")
    return int(given) if given.isdigit() else 30


def cri_work(endpoint: str) -> Fact[tuple[Work, ...]]:
    """The running containers by `crictl ps`."""

    def parse(result: Result) -> tuple[Work, ...]:
        return tuple(
            Work(
                raw["id"],
                raw["metadata"]["name"],
                _pod(raw.get("labels") or {}),
                _grace(raw.get("annotations") or {}),
            )
            for raw in json.loads(result.stdout).get("containers") or []
        )

    return Fact("crictl ps", sudo("crictl", "--runtime-endpoint", endpoint, "ps", "-o", "json"), parse)


def _pod(labels: dict[str, str]) -> str:
    return f"{labels.get('io.kubernetes.pod.namespace', '')}/{labels.get('io.kubernetes.pod.name', '')}"


K8S_SHIMS: Fact[tuple[str, ...]] = Fact(
    "shims of k8s.io's containers",
    plain("pgrep", "-a", "containerd-shim", ok=(0, 1)),
    lambda result: tuple(line for line in result.stdout.splitlines() if _SHIM.search(line)),
)
"""`pid argv` of each: they tell of pods also while containerd is down."""


def children_of(pids: Sequence[str]) -> Fact[tuple[str, ...]]:
    """The processes below these."""
    command = plain("pgrep", "-P", ",".join(pids), ok=(0, 1))
    return Fact("processes of shims", command, lambda result: tuple(result.stdout.split()))


CTR_CONTAINERS: Fact[tuple[str, ...]] = Fact(
    "containers of k8s.io", sudo("ctr", "-n", "k8s.io", "containers", "ls", "-q"), lambda r: tuple(r.stdout.split())
)


def _pids(result: Result) -> dict[str, int]:
    rows = (line.split() for line in result.stdout.splitlines()[1:])
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdigit()}


CTR_PIDS: Fact[dict[str, int]] = Fact("tasks of k8s.io", sudo("ctr", "-n", "k8s.io", "tasks", "ls"), _pids)
"""The first process of every task, running or stopped."""


def ctr_container(identity: str) -> Fact[Work]:
    """One container of k8s.io by ctr; the pod's grace is in the CRI's own metadata, which ctr does not show."""

    def parse(result: Result) -> Work:
        labels = json.loads(result.stdout).get("Labels") or {}
        sandbox = labels.get("io.cri-containerd.kind") == "sandbox"
        return Work(identity, labels.get("io.kubernetes.container.name", ""), _pod(labels), sandbox=sandbox)

    return Fact(f"container {identity:.13}", sudo("ctr", "-n", "k8s.io", "containers", "info", identity), parse)


def _found(result: Result) -> tuple[str, ...]:
    problems = [line for line in result.stderr.splitlines() if line and "No such file or directory" not in line]
    if result.rc and problems:
        raise NotProven(f"logs cannot be listed: {problems[0]}", next_step=f"on the node: sudo ls -lR {POD_LOGS}")
    return tuple(result.stdout.splitlines())


CRI_LOGS: Fact[tuple[str, ...]] = Fact(
    "logs that containerd wrote",
    sudo("find", POD_LOGS, "-mindepth", "3", "-maxdepth", "3", "-type", "f", "-name", "[0-9]*.log*", ok=(0, 1)),
    _found,
)
"""Regular files: Docker has links here."""

DANGLING_LOGS: Fact[tuple[str, ...]] = Fact(
    "dangling log links", sudo("find", POD_LOGS, CONTAINER_LOGS, "-xtype", "l", ok=(0, 1)), _found
)
