"""What must be the same after a rollback: the machine's standing, the node object, and its pods in Docker."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.e2e.look import cluster
from tests.e2e.site import Object, Site
from tests.faults.standing import docker_containers, runs_once, standing
from tests.lab.workloads import missing


def as_it_stands(site: Site, node: str) -> dict[str, Any]:
    """The machine's files, units, packages, holds, marks, FORWARD; the node's annotations, labels, cordon, taints."""
    found = site.get("nodes", f"--field-selector=metadata.name={node}")[0]
    return standing(site.name, node) | {
        "annotations": dict(found["metadata"].get("annotations", {})),
        "labels": dict(found["metadata"]["labels"]),
        "cordoned": bool(found["spec"].get("unschedulable")),
        "taints": cluster.taints(site)[node],
        "runtime": str(found["status"]["nodeInfo"]["containerRuntimeVersion"]),
    }


def differs(before: dict[str, Any], after: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What is not as it was: (then, now) by name."""
    keys = sorted(before.keys() | after.keys())
    return {key: (before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)}


def in_service(standing: dict[str, Any]) -> dict[str, Any]:
    """What staging leaves as it is: all but the runtime's package and its files."""
    staged = ("file /etc/containerd", "manual", "packages", "unit containerd.service")
    return {key: value for key, value in standing.items() if not key.startswith(staged)}


def own_pods(site: Site, node: str) -> Counter[str]:
    """Pods that can run on this node only, or always do: static ones, DaemonSets', those with a volume here.

    A pod with a random name counts for its controller.
    """
    return Counter(_stable(pod) for pod in _pods(site, node) if _is_own(pod))


def not_once(site: Site, node: str, wanted: Counter[str]) -> list[str]:
    """Own pods that are missing; pods of this node that are not Ready or whose containers Docker runs not just once;
    containers of Docker's without a pod; anything of Kubernetes' in containerd.

    A mirror pod's condition Ready comes more than a minute late: only its containers count.
    """
    wrong = [f"missing: {name}" for name in (wanted - own_pods(site, node))]
    pods = _pods(site, node)
    expected: Counter[str] = Counter()
    for pod in pods:
        expected.update(f"{_name(pod)}/{each['name']}" for each in pod["spec"]["containers"])
        ready = any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))
        if not ready and _owner(pod)[0] != "Node":
            wrong.append(f"not ready: {_name(pod)}")
    running = docker_containers(site.name, node)
    for name in sorted(expected.keys() | running.keys()):
        if expected[name] != running[name]:
            wrong.append(f"{name}: {running[name]} times in Docker instead of {expected[name]}")
    counts = runs_once(site.name, node)
    return wrong + ([f"containerd has {counts['containerd']} tasks or shims"] if counts["containerd"] else [])


def whole(site: Site) -> list[str]:
    """What of the workload is not whole, which nodes are not Ready, and what is left of `up`'s own check."""
    checking = [pod["metadata"]["name"] for pod in site.get("pods") if pod["metadata"]["namespace"] == "lab-check"]
    return missing(site.lab) + [f"{name} is not Ready" for name in cluster.not_ready(site)] + checking


def _pods(site: Site, node: str) -> list[Object]:
    """Those that are to run on the node; the CronJob's come and go."""
    return [
        pod
        for pod in site.get("pods", f"--field-selector=spec.nodeName={node}")
        if pod["status"]["phase"] not in ("Succeeded", "Failed") and _owner(pod)[0] != "Job"
    ]


def _is_own(pod: Object) -> bool:
    claims = any("persistentVolumeClaim" in volume for volume in pod["spec"].get("volumes", []))
    return claims or _owner(pod)[0] in ("DaemonSet", "Node")


def _stable(pod: Object) -> str:
    kind, name = _owner(pod)
    return f"{pod['metadata']['namespace']}/{name}" if kind == "DaemonSet" else _name(pod)


def _owner(pod: Object) -> tuple[str, str]:
    owners = pod["metadata"].get("ownerReferences") or [{"kind": "", "name": ""}]
    return str(owners[0]["kind"]), str(owners[0]["name"])


def _name(pod: Object) -> str:
    return f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
