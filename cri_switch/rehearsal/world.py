"""A simulated cluster: its time, its objects, its machines, and what moves them on."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from cri_switch.rehearsal.api_rights import Rights
from cri_switch.rehearsal.api_state import ApiState, best
from cri_switch.rehearsal.budgets import watch_budgets
from cri_switch.rehearsal.clock import Clock
from cri_switch.rehearsal.controllers import Controllers
from cri_switch.rehearsal.garbage import collect_garbage
from cri_switch.rehearsal.http_api import Api
from cri_switch.rehearsal.node_lifecycle import watch_nodes
from cri_switch.rehearsal.scheduler import schedule
from cri_switch.rehearsal.store import Event, Store

if TYPE_CHECKING:
    from cri_switch.rehearsal.machine import Machine

TICK_SECONDS = 0.05
"""Real seconds between two looks of every kubelet and controller."""


class World:
    """`complaints` are what the pipeline asked for and the rehearsal does not know: a test fails by them."""

    def __init__(self, clock: Clock, release: str = "v1.20.2") -> None:
        self.clock = clock
        self.store = Store(clock)
        self.machines: dict[str, Machine] = {}
        self.complaints: list[str] = []
        self.rights = Rights()
        self.api = Api(self.store, release, self.rights, self.complain)
        self.api.state = lambda: best(self.machines.values())
        self._controllers = Controllers(self.store)
        self._seen = (-1, 0.0)
        self._done = threading.Event()
        self._ticking = threading.Lock()
        self._thread: threading.Thread | None = None
        self.store.subscribe(self._tell_kubelets)

    def complain(self, text: str) -> None:
        """Note it once."""
        if text not in self.complaints:
            self.complaints.append(text)

    def serves(self) -> bool:
        """Whether any control-plane node's API server does its work."""
        return self.api.state() is ApiState.SERVES

    def tick(self) -> None:
        """Every kubelet and every controller looks once."""
        with self._ticking:
            for machine in list(self.machines.values()):
                machine.tick()
            if self.serves():
                self._control()

    def start(self) -> None:
        """Tick from a thread until closed.

        Raises:
            ValueError: virtual time passes only where somebody sleeps in it, which sockets and the engine do not.
        """
        if not self.clock.runs:
            raise ValueError("a virtual clock goes only with the in-memory connection and without the engine")
        self._thread = threading.Thread(target=self._run, name="rehearsal-world", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stand still."""
        self._done.set()
        if self._thread is not None:
            self._thread.join(5)

    def _run(self) -> None:
        while not self._done.wait(TICK_SECONDS):
            self.tick()

    def _control(self) -> None:
        """Controllers look when something changed, and every simulated five seconds."""
        with self.store.lock, self.store.acting("controller"):
            version, at = self._seen
            if version == self.store.version and self.clock.now() - at < 5.0:
                return
            self._seen = (self.store.version, self.clock.now())
            watch_nodes(self.store)
            self._controllers.step()
            schedule(self.store)
            watch_budgets(self.store)
            collect_garbage(self.store)

    def _tell_kubelets(self, event: Event) -> None:
        if event.kind == "Pod":
            machine = self.machines.get(event.object["spec"].get("nodeName", ""))
            if machine is not None:
                machine.kubelet.saw(event.type, event.object)
