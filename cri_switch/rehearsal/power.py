"""A machine goes down and comes up again."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from cri_switch.rehearsal.filesystem import Entry
from cri_switch.rehearsal.kernel import Kernel
from cri_switch.rehearsal.machine_files import FORWARD_RULES

if TYPE_CHECKING:
    from cri_switch.rehearsal.machine import Machine

SHUTDOWN_SECONDS = 5.0
SHUTDOWN_SECONDS_CONTAINERD = 92.0
BOOT_SECONDS = 10.0


def off(machine: Machine) -> None:
    """Until it has booted again it is down; nothing that ran runs on."""
    slow = any(box.running for box in machine.containerd.boxes.values()) and machine.containerd.release < (1, 6)
    machine.down_until = machine.now() + BOOT_SECONDS + (SHUTDOWN_SECONDS_CONTAINERD if slow else SHUTDOWN_SECONDS)
    machine.docker.crash()
    machine.containerd.crash()
    machine.kubelet.crash()
    machine.systemd.states.clear()
    machine.processes.all.clear()
    machine.kernel = Kernel(str(uuid.uuid4()))
    for firewall in (machine.firewall, machine.firewall6):
        for table in list(firewall.tables):
            firewall.flush_all(table)
    machine.fs.root.children["run"] = Entry("d", 0o755)


def on(machine: Machine) -> None:
    """What is configured for the boot, and every unit that is enabled."""
    conf = "".join(machine.fs.text(f"/etc/sysctl.d/{name}") or "" for name in machine.fs.names("/etc/sysctl.d"))
    modules = "".join(
        machine.fs.text(f"/etc/modules-load.d/{name}") or "" for name in machine.fs.names("/etc/modules-load.d")
    )
    if "br_netfilter" in modules.split():
        machine.kernel.load_bridge_netfilter()
    machine.kernel.set_all(conf)
    for line in FORWARD_RULES:
        machine.firewall.add("filter", line)
    machine.systemd.boot()
