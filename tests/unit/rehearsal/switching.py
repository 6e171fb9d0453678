"""A small rehearsal cluster in virtual time, and the pipeline's own actions performed on a node of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cri_switch.model.attempt import Attempt
from cri_switch.model.migration import Migration
from cri_switch.model.node_ref import NodeRef
from cri_switch.node.action import Action, Performed, perform
from cri_switch.node.actions.carry_images import import_images, stage_images
from cri_switch.node.actions.configure_kubelet import configure_kubelet
from cri_switch.node.actions.configure_runtime import configure_runtime
from cri_switch.node.actions.install_runtime import install_runtime
from cri_switch.node.actions.remove_docker import remove_docker
from cri_switch.node.actions.retire_docker import retire_docker
from cri_switch.node.actions.stage_packages import stage_packages
from cri_switch.node.actions.start_kubelet import start_kubelet
from cri_switch.node.actions.start_runtime import start_runtime
from cri_switch.node.actions.stop_docker import stop_docker
from cri_switch.node.actions.stop_kubelet import stop_kubelet
from cri_switch.node.command import Result, plain, sudo
from cri_switch.node.connection import Connection
from cri_switch.node.transfer import Download
from cri_switch.rehearsal.build import ClusterSpec, build
from cri_switch.rehearsal.clock import Clock, VirtualClock
from cri_switch.rehearsal.connection import MemoryConnection

MINE = "rehearsed"
STEPS = (
    "stage_packages",
    "stage_images",
    "stop_kubelet",
    "stop_docker",
    "install_runtime",
    "configure_runtime",
    "start_runtime",
    "import_images",
    "configure_kubelet",
    "start_kubelet",
    "retire_docker",
    "remove_docker",
)


class Switching:
    """One node of a cluster of one control plane and two workers, spoken to in memory."""

    def __init__(self, name: str = "w1", *, clock: Clock | None = None, **spec: Any) -> None:
        self.world = build(ClusterSpec(nodes=3, control_planes=1, **spec), clock or VirtualClock())
        self.machine = self.world.machines[name]
        self.node = NodeRef(name=name, uid="u", address=self.machine.address, kubelet_version="v1.20.2")
        self.attempt = Attempt(cluster_uid="c", migration_id=MINE, node=self.node, number=1)
        self.migration = Migration.model_validate(
            {"metadata": {"name": "x"}, "spec": {"cluster": {"kubeconfig": "x"}, "backup": {"directory": "x"}}}
        )
        self.connection: Connection = MemoryConnection(self.machine, Result, Download)

    def step(self, name: str) -> Action:
        """The pipeline's action of that name."""
        migration, attempt, version = self.migration, self.attempt, self.node.kubelet_version
        made: dict[str, Callable[[], Action]] = {
            "stage_packages": lambda: stage_packages(migration, attempt),
            "stage_images": lambda: stage_images(migration, attempt),
            "stop_kubelet": lambda: stop_kubelet(migration),
            "stop_docker": lambda: stop_docker(migration, migration_id=MINE),
            "install_runtime": lambda: install_runtime(migration, attempt),
            "configure_runtime": lambda: configure_runtime(migration, migration_id=MINE, kubelet_version=version),
            "start_runtime": lambda: start_runtime(migration),
            "import_images": lambda: import_images(migration, attempt),
            "configure_kubelet": lambda: configure_kubelet(migration, migration_id=MINE, kubelet_version=version),
            "start_kubelet": lambda: start_kubelet(migration),
            "retire_docker": lambda: retire_docker(migration),
            "remove_docker": lambda: remove_docker(migration, attempt),
        }
        return made[name]()

    def act(self, name: str) -> Performed:
        """Perform one; time passes for the world while it waits."""
        return self.perform(self.step(name))

    def perform(self, action: Action) -> Performed:
        """Perform any action."""
        return perform(self.connection, action, sleep=self.pass_time)

    def upto(self, last: str) -> None:
        """Perform all steps until and with that one."""
        for name in STEPS[: STEPS.index(last) + 1]:
            self.act(name)

    def pass_time(self, seconds: float) -> None:
        """Simulated seconds, the world looking twice in each."""
        for _ in range(max(1, round(seconds * 2))):
            self.world.clock.sleep(min(seconds, 0.5))
            self.world.tick()

    def put(self, path: str, text: str) -> None:
        """A file on the node, by hand."""
        self.machine.fs.put(path, text)

    def sudo(self, *argv: str) -> Result:
        """A command by root."""
        return self.connection.run(sudo(*argv, ok=range(256)))

    def plain(self, *argv: str) -> Result:
        """A command by the login user."""
        return self.connection.run(plain(*argv, ok=range(256)))

    def ready(self) -> tuple[str, str, str]:
        """The node's Ready condition, its message, and the runtime that the API reports."""
        node = self.world.store.get("Node", self.node.name)
        assert node is not None
        found = next(one for one in node["status"]["conditions"] if one["type"] == "Ready")
        return found["status"], found["message"], node["status"]["nodeInfo"]["containerRuntimeVersion"]

    def waiting(self) -> set[tuple[str, str]]:
        """Reason and message of the node's containers that do not run."""
        pods = [pod for pod in self.world.store.list("Pod") if pod["spec"].get("nodeName") == self.node.name]
        states = [one["state"] for pod in pods for one in (pod.get("status") or {}).get("containerStatuses") or []]
        return {(s["waiting"]["reason"], s["waiting"].get("message", "")) for s in states if "waiting" in s}
