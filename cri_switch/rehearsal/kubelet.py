"""The kubelet: it runs the pods bound to its node when its runtime and flags really fit, and fails as the real one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import yaml

from cri_switch.rehearsal.api_state import ApiState, best
from cri_switch.rehearsal.engine import Engine
from cri_switch.rehearsal.kubelet_fit import CONFIG, misfit, network_problem
from cri_switch.rehearsal.kubelet_flags import command_line, flags_of, unknown_flag
from cri_switch.rehearsal.node_object import new_node, node_status
from cri_switch.rehearsal.pod_worker import PodWorker
from cri_switch.rehearsal.static_pods import StaticPods
from cri_switch.rehearsal.surroundings import Obj

if TYPE_CHECKING:
    from cri_switch.rehearsal.machine import Machine

UNIT = "kubelet.service"
HEARTBEAT = 10.0
START_SECONDS = 0.9
IDLE = 5.0
CADVISOR_SECONDS = 5.0
METADATA_SECONDS = 6.1


class Kubelet:
    """A daemon of systemd's, moved on by `tick`; `saw` keeps it told of the API's pods of its node."""

    restart_sec = 10.0

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.argv: tuple[str, ...] = ("/usr/bin/kubelet",)
        self.flags: dict[str, str] = {}
        self.driver = "cgroupfs"
        self.pods: dict[str, Obj] = {}
        self.worker = PodWorker(machine, self)
        self.static = StaticPods(machine)
        self._ready_at = 0.0
        self._begun = False
        self._posted = 0.0
        self._said = ("", "")
        self.api = True
        """Whether any API server serves, as of the last tick."""
        self.idle_until = 0.0
        """Until then nothing happens by itself: no pod starts, ends or is told of."""
        self.ails_on_cri = ""
        """Why the node is not Ready whenever it is on a CRI runtime, whatever fits."""

    @property
    def remote(self) -> bool:
        """Whether its flags name a CRI endpoint and not dockershim."""
        return self._machine.minor >= 24 or self.flags.get("container-runtime") == "remote"

    @property
    def engine(self) -> Engine:
        """Where its pods run."""
        return self._machine.containerd if self.remote else self._machine.docker

    def saw(self, kind: str, obj: Obj) -> None:
        """A pod bound to this node was added or changed (called under the store's lock: nothing is done here)."""
        key = f"{obj['metadata'].get('namespace', '')}/{obj['metadata']['name']}"
        self.idle_until = 0.0
        if kind == "DELETED":
            self.pods.pop(key, None)
        else:
            self.pods[key] = obj

    def start(self) -> str:
        """Type=simple: systemd takes it as started; what does not fit shows a moment later."""
        machine = self._machine
        self.argv = command_line(machine.fs)
        self.flags = flags_of(self.argv)
        self.driver = self._driver()
        systemd = machine.systemd
        if systemd.active("docker.socket") and not machine.docker.up and not systemd.files.masked("docker.service"):
            systemd.start("docker.service")  # its own cAdvisor asks Docker, and the socket brings it back
        seconds = START_SECONDS
        if not machine.docker.up:
            seconds += CADVISOR_SECONDS
        if machine.metadata_blackholed:
            seconds += METADATA_SECONDS
        if unknown_flag(self.flags, machine.minor):
            seconds = 0.1
        self._ready_at, self._begun = machine.now() + seconds, False
        return ""

    def stop(self) -> None:
        """Containers run on; the next process tells every status anew."""
        self._begun = False
        self.worker.forget()

    def crash(self) -> None:
        """The machine went down."""
        self._begun, self.idle_until = False, 0.0
        self.worker.forget()

    def tick(self) -> None:
        """What it does by now."""
        machine, now = self._machine, self._machine.now()
        if not machine.systemd.active(UNIT) or now < self._ready_at:
            return
        problem = misfit(machine)
        if not self._begun:
            if "not initialized yet" in problem:
                return
            if problem:
                machine.systemd.fail(UNIT, f"failed to run Kubelet: {problem}", 255)
                return
            self._begun, self._posted = True, 0.0
        self.idle_until, self.api = now + IDLE, best(machine.world.machines.values()) is ApiState.SERVES
        desired = self._desired()
        if not self.worker.sync(problem, desired) or problem or not self.api:
            self.idle_until = 0.0
        if self.api:
            self._forget_mirrors(desired)
            ails = self.ails_on_cri if self.remote else ""
            not_ready = f"container runtime is down: {problem}" if problem else network_problem(machine) or ails
            if now - self._posted >= HEARTBEAT or self._said != (not_ready, self.engine.version):
                self._post(not_ready, now)

    def _desired(self) -> dict[str, Obj]:
        found = {f"{obj['metadata']['namespace']}/{obj['metadata']['name']}": obj for obj in self.static.pods()}
        for key, obj in list(self.pods.items()):
            if "kubernetes.io/config.mirror" not in (obj["metadata"].get("annotations") or {}):
                found[key] = obj
        return found

    def _forget_mirrors(self, desired: Mapping[str, Obj]) -> None:
        """The mirror pods of manifests that are gone."""
        store = self._machine.world.store
        for key, obj in list(self.pods.items()):
            if key not in desired:
                with store.acting(f"kubelet:{self._machine.name}"):
                    store.finalize("Pod", obj)

    def _driver(self) -> str:
        config = yaml.safe_load(self._machine.fs.text(CONFIG) or "") or {}
        return str(self.flags.get("cgroup-driver") or config.get("cgroupDriver") or "cgroupfs")

    def _post(self, not_ready: str, now: float) -> None:
        machine, store = self._machine, self._machine.world.store
        self._posted, self._said = now, (not_ready, self.engine.version)
        with store.acting(f"kubelet:{machine.name}"):
            if store.get("Node", machine.name) is None:
                store.create("Node", new_node(machine))

            def status(node: Obj) -> Any:
                node["status"] = node_status(machine, node.get("status") or {}, now, not_ready)

            store.change("Node", machine.name, "", status)
