"""Workloads that use the node's Docker by what they mount: the article's first thing to check."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from cri_switch.checks.docker_in_docker import brings_docker
from cri_switch.checks.docker_paths import RANK, WHAT, Reach, docker_reach, names_socket
from cri_switch.checks.mounted import NodePath, containers_of, mounted, node_paths
from cri_switch.checks.owner import Obj, Owner, owner_of, owners
from cri_switch.checks.templates import templates
from cri_switch.model.finding import Finding

_LOGS = re.compile(r"fluent|filebeat|promtail|logstash|loki|vector|log-?agent|logging|alloy|collector", re.I)
_BUILDS = re.compile(r"kaniko|build|jenkins|runner|drone|buildah|concourse|tekton|\bci\b|docker", re.I)
_MONITORS = re.compile(r"cadvisor|exporter|datadog|dynatrace|oneagent|falco|sysdig|newrelic|monitor|agent", re.I)
_WARN = frozenset({"DockerLogsMounted", "DockerConfigMounted"})
_TEMPLATES = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController"})
"""Kinds whose template says what runs next, whatever a pod of theirs that has finished had."""


@dataclass
class _Use:
    """What one owner's pods and template mount; `runs` where not only finished pods do."""

    owner: Owner
    paths: set[tuple[str, Reach]] = field(default_factory=set)
    pods: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    named: set[str] = field(default_factory=set)
    dind: bool = False
    runs: bool = False


def check_docker_socket(
    pods: Iterable[Obj],
    allowed: Sequence[str],
    objects: Sequence[Obj] = (),
    claimed: Mapping[str, NodePath] | None = None,
    roots: Collection[str] = (),
) -> list[Finding]:
    """One finding for each owner whose pods or template mount Docker's socket, data, program or settings.

    `pods` and `objects` (Deployments, CronJobs, ...) are the API's JSON; `allowed` owners (`namespace/Kind/name`, as
    shown or one that stands between) are warned of; `claimed` is what claims lead to (claimed_paths), `roots` the
    nodes' data roots. Only volumes that a container mounts count, with their subPath. Finished pods are warned of,
    unless a CronJob would run them again, or their owner has a template, which tells. A container that brings a Docker
    of its own (Docker-in-Docker) and mounts nothing of the node's is a warning; so is a volume that only has the
    socket's name in its path, or that nobody mounts: kubectl-detector-for-docker-socket shows those too.
    """
    known = owners(objects)
    found: dict[str, _Use] = {}

    def look(owner: Owner, spec: Mapping[str, Any], pod: str = "", *, runs: bool = True) -> None:
        volumes = node_paths(spec, owner.name.partition("/")[0], claimed or {})
        paths = {(one.shown, reach) for one, path in mounted(spec, volumes) if (reach := docker_reach(path, roots))}
        named = {one.shown for one in volumes.values() if names_socket(one.path)} - {shown for shown, _ in paths}
        dind = runs and brings_docker(spec)
        if paths or dind or named:
            use = found.setdefault(f"{owner.name} {owner.node}", _Use(owner))
            use.paths |= paths
            use.named |= named
            use.dind |= dind
            use.runs |= runs
            use.pods |= {pod} if pod else set()
            use.words |= {each.get("image", "") for each in containers_of(spec)}

    for owner, spec in templates(objects, known):
        look(owner, spec)
    for pod in pods:
        owner, name = owner_of(pod, known), (pod.get("metadata") or {}).get("name", "")
        finished = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
        if not finished or owner.kind not in _TEMPLATES:
            look(owner, pod.get("spec") or {}, name, runs=not finished or owner.kind == "CronJob")
    return [_finding(found[key], allowed) for key in sorted(found)]


def _finding(use: _Use, allowed: Sequence[str]) -> Finding:
    owner = use.owner
    detail = f"pods: {', '.join(sorted(use.pods))}" if use.pods else "no pods now: in its template"
    where = f" on node {owner.node}" if owner.node else ""
    if not use.paths and use.named:
        summary = (
            f"{owner.name}{where} has a volume {', '.join(sorted(use.named))}, which no container reaches Docker by"
        )
        remedy = "see whether Docker listens there (systemctl cat docker, daemon.json: hosts), else take the volume out"
        return Finding("warning", "DockerSocketNamed", summary, owner.node, owner.name, detail, remedy)
    if not use.paths:
        summary = f"{owner.name}{where} brings a Docker of its own (Docker-in-Docker), and needs not the node's"
        remedy = "nothing to do; see it work on the first node that was switched"
        return Finding("warning", "DockerInDocker", summary, owner.node, owner.name, detail, remedy)
    name = min((reach for _shown, reach in use.paths), key=RANK.index)
    is_allowed = owner.among(allowed)
    level: Literal["error", "warning"] = "warning" if is_allowed or name in _WARN or not use.runs else "error"
    summary = f"{owner.name}{where} mounts {', '.join(sorted({shown for shown, _ in use.paths}))}, {WHAT[name]}"
    if is_allowed:
        return Finding(
            level, name, f"{summary} (allowed by the settings)", node=owner.node, object=owner.name, detail=detail
        )
    if not use.runs:
        summary += "; it has finished, and would not work if it were started again"
    remedy = _remedy(name, " ".join([owner.name, *use.words]))
    if level == "error":
        remedy += f", or add {owner.name} to spec.allow_docker_socket"
    return Finding(level, name, summary, owner.node, owner.name, detail, remedy)


def _remedy(name: Reach, words: str) -> str:
    """What helps, by what it is: its name and its images tell."""
    logs = "read /var/log/pods (or /var/log/containers) and parse the CRI format instead of Docker's JSON"
    if name == "DockerLogsMounted" or (name == "DockerDataMounted" and _LOGS.search(words)):
        return logs
    if name == "DockerConfigMounted":
        return "containerd has its settings in /etc/containerd, its registries in config.toml or certs.d"
    if _BUILDS.search(words):
        return "build images without Docker: Buildah, BuildKit rootless, or a successor of Kaniko"
    if _LOGS.search(words):
        return logs
    if _MONITORS.search(words):
        return "use its support for containerd: mount /run/containerd instead"
    return (
        "give it another way than the node's Docker: to build images Buildah, BuildKit rootless or a successor of"
        " Kaniko; to look at containers /run/containerd/containerd.sock"
    )
