"""Pods that talk to Docker through its socket: the article's first thing to check."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cri_switch.checks.owner import Owner, owner_of
from cri_switch.model.finding import Finding

_SOCKETS = frozenset({"/run/docker.sock", "/run/dockershim.sock"})
_PARENTS = frozenset({"/run", "/var", "/"})
"""Directories that hold the sockets, with /var/run being /run; /var holds the link."""


def check_docker_socket(pods: Iterable[Mapping[str, Any]], allowed: Sequence[str]) -> list[Finding]:
    """One finding for each owner whose pods mount docker.sock, dockershim.sock or a directory that holds them.

    `pods` are the API's JSON; `allowed` owners (`namespace/Kind/name`, as shown or the pod's own controller) are
    warned of. Only volumes that a container mounts count, with their subPath. A finished pod counts only where a
    CronJob would run it again.
    """
    found: dict[str, tuple[Owner, set[str], list[str]]] = {}
    for pod in pods:
        owner = owner_of(pod)
        finished = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
        if finished and owner.kind != "CronJob":
            continue
        paths = set(_socket_paths(pod.get("spec") or {}))
        if paths:
            _, all_paths, names = found.setdefault(f"{owner.name} {owner.node}", (owner, set(), []))
            all_paths.update(paths)
            names.append((pod.get("metadata") or {}).get("name", ""))
    return [_finding(*found[key], allowed) for key in sorted(found)]


def _socket_paths(spec: Mapping[str, Any]) -> Iterator[str]:
    host_paths = {
        volume["name"]: volume["hostPath"].get("path", "")
        for volume in spec.get("volumes") or []
        if volume.get("hostPath")
    }
    for kind in ("containers", "initContainers", "ephemeralContainers"):
        for container in spec.get(kind) or []:
            for mount in container.get("volumeMounts") or []:
                path = host_paths.get(mount.get("name", ""))
                if path and _reaches_socket(posixpath.join(path, mount.get("subPath") or "")):
                    yield path


def _reaches_socket(path: str) -> bool:
    path = "/" + posixpath.normpath(path).lstrip("/")
    if path == "/var/run" or path.startswith("/var/run/"):
        path = path.removeprefix("/var")
    return path in _SOCKETS or path in _PARENTS


def _finding(owner: Owner, paths: set[str], pods: list[str], allowed: Sequence[str]) -> Finding:
    is_allowed = owner.name in allowed or owner.direct in allowed
    where = f" on node {owner.node}" if owner.node else ""
    what = ", ".join(sorted(paths))
    return Finding(
        level="warning" if is_allowed else "error",
        name="DockerSocketMounted",
        summary=f"{owner.name}{where} mounts {what}, where Docker's socket is"
        + (" (allowed by the settings)" if is_allowed else ""),
        node=owner.node,
        object=owner.name,
        detail="pods: " + ", ".join(sorted(set(pods))),
        remedy=""
        if is_allowed
        else "give it another way than Docker's socket (to build images, for example Kaniko), "
        f"or add {owner.name} to spec.allow_docker_socket",
    )
