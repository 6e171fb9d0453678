"""Running containers, by the new runtime's CRI on the machine itself."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tests.e2e.site import Site

_CONTROLLERS = ("memory", "cpu", "pids")


@dataclass(frozen=True)
class Container:
    """A running container and its first process as the machine sees it."""

    id: str
    name: str
    pod: str
    namespace: str
    pid: int


def running(site: Site, node: str) -> list[Container]:
    """All that run, of all pods."""
    out = []
    for listed in json.loads(site.root(node, "crictl", "ps", "-o", "json"))["containers"]:
        shown = json.loads(site.root(node, "crictl", "inspect", "-o", "json", listed["id"]))
        labels = listed["labels"]
        out.append(
            Container(
                listed["id"],
                listed["metadata"]["name"],
                labels["io.kubernetes.pod.name"],
                labels["io.kubernetes.pod.namespace"],
                int(shown["info"]["pid"]),
            )
        )
    return out


def cgroups(site: Site, node: str, container: Container) -> dict[str, str]:
    """Controller -> the path of the cgroup in which the process really is."""
    lines = site.root(node, "cat", f"/proc/{container.pid}/cgroup").splitlines()
    paths = {name: path for _, names, path in (line.split(":", 2) for line in lines) for name in names.split(",")}
    return {name: path for name, path in paths.items() if name in _CONTROLLERS or name == ""}


def fetch(site: Site, node: str, container: Container, url: str) -> str | None:
    """What a URL answers inside the container's network; None when it does not."""
    argv = ["nsenter", "-n", "-t", str(container.pid), "curl", "-sf", "-m", "3", url]
    return site.root(node, *argv) if site.code(node, *argv) == 0 else None
