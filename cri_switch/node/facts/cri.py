"""The containers and sandboxes of the new runtime, by crictl."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from cri_switch.model.errors import RemoteCommandFailed
from cri_switch.node.command import Result, sudo
from cri_switch.node.fact import Fact

ENDPOINT = "unix:///run/containerd/containerd.sock"
"""containerd's CRI socket where the settings name no other."""


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
