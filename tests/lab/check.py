"""What `up` proves before it calls a lab good: the traps that cost seconds, or make false faults, are not there."""

from __future__ import annotations

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from pathlib import Path
from typing import Any

from tests.lab import files
from tests.lab.access import kubectl
from tests.lab.machine import execute
from tests.lab.process import wait_for
from tests.lab.report import LabError, step
from tests.lab.state import Lab, MachineState
from tests.lab.topology import METADATA

# Names of pods' cgroups in every hierarchy, as this machine's kubelet sees them.
_PODS = (
    "find /sys/fs/cgroup -path '*kubepods*' -type d '(' -name 'pod*' -o -name 'kubepods-*pod*.slice' ')'"
    " -printf '%f\\n' | sort -u"
)
_API_UID = re.compile(r"[0-9a-f]{8}[-_][0-9a-f]{4}[-_]")
_NUDGE = "cri-switch.lab/nudged"
_SANDBOX = (
    "docker inspect -f '{{.State.Pid}}' $(docker ps -q"
    " --filter label=io.kubernetes.pod.namespace=lab-check --filter label=io.kubernetes.docker.type=podsandbox)"
)
_NETWORK = """
apiVersion: v1
kind: Namespace
metadata: {name: lab-check}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: echo, namespace: lab-check}
spec:
  selector: {matchLabels: {app: echo}}
  template:
    metadata: {labels: {app: echo}}
    spec:
      tolerations: [{operator: Exists}]
      terminationGracePeriodSeconds: 0
      containers:
        - name: echo
          image: lab/app:1
          args: [serve, --port, "8080"]
          readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: echo, namespace: lab-check}
spec:
  selector: {app: echo}
  ports: [{port: 80, targetPort: 8080}]
"""


def machines(lab: Lab) -> None:
    """Each by itself: names, the metadata address, the CNI's FORWARD rules."""
    for each in lab.machines.values():
        for other in lab.machines.values():
            answer = execute(each, "getent", "hosts", other.spec.name, check=False).stdout.split()
            _require(answer[:1] == [other.spec.address], f"{each.spec.name} does not know {other.spec.name}")
        route = execute(each, "ip", "route", "get", METADATA, check=False)
        _require(route.returncode != 0, f"{each.spec.name} has a way to {METADATA}: {route.stdout}")
    for node in lab.nodes:
        for rule in files.FORWARD_RULES:
            there = execute(node, "iptables", "-w", "-C", "FORWARD", *rule.split(), check=False)
            _require(there.returncode == 0, f"{node.spec.name} has no rule FORWARD {rule}")


def cgroups(lab: Lab) -> None:
    """Every machine's processes lie below its own cgroups, and no kubelet sees another's pods."""
    for each in lab.machines.values():
        assert each.leader is not None
        own = {path.name for path in each.cgroups}
        lines = Path(f"/proc/{each.leader.pid}/cgroup").read_text().splitlines()
        strays = [line for line in lines if line.split(":", 2)[2].split("/")[1] not in own]
        _require(not strays, f"{each.spec.name} is not in a cgroup of its own: {strays}")

    def listed() -> dict[str, set[str]]:
        return {node.spec.name: api_pods(execute(node, "sh", "-c", _PODS).stdout) for node in lab.nodes}

    wait_for("a pod's cgroup on every node", lambda: all(listed().values()), 90)
    pods = listed()
    for (one, left), (other, right) in combinations(pods.items(), 2):
        _require(left.isdisjoint(right), f"{one} and {other} see each other's pods: {sorted(left & right)[:3]}")


def api_pods(listed: str) -> set[str]:
    """The cgroups of pods that came from the API: a static pod's UID is a hash without dashes, and control planes that
    have the same manifest have the same one."""
    return {name for name in listed.split() if _API_UID.search(name)}


def pod_network(lab: Lab) -> None:
    """From a pod on every node to the pod on every other, and through a Service."""
    with step("the pod network works"):
        kubectl(lab, "apply", "-f", "-", stdin=_NETWORK)
        wait_for("a pod of the network check on every node", lambda: len(_addresses(lab)) == len(lab.nodes), 90)
        service = kubectl(lab, "-n", "lab-check", "get", "service", "echo", "-o", "jsonpath={.spec.clusterIP}")
        targets = [f"{address}:8080" for address in _addresses(lab)] + [service] * len(lab.nodes)
        with ThreadPoolExecutor(max_workers=len(lab.nodes)) as pool:
            list(pool.map(lambda node: _reach(node, targets), lab.nodes))
        kubectl(lab, "delete", "namespace", "lab-check", "--wait=false")


def system_pods(lab: Lab) -> None:
    """Kubernetes' own pods. A mirror pod's Ready lags for a minute or more: its kubelet is nudged, see `nudge`."""

    def ready() -> bool:
        answer = kubectl(lab, "-n", "kube-system", "get", "pods", "-o", "json", check=False)
        behind = [pod for pod in json.loads(answer)["items"] if not is_ready(pod)] if answer else []
        nudge(lab, behind)
        return bool(answer) and not behind

    with step("Kubernetes' own pods are ready"):
        wait_for("Kubernetes' own pods to be ready", ready, 120, every=1)


def nudge(lab: Lab, pods: list[dict[str, Any]]) -> None:
    """Let kubelets look at these mirror pods now.

    Without a readiness probe a pod is Ready at its kubelet's next look after the startup probe succeeded, and the
    kubelet looks once in 60 to 90 s, or when the mirror pod changes.
    """
    for pod in pods:
        if "kubernetes.io/config.mirror" in pod["metadata"].get("annotations", {}):
            name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
            mark = f"{_NUDGE}={time.monotonic_ns()}"
            kubectl(lab, "-n", namespace, "annotate", "--overwrite", "pod", name, mark, check=False)


def _addresses(lab: Lab) -> list[str]:
    answer = kubectl(lab, "-n", "lab-check", "get", "pods", "-o", "json", check=False)
    pods = json.loads(answer)["items"] if answer else []
    return [pod["status"]["podIP"] for pod in pods if is_ready(pod)]


def is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions", [])
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def _reach(node: MachineState, targets: list[str]) -> None:
    pid = execute(node, "sh", "-c", _SANDBOX).stdout.strip()
    for target in targets:

        def answers(target: str = target) -> bool:
            curl = ["nsenter", "-n", "-t", pid, "curl", "-sf", "-m", "2", f"http://{target}/"]
            return execute(node, *curl, check=False).returncode == 0

        wait_for(f"an answer from {target} to a pod on {node.spec.name}", answers, 20)


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise LabError(f"the lab is not good: {otherwise}")
