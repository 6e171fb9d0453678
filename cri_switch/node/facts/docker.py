"""What Docker runs: its containers, and whether anything of it lives without dockerd."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, field

from cri_switch.model.errors import RemoteCommandFailed
from cri_switch.node.command import Result, plain, sudo
from cri_switch.node.fact import Fact

_POD_UID = "io.kubernetes.pod.uid"
_GRACE = "annotation.io.kubernetes.pod.terminationGracePeriod"
_FORMAT = (
    '{"id":{{json .Id}},"name":{{json .Name}},"state":{{json .State.Status}},"pid":{{json .State.Pid}},'
    '"image":{{json .Config.Image}},"image_id":{{json .Image}},"labels":{{json .Config.Labels}}}'
)


@dataclass(frozen=True)
class Container:
    """One container of Docker's; `pid` is 0 unless it runs. dockershim writes what it is into the labels."""

    id: str
    name: str
    state: str
    pid: int
    image: str = ""
    image_id: str = ""
    labels: dict[str, str] = field(default_factory=dict, hash=False)

    @property
    def running(self) -> bool:
        """Whether a process of it lives."""
        return self.state in ("running", "paused", "restarting")

    @property
    def kubernetes(self) -> bool:
        """Whether the kubelet made it."""
        return _POD_UID in self.labels

    @property
    def sandbox(self) -> bool:
        """Whether it is a pod's pause container."""
        return self.labels.get("io.kubernetes.docker.type") == "podsandbox"

    @property
    def container_name(self) -> str:
        """Its name in the pod's spec (POD for a sandbox)."""
        return self.labels.get("io.kubernetes.container.name", "")

    @property
    def pod(self) -> str:
        """Namespace/name of its pod."""
        labels = self.labels
        return f"{labels.get('io.kubernetes.pod.namespace', '')}/{labels.get('io.kubernetes.pod.name', '')}"

    @property
    def grace(self) -> int:
        """Seconds between SIGTERM and SIGKILL: the pod's terminationGracePeriodSeconds, Kubernetes' 30 otherwise."""
        given = self.labels.get(_GRACE, "")
        return int(given) if given.isdigit() else 30


def _ids(result: Result) -> tuple[str, ...]:
    return tuple(result.stdout.split())


DOCKER_IDS: Fact[tuple[str, ...]] = Fact(
    "containers of Docker", sudo("docker", "ps", "-aq", "--no-trunc", timeout=60), _ids
)
"""Ids of all containers, also stopped ones. Ask only while docker.service is active: docker.socket revives dockerd."""

DOCKER_RUNNING: Fact[tuple[str, ...]] = Fact(
    "running containers of Docker", sudo("docker", "ps", "-q", "--no-trunc", timeout=60), _ids
)

DOCKER_CGROUP_DRIVER: Fact[str] = Fact(
    "Docker's cgroup driver",
    sudo("docker", "info", "--format", "{{.CgroupDriver}}", timeout=60),
    lambda result: result.stdout.strip(),
)


def docker_containers(ids: Iterable[str]) -> Fact[tuple[Container, ...]]:
    """These containers in full; one that has gone meanwhile is left out."""

    def parse(result: Result) -> tuple[Container, ...]:
        problems = [line for line in result.stderr.splitlines() if line.strip() and "No such" not in line]
        if result.rc and problems:
            raise RemoteCommandFailed(
                f"docker inspect: {problems[0]}",
                rc=result.rc,
                stderr=result.stderr,
                next_step="on the node: sudo docker ps -a",
            )
        return tuple(_container(line) for line in result.stdout.splitlines() if line.startswith("{"))

    names = tuple(ids)
    if not names:  # docker inspect wants one
        return Fact("containers of Docker in full", plain("true"), lambda _result: ())
    command = sudo("docker", "inspect", "--type", "container", "--format", _FORMAT, *names, timeout=60, ok=(0, 1))
    return Fact("containers of Docker in full", command, parse)


def _container(line: str) -> Container:
    raw = json.loads(line)
    return Container(
        raw["id"],
        raw["name"].lstrip("/"),
        raw["state"],
        int(raw["pid"] or 0),
        raw["image"],
        raw["image_id"],
        raw["labels"] or {},
    )


def _shims(result: Result) -> tuple[str, ...]:
    found = []
    for line in result.stdout.splitlines():
        words = line.split()
        if len(words) > 1 and posixpath.basename(words[1]).startswith("containerd-shim") and "moby" in words:
            found.append(" ".join(words))
    return tuple(found)


DOCKER_SHIMS: Fact[tuple[str, ...]] = Fact(
    "shims of Docker's containers", plain("pgrep", "-a", "containerd-shim", ok=(0, 1)), _shims
)
"""`pid argv` of every containerd-shim of namespace moby: one lives for each running container, with any containerd."""
