"""What the new runtime says of itself, by crictl; what containerd runs, by ctr."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from cri_switch.model.errors import RemoteCommandFailed
from cri_switch.node.command import Result, sudo
from cri_switch.node.fact import Fact

ENDPOINT = "unix:///run/containerd/containerd.sock"
"""containerd's CRI socket where the settings name no other."""


@dataclass(frozen=True)
class RuntimeStatus:
    """`crictl info`; `answered` is False while the CRI is not up."""

    answered: bool
    conditions: dict[str, bool] = field(default_factory=dict)
    message: str = ""
    systemd_cgroup: bool | None = None
    sandbox_image: str = ""

    @property
    def ready(self) -> bool:
        """RuntimeReady is true."""
        return self.answered and self.conditions.get("RuntimeReady", False)


@dataclass(frozen=True)
class CriContainer:
    """One container of `crictl ps`."""

    id: str
    name: str
    state: str
    sandbox_id: str
    image: str
    attempt: int
    labels: dict[str, str] = field(default_factory=dict, hash=False)

    @property
    def pod(self) -> str:
        """Namespace/name of its pod."""
        labels = self.labels
        return f"{labels.get('io.kubernetes.pod.namespace', '')}/{labels.get('io.kubernetes.pod.name', '')}"


@dataclass(frozen=True)
class CriSandbox:
    """One sandbox of `crictl pods`."""

    id: str
    name: str
    namespace: str
    uid: str
    state: str

    @property
    def ready(self) -> bool:
        """Whether its pause container runs."""
        return self.state == "SANDBOX_READY"


def runtime_status(endpoint: str) -> Fact[RuntimeStatus]:
    """`crictl info` at an endpoint; "server is not initialized yet" and a refused connection are just not answered."""

    def parse(result: Result) -> RuntimeStatus:
        if result.rc:
            return RuntimeStatus(False, message=result.stderr.strip()[-500:])
        info = json.loads(result.stdout)
        conditions = info["status"].get("conditions") or []
        broken = [f"{c['type']}: {c.get('reason', '')} {c.get('message', '')}" for c in conditions if not c["status"]]
        return RuntimeStatus(
            True,
            conditions={c["type"]: bool(c["status"]) for c in conditions},
            message="; ".join(broken),
            systemd_cgroup=_systemd_cgroup(info.get("config")),
            sandbox_image=str((info.get("config") or {}).get("sandboxImage") or ""),
        )

    command = sudo("crictl", "--runtime-endpoint", endpoint, "info", ok=(0, 1))
    return Fact("crictl info", command, parse)


def _systemd_cgroup(config: Any) -> bool | None:
    """containerd's real choice; the top-level systemdCgroup is a deprecated field that says false always."""
    node: Any = config if isinstance(config, dict) else {}
    for key in ("containerd", "runtimes", "runc", "options", "SystemdCgroup"):
        node = node.get(key) if isinstance(node, dict) else None
    return node if isinstance(node, bool) else None


def cri_containers(endpoint: str, *, every: bool = False) -> Fact[tuple[CriContainer, ...]]:
    """`crictl ps -o json`: running containers, or all of them."""

    def parse(result: Result) -> tuple[CriContainer, ...]:
        return tuple(
            CriContainer(
                raw["id"],
                raw["metadata"]["name"],
                raw["state"],
                raw["podSandboxId"],
                (raw.get("image") or {}).get("image", ""),
                int(raw["metadata"].get("attempt") or 0),
                raw.get("labels") or {},
            )
            for raw in json.loads(result.stdout).get("containers") or []
        )

    words = ("crictl", "--runtime-endpoint", endpoint, "ps", *(("-a",) if every else ()), "-o", "json")
    return Fact("crictl ps", sudo(*words), parse)


def cri_sandboxes(endpoint: str) -> Fact[tuple[CriSandbox, ...]]:
    """`crictl pods -o json`."""

    def parse(result: Result) -> tuple[CriSandbox, ...]:
        return tuple(
            CriSandbox(
                raw["id"],
                raw["metadata"]["name"],
                raw["metadata"]["namespace"],
                raw["metadata"]["uid"],
                raw["state"],
            )
            for raw in json.loads(result.stdout).get("items") or []
        )

    return Fact("crictl pods", sudo("crictl", "--runtime-endpoint", endpoint, "pods", "-o", "json"), parse)


def cri_container_pid(endpoint: str, container_id: str) -> Fact[int]:
    """The first process of a container on the node; 0 where the runtime does not say, or the container is gone.

    Raises:
        RemoteCommandFailed: crictl refuses for any other reason.
    """

    def parse(result: Result) -> int:
        if result.rc and any(text in result.stderr for text in ("not found", "does not exist")):
            return 0
        if result.rc:
            raise RemoteCommandFailed(
                f"crictl inspect {container_id:.13}: {result.stderr.strip()[-500:]}",
                rc=result.rc,
                stderr=result.stderr,
                next_step=f"on the node: sudo crictl --runtime-endpoint {endpoint} inspect {container_id:.13}",
            )
        return int((json.loads(result.stdout).get("info") or {}).get("pid") or 0)

    words = ("crictl", "--runtime-endpoint", endpoint, "inspect", "-o", "json", container_id)
    return Fact(f"crictl inspect {container_id:.13}", sudo(*words, ok=(0, 1)), parse)


def containerd_tasks(namespace: str) -> Fact[tuple[str, ...] | None]:
    """Ids of running tasks in a containerd namespace (moby is Docker's, k8s.io the CRI's).

    None where no containerd answers. Ask only where ctr is installed (`has_program`).

    Raises:
        RemoteCommandFailed: ctr refuses for any other reason.
    """

    def parse(result: Result) -> tuple[str, ...] | None:
        if result.rc == 0:
            return tuple(result.stdout.split())
        gone = ("no such file or directory", "connection refused", "context deadline exceeded")
        if any(text in result.stderr for text in gone):
            return None
        raise RemoteCommandFailed(
            f"ctr -n {namespace} tasks ls: {result.stderr.strip()}",
            rc=result.rc,
            stderr=result.stderr,
            next_step=f"on the node: sudo ctr -n {namespace} tasks ls",
        )

    return Fact(f"tasks of {namespace}", sudo("ctr", "-n", namespace, "tasks", "ls", "-q", ok=(0, 1)), parse)


def _cri_plugin(result: Result) -> str:
    for line in result.stdout.splitlines():
        words = line.split()
        if len(words) > 2 and words[1] in ("cri", "runtime") and "cri" in f"{words[0]}.{words[1]}":
            return words[-1]
    return result.stderr.strip() or "not loaded"


CRI_PLUGIN: Fact[str] = Fact("containerd's CRI plugin", sudo("ctr", "plugins", "ls", ok=(0, 1)), _cri_plugin)
"""`ok`, `error`, `skip`, or why it cannot be told (containerd 1.x: plugin cri; 2.x: io.containerd.cri.v1 runtime)."""
